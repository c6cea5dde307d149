"""What the commands do, as functions that take scenarios and return records."""
