"""Analyze runs, cell by cell as in a notebook: variance, comparison, scaling, curves. All of these runs are synthetic."""

# %% Read the logs of a small round: a table of runs, a table of evaluations.
from pathlib import Path

from mlperf_logging import AnalysisParameters, analyze_runs, describe_scaling, describe_variance, read_tables
from mlperf_logging.analysis.analyses import compare_sides, select_runs

folder = Path(__file__).parent / "submission"
tables = read_tables(folder)
runs = tables.runs
print(f"{len(runs)} runs, {len(tables.evaluations)} evaluations")
print(
    runs.loc[
        :3, ["system", "seed", "run_minutes", "time_to_quality_seconds", "samples_to_quality"]
    ].to_string()
)

# %% How much do the runs of one system differ, and how many are needed for a precision of 2 %?
converged = select_runs(runs)
parameters = AnalysisParameters(precision=0.02)
variance = describe_variance(converged, parameters=parameters)
print(
    variance[["benchmark", "system", "runs", "mean", "mean_t_low", "mean_t_high", "runs_needed"]].to_string()
)

# %% Where does the difference come from: from seeds that need more samples, or from the machine?
print(
    analyze_runs(tables, ["seeds"], parameters)["seeds"][
        ["system", "share_from_learning", "share_from_speed"]
    ].to_string()
)

# %% Is the larger system faster, by how much, how sure is that?
(row,) = compare_sides(runs, "example_8x", "example_16x", parameters).to_dict("records")
print(
    f"speedup {row['speedup']:.2f} ({row['speedup_low']:.2f} to {row['speedup_high']:.2f}), p = {row['p_value']:.1g}"
)

# %% What do twice the accelerators give?
scaling = describe_scaling(converged)
print(
    scaling[
        ["accelerators", "mean_minutes", "efficiency", "learning_efficiency", "speed_efficiency"]
    ].to_string()
)

# %% Curves. The function draws on any Axes; without pyplot a picture needs a Figure and nothing more.
from matplotlib.figure import Figure  # noqa: E402 - a cell imports what it needs

from mlperf_logging.analysis.plots import ConvergenceStyle, draw_convergence  # noqa: E402

figure = Figure(figsize=(7, 4))
finetuning = tables.evaluations[tables.evaluations["benchmark"] == "llama2_70b_lora"]
axes = draw_convergence(figure.add_subplot(), finetuning, ConvergenceStyle(x="minutes"))
figure.savefig("curves.png", bbox_inches="tight")
print(f"curves.png: {len(axes.lines)} lines, {axes.get_xlabel()}")
