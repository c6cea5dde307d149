"""What a report tells of a scenario, worked out before it is drawn."""
