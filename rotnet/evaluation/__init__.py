"""Scores of videos, metrics of scores, fusion."""
