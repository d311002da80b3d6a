"""From a search space to a plan. Pure: no torch, Ray, MLflow or Optuna. Here: what a stage is."""
