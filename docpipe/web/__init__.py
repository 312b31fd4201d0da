"""The HTTP API. FastAPI lives here and nowhere else; docs/api.md is for those who use it."""
