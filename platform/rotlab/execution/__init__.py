"""Stages run: store, searcher, trial, run."""
