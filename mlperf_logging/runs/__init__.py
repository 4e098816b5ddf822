"""Runs: a typed view of what one log shows, and submissions as folders of runs."""
