"""What the arithmetic of a page says of its totals."""
