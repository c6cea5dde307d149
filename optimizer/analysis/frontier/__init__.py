"""What a little more quality costs."""
