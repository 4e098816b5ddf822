"""The questions of the page on stores: valid SQL, current answers, and the same figures from logs without a store."""

from __future__ import annotations

import json
import re
import runpy
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from checkout import PROJECT

from mlperf_logging import check_log, check_results, judge_run, score_results
from mlperf_logging.analysis.reading import ReadingParameters
from mlperf_logging.analysis.tables import read_tables
from mlperf_logging.compliance.ruleset_selection import RuleSelection
from mlperf_logging.engines.keeping import digest_log
from mlperf_logging.scoring.runs import score_run
from mlperf_logging.store import open_store
from mlperf_logging.store.ingest import ingest_logs

PAGE = PROJECT / "docs" / "store_questions.md"
TOOLS = runpy.run_path(str(PROJECT / "docs" / "answer_questions.py"))
QUESTIONS = [found["sql"] for found in TOOLS["QUESTION"].finditer(PAGE.read_text("utf-8"))]
Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the example submission."""
    path = tmp_path_factory.mktemp("small") / "s.duckdb"
    ingest_logs([str(PROJECT / "examples" / "submission")], str(path))
    return path


def test_there_are_ten_questions() -> None:
    """Each of the ten numbered headings has a question and an answer."""
    assert len(re.findall(r"^### \d+\. .*\?$", PAGE.read_text("utf-8"), re.MULTILINE)) == len(QUESTIONS) == 10


@pytest.mark.parametrize("number", range(10))
def test_questions_can_be_asked(small: Path, number: int) -> None:
    """Every question is a valid statement, also where a store has little to answer."""
    open_store(small).read(QUESTIONS[number])


@pytest.fixture(scope="session")
def corpus_store(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of all real logs, each judged by its round."""
    path: Path = tmp_path_factory.mktemp("corpus") / "s.duckdb"
    TOOLS["ingest_rounds"](shared / "corpus" / "logs", path)
    return path


@pytest.mark.corpus
@pytest.mark.slow
def test_answers_are_current(corpus_store: Path) -> None:
    """The page shows what the store of the real logs answers."""
    assert TOOLS["renew_page"](PAGE.read_text("utf-8"), corpus_store)[1] == []


@pytest.fixture(scope="session")
def facts(shared: Path) -> dict[str, Any]:
    """What logs give without a store: runs, scores, tests of convergence and broken rules, round by round."""
    runs, scores, checks, broken, judged = [], [], [], Counter[tuple[str, str, str]](), Counter[str]()
    for folder in sorted((shared / "corpus" / "logs").iterdir()):
        *usage, version = folder.name.split("-")
        selection = RuleSelection(usage[0] if usage else "training", version)
        found = score_results(folder, selection)
        paths = sorted(map(str, folder.rglob("result_*.txt")))
        table = read_tables(paths, ReadingParameters(selection)).runs
        counting = [score_run(judge_run(path, selection)).counts for path in paths]
        runs.append(table.assign(counts=counting, content=[digest_log(path) for path in paths]))
        scores += found
        checks += check_results(folder, selection)
        for path in {digest_log(path): path for path in paths}.values():
            verdict = check_log(path, selection)
            ruleset = f"{verdict.usage}/{verdict.ruleset}"
            judged[ruleset] += 1
            errors = {(each.code, each.rule) for each in verdict.findings if each.severity == "error"}
            broken.update((ruleset, *each) for each in errors)
    whole = pd.concat(runs, ignore_index=True)
    whole["folder"] = whole["path"].str.rpartition("/")[0]
    whole["is_first"] = ~whole.duplicated("content")
    whole["round"] = whole["ruleset"].str.partition("/")[2]
    return {"runs": whole, "scores": scores, "checks": checks, "broken": broken, "judged": judged}


def list_rows(table: pd.DataFrame) -> Rows:
    """The rows of a table, with None for what is missing."""
    return list(table.astype(object).where(table.notna(), None).itertuples(index=False, name=None))


