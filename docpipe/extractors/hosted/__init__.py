"""Models behind an HTTP API. In: Questions. Out: Replies, with what they cost."""
