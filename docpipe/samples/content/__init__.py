"""What drawn documents say: parties, names, word lists, locales, invoices and receipts whose sums hold."""
