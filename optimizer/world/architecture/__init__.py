"""What a model is made of: layers by kind, parameters, and what they cache."""
