"""Running: a series of processes, one run of one process, its loop, devices, steps and checkpoints."""
