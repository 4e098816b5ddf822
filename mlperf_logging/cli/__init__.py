"""The commands: they parse arguments, call one function of the package, print, and give an exit code."""
