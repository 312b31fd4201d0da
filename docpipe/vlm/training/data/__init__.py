"""Training data: drawn and labelled documents, with the words that each field's value is."""
