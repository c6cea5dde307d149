"""Serving predicted beside serving measured, and constants that are fitted to it."""
