"""The report served on this machine: the page, the logs at their lines, and what to do when they change."""
