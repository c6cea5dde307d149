"""How far a plan may be trusted."""
