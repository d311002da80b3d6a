"""How frames are stored: formats, the files that hold them, their checksums, and where they lie."""
