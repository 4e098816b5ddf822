"""``python -m mlperf_logging.result_summarizer.compute_score --benchmark_folder FOLDER --usage … --ruleset …``."""

from __future__ import annotations

import argparse

from mlperf_logging.cli.drop_in import LOG, add_rules, leave, make_parser, run_drop_in, say
from mlperf_logging.errors import UsageError
from mlperf_logging.result_summarizer.result_summarizer import read_submission
from mlperf_logging.scoring.folders import WEAK


def _get_parser() -> argparse.ArgumentParser:
    parser = make_parser("result_summarizer.compute_score", "Score one benchmark's folder.", log_output=False)
    parser.add_argument("--benchmark_folder", required=True, help="the folder of the result logs")
    add_rules(parser, dashed=True)
    parser.add_argument("--system", help="name of the system, to be shown")
    parser.add_argument("--benchmark", help="the benchmark, where the logs do not name it")
    parser.add_argument("--has_power", action="store_true", help="show the energy, too")
    parser.add_argument(
        "--is_weak_scaling", action="store_true", help="the folder holds models trained at once"
    )
    parser.add_argument("--scale", action="store_true", help="scale the score by the test of convergence")
    return parser


def _score(options: argparse.Namespace) -> bool:
    more = ["--benchmark", options.benchmark] if options.benchmark else []
    found = read_submission(options.benchmark_folder, options.usage, options.ruleset, *more)
    if len(found.results) != 1:
        raise UsageError(f"there are {len(found.results)} folders of results; name that of one benchmark")
    (result,) = found.results
    score, check = result.score, result.check.check
    facts = {
        f"MLPerf {options.usage}": options.ruleset,
        "Folder": options.benchmark_folder,
        "System": options.system or score.folder.system or "",
        "Benchmark": result.benchmark,
        "Runs": len(score.runs),
    }
    if options.is_weak_scaling or score.folder.scaling == WEAK:
        if score.throughput is not None:
            facts["Score - Models"] = score.throughput.models
            facts["Score - Time to Train All (minutes)"] = score.throughput.minutes
    elif score.score_minutes is not None:
        factor = check.normalisation if options.scale and check is not None else 1.0
        minutes = score.unscaled_minutes if options.scale else score.score_minutes
        if options.scale:
            facts["Scaling Factor"] = factor
        if options.has_power and score.energy_kj is not None:
            facts["Energy (kJ)"] = score.energy_kj
        facts["Score - Time to Train (minutes)"] = (minutes or 0.0) * factor
    for name, fact in facts.items():
        say(f"{name}: {fact}")
    for problem in score.problems:
        LOG.error("%s", problem)
    return score.has_result


if __name__ == "__main__":
    leave(run_drop_in(_get_parser(), _score, last=""))
