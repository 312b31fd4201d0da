"""Models that run on this machine: loading them, and generating with them."""
