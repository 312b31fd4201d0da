"""How the embedded network is made: examples, questions, training, export. Needs the extra `train`."""
