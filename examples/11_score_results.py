"""Score a submission, test its convergence, and see what remains to be done."""

from pathlib import Path

from mlperf_logging import check_results, find_result_folders, load_suite, score_results, score_suite

SUBMISSION = Path(__file__).parent / "submission"

# %% What is there
for folder in find_result_folders(SUBMISSION):
    print(f"{folder.submitter}/{folder.system}/{folder.benchmark}: {len(folder.logs)} logs")

# %% Scores; what keeps a folder from having one is in `problems`
scores = score_results(SUBMISSION)
for score in scores:
    minutes = f"{score.score_minutes:.3f} minutes" if score.score_minutes is not None else score.problems[0]
    print(f"{score.folder.system} {score.benchmark}: {minutes} {'; '.join(score.notes)}")

# %% The runs behind a score
small, _, large = scores
for index, run in enumerate(large.runs):
    print(f"  {Path(run.path).name} {run.minutes:.3f} {'kept' if index in large.kept else 'not kept'}")

# %% How much faster is the larger system?
if small.score_minutes is not None and large.score_minutes is not None:
    print(f"speedup {small.score_minutes / large.score_minutes:.3f}")

# %% Convergence, and the pass probability of an incomplete result
for outcome in check_results(SUBMISSION, seed=7):
    verdict = {True: "passed", False: "failed", None: "not tested"}[outcome.passed]
    chance = (
        f", chance to pass {outcome.pass_probability.probability:.0%}"
        if outcome.pass_probability is not None
        else ""
    )
    print(f"{outcome.folder.system} {outcome.benchmark}: {verdict}, {outcome.reason}{chance}")

# %% A suite: the first one's reference against itself
suite = load_suite("original-2018-07")
itself = {name: benchmark.reference_minutes for name, benchmark in suite.benchmarks.items()}
print(f"{suite.title}: {score_suite(suite, itself, 'reference').score:.3f}")
