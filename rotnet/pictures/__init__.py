"""Pictures of what was measured, and how they are drawn."""
