"""The engine for decoder models: all output slots of a document side by side, behind one prompt."""
