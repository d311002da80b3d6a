"""A run's workers, trials and nodes on Ray."""
