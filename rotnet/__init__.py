"""3DRotNet: features learnt from video by predicting how each clip was rotated."""
