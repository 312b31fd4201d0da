"""Models that the engine does not serve, with the `generate` of transformers."""
