"""How good a fitted law is."""
