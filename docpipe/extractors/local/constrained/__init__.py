"""Constrained decoding: only tokens that a JSON Schema allows are generated."""
