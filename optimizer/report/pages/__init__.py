"""Pages: what is said, one file a page."""
