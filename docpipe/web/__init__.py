"""The HTTP API. FastAPI lives here and nowhere else."""
