"""Answers: optimal plans, comparisons, and what they rest on."""
