"""Generative models as extractors: the prompt, the schema of the output, and what its text says about the fields."""
