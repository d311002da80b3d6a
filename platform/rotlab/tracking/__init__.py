"""Results reach MLflow, by way of a journal on disk, and are read back."""
