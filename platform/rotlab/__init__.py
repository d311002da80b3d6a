"""A platform for ablations: from a search space to a plan of stages, run by Ray Tune and tracked in MLflow."""
