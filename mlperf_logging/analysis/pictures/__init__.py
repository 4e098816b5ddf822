"""What pictures show, before a library draws it: which rows, under which names, between which limits.

`analysis.plots` draws it with matplotlib for paper, `analysis.charts` with Vega-Lite for pages and notebooks.
"""
