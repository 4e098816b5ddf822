"""Exports: judged runs, and runs while they are logged, for the tools that people already look at.

What a run exports is one value, `run_export.RunExport`: names, steps, times, values, parameters, tags. `writers` puts it
where a tool reads it, one module per tool; `live` gives the same of a run that is still being logged.
"""
