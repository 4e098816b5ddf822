"""Verdicts, tables and interactive charts in a notebook: what stands last in a cell is shown by itself.

Each `# %%` begins a cell, in Jupyter (with jupytext), VS Code and PyCharm. All of these runs are synthetic.
"""

# %% Judge a log: the verdict shows what is wrong, in which line, and how to fix it.
from pathlib import Path

from mlperf_logging import check_log, judge_run, load_ruleset, read_tables
from mlperf_logging.analysis import chart_breakdown, chart_convergence, chart_spread

folder = Path(__file__).parent
log = folder / "logs" / "broken" / "metrics_never_meet.txt"
check_log(log)

# %% The findings as a table of pandas.
check_log(log).to_frame()[["line", "code", "message"]]

# %% A run: its verdict, target and evaluations.
judge_run(folder / "logs" / "trained" / "ncf.txt")

# %% A round: its benchmarks.
load_ruleset("training/5.1.0")

# %% Convergence curves: point at a value for the run, the seed and the line in the log; click on a name to isolate it.
tables = read_tables(folder / "submission")
finetuning = tables.evaluations[tables.evaluations["benchmark"] == "llama2_70b_lora"]
chart_convergence(finetuning, title="Finetuning")

# %% How the runs differ, and where their time goes.
chart_spread(tables.runs)

# %%
chart_breakdown(tables.runs)
