"""Clusters beyond this machine: whether their files are in order, and what they cost."""
