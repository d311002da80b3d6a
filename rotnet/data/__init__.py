"""Videos become clips: manifest, decoding, preparation, sampling, loading."""
