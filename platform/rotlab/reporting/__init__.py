"""What the results say: statistics and tables."""
