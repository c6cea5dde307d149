"""What is asked: a scenario, and the geometric program of it."""
