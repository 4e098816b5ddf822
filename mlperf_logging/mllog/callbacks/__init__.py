"""Life cycles for training frameworks: one module each, which imports its framework, and only that.

`keras` for Keras 3, `lightning` for PyTorch Lightning, `transformers` for the Hugging Face Trainer, and
`loop`, which needs no framework, for loops written by hand.
"""
