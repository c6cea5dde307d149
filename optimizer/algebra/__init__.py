"""Posynomials and programs as data."""
