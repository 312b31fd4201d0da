"""What we measure and how, each a command."""
