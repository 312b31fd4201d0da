"""How the embedded network is made: examples, queries, training, export. Needs the extra `train`."""
