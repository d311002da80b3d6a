"""One run: what starts next, what failed and why, what it may cost, what it tells. No Ray."""
