"""Several models at once: their joint plan, and why there is none."""
