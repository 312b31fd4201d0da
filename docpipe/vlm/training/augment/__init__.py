"""Changes of training documents that keep their labels right."""
