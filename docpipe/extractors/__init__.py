"""Extractors: from a document's pages and a schema to candidates for its fields."""
