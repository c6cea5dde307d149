"""Serving as it is measured: a step of a replica as a sum, with fitted constants."""
