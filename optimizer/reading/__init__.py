"""Text of a user's file to checked records: units, places, mistakes."""
