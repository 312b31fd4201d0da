"""Weights on this machine: where they are, whether they fit, and how they are loaded."""
