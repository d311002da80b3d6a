"""What a plan costs, by records of like stages or by arithmetic."""
