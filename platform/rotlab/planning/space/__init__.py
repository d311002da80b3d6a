"""The language of search spaces: a file becomes a checked `Spec`."""
