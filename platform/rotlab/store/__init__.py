"""What is computed, decided and known, kept once, in a folder or a bucket. No Ray or torch."""
