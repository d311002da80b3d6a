"""In which order stages start, and what that makes of a cluster in virtual time."""
