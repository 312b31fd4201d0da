"""Donut models, which read a page's picture and write the fields between tags."""
