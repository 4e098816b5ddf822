"""Reference convergence points: the points, how they match a batch size, the test, and the probability to pass."""
