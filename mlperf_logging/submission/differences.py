"""What changed between two submissions: scores, systems, software, and hyperparameters with what the rules let differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mlperf_logging.compliance.ruleset_selection import RuleSelection
from mlperf_logging.errors import UnreadableLogError, UsageError
from mlperf_logging.events import Outcome
from mlperf_logging.runs.folders import ResultFolder
from mlperf_logging.scoring.folders import score_folder
from mlperf_logging.scoring.rcp.files import open_reference_points
from mlperf_logging.scoring.rcp.submissions import check_submission
from mlperf_logging.scoring.runs import ScoredRun, score_run
from mlperf_logging.submission.descriptions import Description, read_description
from mlperf_logging.submission.layout import Tree, find_submissions
from mlperf_logging.submission.summary import BenchmarkResult

if TYPE_CHECKING:
    from mlperf_logging.analysis.reading import RunRows

OLD, NEW = "old", "new"
SOFTWARE = ("framework", "operating_system", "other_software_stack")
"""Fields of a description that name software and its versions."""

_UNCOMPARED = ("submitter", "system_name", "framework_name")
_PAIR = "pair"


class ReadRun(NamedTuple):
    """One log, judged once: what scores need of it, and its hyperparameters."""

    scored: ScoredRun
    rows: RunRows


class ReadResult(NamedTuple):
    """A result folder, and its logs in their order."""

    folder: ResultFolder
    runs: tuple[ReadRun, ...]

    @property
    def benchmark(self) -> str:
        """As most logs name it; else as the folder is named."""
        return next(
            (run.scored.benchmark for run in self.runs if run.scored.benchmark), self.folder.benchmark
        )


class ResultPair(NamedTuple):
    """A benchmark's results in the old and the new submission; one of them may be missing."""

    benchmark: str
    old: ReadResult | None
    new: ReadResult | None

    @property
    def sides(self) -> tuple[tuple[str, ReadResult | None], ...]:
        """The two sides, with their names."""
        return ((OLD, self.old), (NEW, self.new))

    @property
    def is_complete(self) -> bool:
        """Whether both are there."""
        return self.old is not None and self.new is not None

    @property
    def system(self) -> str:
        """The system's name, or both where it differs."""
        names = [side.folder.system or side.folder.path for _, side in self.sides if side is not None]
        return " → ".join(dict.fromkeys(names))


class Differences(NamedTuple):
    """What changed; the rows of each table by their columns' names, and what could not be compared.

    Attributes:
        results: a row for each benchmark and pair of systems.
        systems: a row for each field of a description that differs.
        software: a row for each version that differs.
        hyperparameters: a row for each key that differs.
        described: whether both descriptions of a system could be compared.
        notes: what a reader should know.
    """

    results: list[dict[str, Any]]
    systems: list[dict[str, Any]]
    software: list[dict[str, Any]]
    hyperparameters: list[dict[str, Any]]
    described: bool = False
    notes: tuple[str, ...] = ()


ReadLogs = Callable[[Sequence[str]], Iterator[ReadRun]]
"""Reads logs, in their order."""


def read_log(path: str, selection: RuleSelection) -> ReadRun:
    """Judge one log; one that cannot be read gives a run with verdict "error"."""
    from mlperf_logging.analysis.reading import RunRows
    from mlperf_logging.compliance.judged_run import judge_run

    try:
        judged = judge_run(path, selection)
    except UnreadableLogError as error:
        return ReadRun(ScoredRun(path, Outcome.UNJUDGED, (str(error),)), RunRows({}, [], {}))
    row = {"benchmark": judged.benchmark}
    rows = RunRows(
        row,
        [],
        dict(judged.run.hyperparameters),
        judged.broken_keys,
        judged.ruleset.name if judged.run.event_count else None,
        judged.division,
        judged.variants,
    )
    return ReadRun(score_run(judged)._replace(path=path), rows)


def read_submission(folder: str, read_logs: ReadLogs) -> list[ReadResult]:
    """The results at or below a folder, each log read once; `UsageError` where there are none."""
    folders = [
        each for submission in find_submissions(Tree(folder)) for each in submission.folders if each.logs
    ]
    if not folders:
        raise UsageError(f"there are no results at or below {folder!r}")
    runs = read_logs([log for each in folders for log in each.logs])
    return [ReadResult(each, tuple([next(runs) for _ in each.logs])) for each in folders]


