"""A platform for ablations: a search space becomes a plan, run by Ray Tune, tracked in MLflow."""
