"""Searches of one run: what is proposed, compared and stopped."""
