"""The report as one HTML page: what is on it (`model`), how it is made (`building`), how it is written (`rendering`).

A section is a module in `sections` that makes its content from `material`; those of charts and tables share a template, the
others have one of their own name. Every value from a log is escaped; scripts get data as JSON, never as code.
"""
