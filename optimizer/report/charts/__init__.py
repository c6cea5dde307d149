"""Charts: Altair draws, vl-convert renders."""
