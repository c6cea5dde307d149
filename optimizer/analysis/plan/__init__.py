"""The plan: the optimum, its proof, and all that is said of it."""
