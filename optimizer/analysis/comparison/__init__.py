"""Scenarios side by side, and what it costs to guess wrong."""
