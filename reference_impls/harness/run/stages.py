"""The stages of a training step."""

FORWARD, BACKWARD, OPTIMIZER = STAGES = ("forward", "backward", "optimizer")
"""All of them, in order."""
