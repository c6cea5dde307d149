"""The solvers and their judge."""