def pair_results(
    old: Iterable[ReadResult], new: Iterable[ReadResult], renamed: Mapping[str, str] | None = None
) -> list[ResultPair]:
    """Put the results of two submissions side by side.

    Those of the same benchmark, scaling and system belong together; of what is left, the only ones of a benchmark and scaling.

    Args:
        old: results of the one.
        new: results of the other.
        renamed: name of a system in the old submission to that in the new one.
    """
    left, right = list(old), list(new)
    pairs: list[ResultPair] = []
    names = renamed or {}

    def identify(result: ReadResult, *more: str | None) -> tuple[str | None, ...]:
        return (result.benchmark, result.folder.scaling, *more)

    def rename(result: ReadResult) -> str | None:
        return names.get(result.folder.system or "", result.folder.system)

    ways: tuple[tuple[Callable[[ReadResult], object], Callable[[ReadResult], object]], ...] = (
        (
            lambda each: identify(each, each.folder.submitter, rename(each)),
            lambda each: identify(each, each.folder.submitter, each.folder.system),
        ),
        (lambda each: identify(each, rename(each)), lambda each: identify(each, each.folder.system)),
        (identify, identify),
    )
    for of_old, of_new in ways:
        for before in list(left):
            same = [each for each in right if of_new(each) == of_old(before)]
            if len(same) == 1 and [of_old(each) for each in left].count(of_old(before)) == 1:
                left.remove(before)
                right.remove(same[0])
                pairs.append(ResultPair(before.benchmark, before, same[0]))
    pairs += [ResultPair(each.benchmark, each, None) for each in left]
    pairs += [ResultPair(each.benchmark, None, each) for each in right]
    return sorted(pairs, key=lambda pair: (pair.benchmark, pair.system))


def compare_submissions(pairs: Sequence[ResultPair], *, rules: str | None = None) -> Differences:
    """What changed between the results of two submissions.

    Args:
        pairs: the results side by side, see `pair_results`.
        rules: folder of other rule files; None for those of the package.
    """
    results = _compare_results(pairs, rules)
    found = _read_descriptions(pairs)
    described = [(system, old, new) for system, old, new in found if old is not None and new is not None]
    notes = [
        f"{system}: the {OLD if old is None else NEW} submission has no description that can be read"
        for system, old, new in found
        if old is None or new is None
    ]
    return Differences(
        results,
        _compare_systems(described),
        _compare_software(described),
        _compare_hyperparameters(pairs, rules),
        bool(described),
        (*notes, *_compare_rounds(results)),
    )


