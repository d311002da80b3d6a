"""One module for each command of `rotnet`; only the one asked for is imported."""
