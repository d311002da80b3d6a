"""Weights that other projects saved, and weights for them."""
