"""One module for each provider's API: how a request is sent, and what its response says."""
