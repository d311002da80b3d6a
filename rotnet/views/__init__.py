"""A clip becomes a network input, on the device."""
