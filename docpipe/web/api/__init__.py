"""The HTTP API: submitting documents, following jobs, reading results."""
