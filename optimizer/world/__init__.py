"""What the world provides: machines, laws, demand, and what they cost."""
