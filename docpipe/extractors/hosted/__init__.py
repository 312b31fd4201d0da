"""Models behind an HTTP API. In: `Prompt`s. Out: `BackendReply`s, with what they cost."""
