"""docpipe: scanned documents become rows that people can trust."""
