"""Many scenarios at once, one row each."""
