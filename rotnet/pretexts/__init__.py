"""Tasks without labels: what a clip becomes, what is to be said of it, and how wrong that is."""
