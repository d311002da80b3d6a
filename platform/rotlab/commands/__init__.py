"""One module for each command of `rotlab`; only the one asked for is imported."""
