"""The page: records in, blocks, texts out."""
