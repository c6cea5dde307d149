"""Formats: blocks, and how each medium writes them."""
