"""Networks measured and looked at: scores, fusion, probes, retrieval, pictures."""
