"""Emit, read, judge, score and show machine-learning training benchmark logs."""
