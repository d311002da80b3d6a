"""Does anything but content tell how a clip was turned? Probes, planted leaks, a verdict."""
