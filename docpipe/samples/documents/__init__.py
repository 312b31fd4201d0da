"""The kinds of documents, each a composition of blocks that vary."""
