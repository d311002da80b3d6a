"""Stages run: one stage, one run's decisions, searches, Ray; `run` puts them together."""
