"""The loop, its optimiser and schedule, checkpoints, and the two stages that train."""
