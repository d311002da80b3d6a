"""What is printed of a plan."""
