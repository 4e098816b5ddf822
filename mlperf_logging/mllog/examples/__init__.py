"""An example of the logging API, under the public package's name."""