def find_fastest(facts: dict[str, Any]) -> Rows:
    """The best complete closed results on eight accelerators."""
    wanted = ("bert", "dlrm_dcnv2", "llama2_70b_lora", "resnet")
    best: dict[tuple[str, str], Any] = {}
    for score in facts["scores"]:
        required = score.requirement.required if score.requirement else None
        is_whole = required is not None and len(score.runs) >= required
        of = facts["runs"]
        accelerators = of[of["folder"] == score.folder.path]["accelerators"].dropna().unique()
        if (
            score.benchmark in wanted
            and score.division == "closed"
            and is_whole
            and score.score_minutes is not None
            and list(accelerators) == [8]
        ):
            key = (score.benchmark, score.ruleset.partition("/")[2])
            if key not in best or score.score_minutes < best[key].score_minutes:
                best[key] = score
    return [
        (*key, score.score_minutes, score.folder.submitter, score.folder.system)
        for key, score in sorted(best.items())
    ]


def find_variation(facts: dict[str, Any]) -> Rows:
    """Coefficients of variation of folders, in the middle of those of some rounds."""
    runs = facts["runs"]
    runs = runs[runs["counts"] & (runs["division"] == "closed")]
    found = defaultdict(list)
    for (_, name, benchmark), rows in runs.groupby(["folder", "round", "benchmark"]):
        minutes = rows["run_minutes"].dropna()
        if len(rows) >= 5:
            found[benchmark].append((name, minutes.std(ddof=1) / minutes.mean()))
    groups = (("0.6.0", "0.7.0"), ("1.0.0", "2.0.0"), ("3.1.0", "4.0.0"), ("5.1.0",))
    order = sorted(found, key=lambda name: (-np.median([each for _, each in found[name]]), name))
    rows = []
    for benchmark in order:
        shares = [[100 * each for name, each in found[benchmark] if name in group] for group in groups]
        rows.append(
            (benchmark, len(found[benchmark]), *[float(np.median(each)) if each else None for each in shares])
        )
    return rows


def find_early(facts: dict[str, Any]) -> Rows:
    """Results with a mean of less than 0.97 of the reference's."""
    rows = []
    for check in facts["checks"]:
        test = check.check
        if test is not None and test.reference_mean and test.submission_mean < 0.97 * test.reference_mean:
            less = 100 * (test.submission_mean / test.reference_mean - 1)
            rows.append(
                (
                    check.runs[0].usage + "/" + check.runs[0].ruleset,
                    check.runs[0].benchmark,
                    check.folder.system,
                    test.unit,
                    float(test.submission_mean),
                    float(test.reference_mean),
                    float(less),
                    check.passed,
                )
            )
    return sorted(rows, key=lambda row: row[6])


def find_broken(facts: dict[str, Any]) -> Rows:
    """The rule that most logs of a round break."""
    rows = []
    for ruleset in sorted({key[0] for key in facts["broken"]}):
        (_, code, rule), logs = min(
            ((key, logs) for key, logs in facts["broken"].items() if key[0] == ruleset),
            key=lambda item: (-item[1], item[0][2]),
        )
        rows.append((ruleset, code, rule, logs, facts["judged"][ruleset]))
    return rows


def find_evaluation(facts: dict[str, Any]) -> Rows:
    """Shares of the time."""
    runs = facts["runs"]
    runs = runs[runs["counts"] & runs["is_first"] & (runs["eval_minutes"] > 0)]
    rows = []
    for benchmark, of in runs.groupby("benchmark"):
        if len(of) >= 10:
            whole = of["run_minutes"].sum()
            parts = [100 * of[f"{part}_minutes"].sum() / whole for part in ("eval", "train")]
            rows.append((benchmark, len(of), *parts, float(of["evaluations"].astype(float).median())))
    return sorted(rows, key=lambda row: (-round(row[2], 1), row[0]))


def find_seeds(facts: dict[str, Any]) -> Rows:
    """Seeds of several runs."""
    by = ["round", "submitter", "system", "benchmark", "seed"]
    counted = facts["runs"].dropna(subset=["seed"]).groupby(by).size()
    return [(*key, count) for key, count in counted[counted > 1].items()]


