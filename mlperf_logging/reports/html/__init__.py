"""The report as one HTML page: what is on it (`model`), how it is made (`building`), how it is written (`rendering`).

A section is a module in `sections` that makes its content from `material`, and a template of the same name. Every value from
a log is escaped by the templates; scripts get data as JSON, never as code.
"""
