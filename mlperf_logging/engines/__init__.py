"""Engines: how the work on many logs is divided, with the results in the order of the logs.

`engine.Engine` is the interface: a function, paths, results. `local` works in processes of this machine, `dask` on the
workers of a Dask cluster. A further one is a module here and a name in `cli.engines`.
"""
