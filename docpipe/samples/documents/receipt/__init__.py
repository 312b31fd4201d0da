"""Receipts of cash registers."""
