"""Scores: time to train, reference convergence, energy, cost, suites."""
