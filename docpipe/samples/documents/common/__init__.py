"""Blocks and data that several kinds of documents share."""
