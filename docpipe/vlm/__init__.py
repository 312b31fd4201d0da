"""The embedded network: words, boxes and pictures of a page in, spans for the fields of a schema out."""
