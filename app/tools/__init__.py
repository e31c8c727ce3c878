"""Brushes, one per file, nothing else. A file that ends in a decorated function is a brush; no list names it."""
