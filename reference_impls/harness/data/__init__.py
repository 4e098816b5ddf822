"""Data: getting it, checking it, preparing it, and making batches of it."""
