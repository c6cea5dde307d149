"""The overtrain engine."""
