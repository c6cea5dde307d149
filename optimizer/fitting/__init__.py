"""Fitting a scaling law to training runs."""