def find_late(facts: dict[str, Any]) -> Rows:
    """How long runs go on."""
    runs = facts["runs"]
    runs = runs[
        runs["counts"]
        & runs["is_first"]
        & runs["quality_reached"].fillna(value=False).astype(bool)
        & (runs["division"] == "closed")
    ].dropna(subset=["stop_after_quality_seconds"])
    rows = []
    for benchmark, of in runs.groupby("benchmark"):
        seconds = of["stop_after_quality_seconds"]
        share = (seconds / 60 / of["run_minutes"]).max()
        rows.append((benchmark, len(of), float(seconds.median()), float(seconds.max()), 100 * float(share)))
    return sorted(rows, key=lambda row: (-round(row[3], 1), row[0]))[:8]


def find_batches(facts: dict[str, Any]) -> Rows:
    """Exponents of samples over batch size, by least squares."""
    runs = facts["runs"]
    runs = runs[
        runs["counts"]
        & runs["is_first"]
        & (runs["division"] == "closed")
        & (runs["batch_size"] > 0)
        & (runs["samples_to_quality"] > 0)
    ]
    rows = []
    for (name, benchmark), of in runs.groupby(["round", "benchmark"]):
        sizes = of["batch_size"].astype(float)
        if sizes.nunique() >= 3 and sizes.max() >= 2 * sizes.min() and len(of) >= 10:
            x, y = np.log(sizes), np.log(of["samples_to_quality"].astype(float))
            slope = float(np.polyfit(x, y, 1)[0])
            r2 = float(np.corrcoef(x, y)[0, 1] ** 2)
            rows.append((name, benchmark, len(of), int(sizes.min()), int(sizes.max()), slope, r2))
    return sorted(rows, key=lambda row: (-round(row[5], 2), row[0], row[1]))[:12]


def find_throughput(facts: dict[str, Any]) -> Rows:
    """Samples a second of one of eight accelerators."""
    runs = facts["runs"]
    runs = runs[
        runs["counts"]
        & runs["benchmark"].isin(["bert", "resnet"])
        & (runs["accelerators"] == 8)
        & (runs["samples_per_second"] > 0)
    ]
    rows = []
    for (benchmark, name), of in runs.groupby(["benchmark", "round"]):
        each = of["samples_per_second"] / of["accelerators"]
        best = of.loc[each.idxmax(), "accelerator_model"]
        rows.append((benchmark, name, len(of), float(each.median()), float(each.max()), best))
    return rows


def find_preparation(facts: dict[str, Any]) -> Rows:
    """How long runs prepare."""
    runs = facts["runs"][facts["runs"]["counts"]].dropna(subset=["init_minutes"])
    return [
        (
            ruleset,
            len(of),
            float(of["init_minutes"].median()),
            float(of["init_minutes"].quantile(0.9)),
            float(of["init_minutes"].max()),
            of.loc[of["init_minutes"].idxmax(), "benchmark"],
        )
        for ruleset, of in runs.groupby("ruleset")
    ]


@pytest.mark.corpus
@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "compute"),
    list(
        enumerate(
            [
                *(find_fastest, find_variation, find_early, find_broken, find_evaluation, find_seeds),
                *(find_late, find_batches, find_throughput, find_preparation),
            ]
        )
    ),
)
def test_answers_are_those_of_the_logs(
    corpus_store: Path, facts: dict[str, Any], number: int, compute: Callable[[dict[str, Any]], Rows]
) -> None:
    """Each answer has the rows and figures that follow from logs without a store, as far as it is rounded."""
    answer = [tuple(row.values()) for row in open_store(corpus_store).read(QUESTIONS[number]).to_pylist()]
    expected = compute(facts)

    assert len(answer) == len(expected)
    assert [list(compare(*rows)) for rows in zip(answer, expected, strict=True)] == [[] for _ in answer]


def compare(answer: tuple[Any, ...], expected: tuple[Any, ...]) -> Iterator[str]:
    """What differs in a row, but for what the answer has rounded away."""
    for shown, real in zip(answer, expected, strict=True):
        if isinstance(real, float) and isinstance(shown, (int, float)):
            digits = len(json.dumps(shown).partition(".")[2])
            is_same = abs(shown - real) <= 0.5001 * 10.0**-digits
        else:
            is_same = shown == real
        if not is_same:
            yield f"{shown!r} in place of {real!r}"
