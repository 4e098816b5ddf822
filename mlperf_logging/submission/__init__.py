"""Submissions: what is in the folders of one, whether it is acceptable, and what to fix where.

A submission's files are read and never changed. What is wrong is a `Finding`, as for logs, with the file or folder that
it is about.
"""