def _compare_rounds(results: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A sentence for each change of rounds."""
    rounds = dict.fromkeys((row.get("ruleset_old"), row.get("ruleset_new")) for row in results)
    for old, new in rounds:
        if old and new and old != new:
            yield f"{old} and {new} may differ in rules and targets; mlperf rules diff {old} {new} shows how"


def _compare_results(pairs: Sequence[ResultPair], rules: str | None) -> list[dict[str, Any]]:
    find_points = open_reference_points(rules)
    certainty = _compare_times(pairs)
    rows = []
    for index, pair in enumerate(pairs):
        row: dict[str, Any] = {"benchmark": pair.benchmark, "system": pair.system}
        problems: list[str] = []
        for side, result in pair.sides:
            if result is None:
                continue
            runs = [run.scored for run in result.runs]
            score = score_folder(result.folder, runs)
            checked = BenchmarkResult(score, check_submission(result.folder, runs, find_points, draws=0))
            converged, unit = checked.converged
            row |= {
                f"system_{side}": result.folder.system,
                f"ruleset_{side}": score.ruleset,
                f"minutes_{side}": score.score_minutes,
                f"runs_{side}": len(runs),
                f"batch_size_{side}": checked.batch_size,
                f"converged_{side}": converged,
                f"unit_{side}": unit,
                f"rcp_margin_{side}": checked.rcp_margin,
                f"energy_kj_{side}": score.energy_kj,
            }
            problems += [f"{side}: {problem}" for problem in score.problems]
        before, after = row.get("minutes_old"), row.get("minutes_new")
        row["speedup"] = before / after if before and after else None
        row["only"] = None if pair.is_complete else OLD if pair.new is None else NEW
        rows.append(row | certainty.get(index, {}) | {"problems": tuple(problems)})
    return rows


def _compare_times(pairs: Sequence[ResultPair]) -> dict[int, dict[str, float]]:
    """For the pairs by number: the interval of the speedup of mean run times, and the p-value of no difference."""
    import pandas as pd

    from mlperf_logging.analysis.comparison import compare_systems

    rows: dict[str, list[tuple[int, float | None]]] = {OLD: [], NEW: []}
    for index, pair in enumerate(pairs):
        for side, result in pair.sides if pair.is_complete else ():
            runs = result.runs if result is not None else ()
            rows[side] += [(index, run.scored.minutes) for run in runs if run.scored.counts]
    tables = [pd.DataFrame(each, columns=[_PAIR, "run_minutes"]) for each in rows.values()]
    if set(tables[0][_PAIR]).isdisjoint(tables[1][_PAIR]):
        return {}
    found = compare_systems(*tables, by=(_PAIR,))
    wanted = ["speedup_low", "speedup_high", "p_value"]
    return {
        int(row[_PAIR]): {name: float(row[name]) for name in wanted if row[name] == row[name]}
        for row in found.to_dict("records")
    }


DescriptionPair = tuple[str, Description, Description]


def _read_descriptions(
    pairs: Iterable[ResultPair],
) -> list[tuple[str, Description | None, Description | None]]:
    """The descriptions of the systems that belong together, each pair once, with the name of the system."""
    found: dict[tuple[str | None, ...], tuple[str, Description | None, Description | None]] = {}
    for pair in pairs:
        if pair.old is None or pair.new is None:
            continue
        paths = (pair.old.folder.description, pair.new.folder.description)
        if paths not in found:
            before, after = (read_description(path)[0] if path else None for path in paths)
            found[paths] = (pair.system, before, after)
    return list(found.values())


def _compare_systems(pairs: Iterable[DescriptionPair]) -> list[dict[str, Any]]:
    rows = []
    for system, before, after in pairs:
        sides = [_read_fields(each) for each in (before, after)]
        for name in dict.fromkeys(name for side in sides for name in side):
            values = [side.get(name) for side in sides]
            if name not in (*SOFTWARE, *_UNCOMPARED) and (values[0] or "") != (values[1] or ""):
                rows.append({"system": system, "field": name, "old": values[0], "new": values[1]})
    return rows


def _compare_software(pairs: Iterable[DescriptionPair]) -> list[dict[str, Any]]:
    rows = []
    for system, before, after in pairs:
        sides = [dict(_list_software(each)) for each in (before, after)]
        for name in dict.fromkeys(name for side in sides for name in side):
            values = [side.get(name) for side in sides]
            if values[0] != values[1]:
                rows.append({"system": system, "software": name, "old": values[0], "new": values[1]})
    return rows


def _read_fields(description: Description) -> dict[str, str]:
    """The fields as text."""
    return {name: description.text(name) for name in description.members}


def _list_software(description: Description) -> Iterator[tuple[str, str]]:
    """Framework, operating system, and each version that the stack names."""
    for name in SOFTWARE:
        member = description.members.get(name)
        value = None if member is None else member.value
        if isinstance(value, dict):
            yield from ((str(key), str(version)) for key, version in value.items())
        elif isinstance(value, list):
            yield name, ", ".join(str(each) for each in value)
        elif value:
            yield name, str(value).strip()


def _compare_hyperparameters(pairs: Iterable[ResultPair], rules: str | None) -> list[dict[str, Any]]:
    """The keys that differ in one of the pairs, by the rules of the new round.

    What the rules do not know and each run logs differently is a measurement, not a setting.
    """
    from mlperf_logging.analysis.hyperparameters import UNKNOWN, tabulate_hyperparameters

    rows = []
    for pair in pairs:
        if not pair.is_complete:
            continue
        # the rules are those of the first
        given = [
            run.rows._replace(run={"benchmark": pair.benchmark, "submitter": side})
            for side, result in reversed(pair.sides)
            for run in (result.runs if result is not None else ())
        ]
        table = tabulate_hyperparameters(given, rules=rules)
        by_key: dict[str, dict[str, Any]] = {}
        for row in table[table["differs"].fillna(value=False)].to_dict("records"):
            if row["freedom"] == UNKNOWN and _varies(row["key"], pair):
                continue
            shared = {"benchmark": pair.benchmark, "system": pair.system, "key": row["key"]}
            entry = by_key.setdefault(
                row["key"], {**shared, "freedom": row["freedom"], "rule": row["rule"] or None}
            )
            entry[row["submitter"]] = row["value"] if isinstance(row["value"], str) else None
            if row["breaks_rule"]:
                entry.setdefault("breaks_rule", []).insert(0, row["submitter"])
        rows += [each | {"breaks_rule": tuple(each.get("breaks_rule", ()))} for each in by_key.values()]
    return rows


def _varies(key: str, pair: ResultPair) -> bool:
    """Whether the runs of one side log different values of a key."""
    sides = [result.runs for _, result in pair.sides if result is not None]
    return any(len({repr(run.rows.hyperparameters.get(key)) for run in runs}) > 1 for runs in sides)
