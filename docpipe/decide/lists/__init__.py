"""What a page's lines of print say of the rows of lists: products, sums, the words of a row, their order."""
