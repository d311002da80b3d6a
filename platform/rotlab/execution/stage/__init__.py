"""One stage in its own process: its inputs, its work, its record."""
