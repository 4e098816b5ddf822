"""Analysis of runs: tables in, tables and pictures out."""
