"""Reference trainers: real models that train to a target and log compliantly by construction.

One folder per task; what they share (the training loop, the events, seeds, checkpoints) is in `harness`.
"""
