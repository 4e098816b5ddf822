"""Reinforcement learning: the parts of a trainer that learns Go by playing against itself.

There is no `TASK` yet, so `mlperf train` does not offer it: see the README of this folder.
"""
