"""Where the time of a training goes: its phases, its operations by class, and what the model costs for a sample.

A profile does a few steps and one evaluation. It writes no log, so nothing of it can be taken for a result.
"""
