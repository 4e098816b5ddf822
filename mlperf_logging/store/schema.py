"""The tables of a store: every column with its type, unit and meaning. The database and the page about it are made of this.

A log is what it says, not where it stands: its id is a checksum of its bytes, and the table of places says where it was
seen. How far training had come, whether a target was met and what a log breaks depend on the round that judged, so these
rows also name the round: one log in the folders of two rounds is judged by both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mlperf_logging.analysis.columns import EVALUATION_COLUMNS, RUN_COLUMNS
from mlperf_logging.tables import COUNT, FLAG, NUMBER, TEXT, Column

SCHEMA_NAME, SCHEMA_VERSION = "mlperf-store", 1
"""What the tables are as a whole, and the number that grows with every change of them."""

_TEXT, _NUMBER, _COUNT, _FLAG = "VARCHAR", "DOUBLE", "BIGINT", "BOOLEAN"
_TIME = "TIMESTAMP"
_TYPES = {TEXT: _TEXT, NUMBER: _NUMBER, COUNT: _COUNT, FLAG: _FLAG}

_UNITS = {
    "_ms": "ms",
    "_minutes": "min",
    "_seconds": "s",
    "_kj": "kJ",
    "samples_per_second": "samples/s",
    "_samples": "samples",
    "samples": "samples",
    "batch_size": "samples",
    "samples_to_quality": "samples",
    "epochs_to_quality": "epochs",
    "epochs": "epochs",
    "minutes": "min",
    "models_per_minute": "1/min",
}
"""What the names of columns end in, and the unit that this says."""


@dataclass(frozen=True)
class StoreColumn:
    """A column: name, type of DuckDB, meaning, and the unit of its numbers; where it is not given, that of its name."""

    name: str
    type: str
    meaning: str
    unit: str = ""

    def __post_init__(self) -> None:
        if not self.unit and self.type == _NUMBER:
            unit = next((unit for end, unit in _UNITS.items() if self.name.endswith(end)), "")
            object.__setattr__(self, "unit", unit)

    @property
    def comment(self) -> str:
        """What the database says of it."""
        return f"{self.meaning} [{self.unit}]" if self.unit else self.meaning


@dataclass(frozen=True)
class StoreTable:
    """A table.

    Attributes:
        name: its name.
        meaning: what a row is.
        columns: the columns, in order.
        key: columns that together identify a row.
        references: columns whose values are keys of another table, and that table.
        enforced: whether the database itself refuses a second row of a key. Where rows are many, the index would take
            longer than all else; `mlperf store check` looks instead.
    """

    name: str
    meaning: str
    columns: tuple[StoreColumn, ...]
    key: tuple[str, ...]
    references: tuple[tuple[tuple[str, ...], str], ...] = ()
    enforced: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple([column.name for column in self.columns])


def _take_analyzed(columns: Mapping[str, Column], *left_out: str) -> tuple[StoreColumn, ...]:
    """Columns of `mlperf analyze`, which mean the same here."""
    kept = [column for name, column in columns.items() if name not in left_out]
    return tuple([StoreColumn(each.name, _TYPES[each.kind], each.meaning) for each in kept])


_LOG_ID = StoreColumn("log_id", _TEXT, "the log: SHA-256 of its bytes, after decompression")
_RUN = StoreColumn(
    "run", _COUNT, "number of the run in its log, from 1; 0: the log as a whole, where it holds several"
)
_RULESET = StoreColumn("ruleset", _TEXT, "round that judged, as usage/round; empty where none could")
_POSITION = StoreColumn("position", _COUNT, "number of the row in its run, from 1")
_LINE = StoreColumn("line", _COUNT, "line in the log, from 1")
_COLUMN_BYTE = StoreColumn("column_byte", _COUNT, "byte in the line, from 1")
_KEY = StoreColumn("key", _TEXT, "log key")
_MADE_BY = StoreColumn(
    "made_by", _TEXT, "version of the toolkit, and checksum of the rules, that made the row"
)
_FOLDER = StoreColumn(
    "folder", _TEXT, "the result folder: the place of all runs of one benchmark on one system"
)
_SUBMITTER = StoreColumn("submitter", _TEXT, "submitter, by the folder above results/")
_SYSTEM = StoreColumn("system", _TEXT, "system, by the folder below results/")
_SCALING = StoreColumn(
    "scaling", _TEXT, "strong, or weak: many models trained at once; NULL where no folder says"
)
_DESCRIPTION = StoreColumn("description_place", _TEXT, "place of the system's description; NULL without one")
_BENCHMARK = StoreColumn("benchmark", _TEXT, "benchmark that the runs agree on; NULL where they do not")
_DIVISION = StoreColumn("division", _TEXT, "closed or open; NULL where the runs do not agree")
_INPUTS = StoreColumn("inputs", _TEXT, "SHA-256 of all that the row was computed from")

LOGS = StoreTable(
    "logs",
    "one row per log, however often it was seen",
    (
        _LOG_ID,
        StoreColumn("bytes", _COUNT, "length after decompression", "bytes"),
        StoreColumn("dialect", _TEXT, "log dialect; NULL where it contains no event"),
        StoreColumn("events", _COUNT, "records that could be read, of all dialects"),
        StoreColumn("unstored_events", _COUNT, "those beyond what is stored of one log"),
        StoreColumn("problems", _COUNT, "records that could not be read as written, or only with a doubt"),
        StoreColumn("runs", _COUNT, "runs that it holds"),
        _MADE_BY,
    ),
    ("log_id",),
)

PLACES = StoreTable(
    "places",
    "one row per place where a log was last seen: a file, a member of an archive, a file at a revision, an address",
    (
        StoreColumn("place", _TEXT, "absolute path, ARCHIVE!PATH, REPOSITORY@REVISION:PATH, or URL"),
        _LOG_ID,
        _RULESET,
        StoreColumn("ruleset_reason", _TEXT, "why that round: the folders above a log are a clue"),
        _FOLDER,
        _SUBMITTER,
        _SYSTEM,
        _SCALING,
        _DESCRIPTION,
        StoreColumn("energy_kj", _NUMBER, "energy of the run, where power was measured"),
        StoreColumn("kept", _FLAG, "whether it is one of the runs that the folder's score is the mean of"),
        StoreColumn("asked", _TEXT, "options by which it was judged, such as --ruleset; empty without"),
        _MADE_BY,
        StoreColumn("stored_at", _TIME, "when the row was written, in UTC"),
    ),
    ("place",),
    ((("log_id",), "logs"), (("log_id", "ruleset"), "runs"), (("description_place",), "systems")),
)

RUNS = StoreTable(
    "runs",
    "one row per run and round that judged it: who, what, how long, how far, and the verdict",
    (
        _LOG_ID,
        _RUN,
        _RULESET,
        StoreColumn("usage", _TEXT, "training, hpc, or another usage that has rulesets"),
        StoreColumn("round", _TEXT, "the round without its usage"),
        StoreColumn("verdict", _TEXT, "pass, fail, or error: it could not be judged"),
        StoreColumn("errors", _COUNT, "findings that are errors"),
        StoreColumn("warnings", _COUNT, "findings that are warnings"),
        StoreColumn("counts", _FLAG, "whether it has a score: compliant, successful, and timed"),
        StoreColumn(
            "compliant_under",
            _TEXT,
            "where it failed: other rounds under which it is compliant, newest first",
        ),
        StoreColumn("benchmark", _TEXT, "benchmark as logged"),
        StoreColumn("division", _TEXT, "closed or open, as logged"),
        StoreColumn("org", _TEXT, "submission_org, as logged"),
        StoreColumn("platform", _TEXT, "submission_platform, as logged"),
        StoreColumn("availability", _TEXT, "submission_status, as logged: onprem, cloud, …"),
        StoreColumn(
            "line", _COUNT, "line in the log where the run begins, from 1; NULL for a log of one run"
        ),
        StoreColumn("start_ms", _NUMBER, "time of the first run_start, since 1970 in UTC"),
        StoreColumn("stop_ms", _NUMBER, "time of the last run_stop, since 1970 in UTC"),
        StoreColumn("started_at", _TIME, "time of the first run_start, in UTC; NULL where it is no date"),
        *_take_analyzed(
            RUN_COLUMNS,
            *("path", "benchmark", "submitter", "system", "division", "ruleset"),
            *("accelerator_model", "scaling"),
        ),
        StoreColumn("converged_epoch_num", _NUMBER, "epoch_num of the evaluation that the run stopped for"),
        StoreColumn("converged_samples_count", _NUMBER, "samples_count of that evaluation", "samples"),
        StoreColumn("converged_step_num", _NUMBER, "step_num of that evaluation", "steps"),
        StoreColumn(
            "trained_samples", _NUMBER, "samples trained on in all, as logged after run_start", "samples"
        ),
        StoreColumn("hyperparameters", _TEXT, "JSON object: last logged value of every other key"),
        _MADE_BY,
    ),
    ("log_id", "run", "ruleset"),
    ((("log_id",), "logs"),),
)

EVENTS = StoreTable(
    "events",
    "one row per record of a log, as logged",
    (
        _LOG_ID,
        StoreColumn("position", _COUNT, "number of the record in its log, from 1"),
        StoreColumn("run", _COUNT, "number of the run in its log, from 1"),
        _LINE,
        _COLUMN_BYTE,
        StoreColumn("time_ms", _NUMBER, "when it was logged, since 1970 in UTC; NULL where it does not say"),
        StoreColumn(
            "event_type", _TEXT, "POINT_IN_TIME, INTERVAL_START or INTERVAL_END; NULL in old dialects"
        ),
        _KEY,
        StoreColumn("value", _TEXT, "value as JSON; NULL where nothing was logged"),
        StoreColumn(
            "value_number", _NUMBER, "the value, where it is a finite number or true (1) or false (0)"
        ),
        StoreColumn("metadata", _TEXT, "metadata as a JSON object; NULL where it is empty"),
        StoreColumn("epoch_num", _NUMBER, "epoch_num of the metadata"),
        StoreColumn("samples_count", _NUMBER, "samples_count of the metadata", "samples"),
        StoreColumn("step_num", _NUMBER, "step_num of the metadata", "steps"),
        StoreColumn("namespace", _TEXT, "namespace as logged; as JSON where it is no text"),
        StoreColumn("dialect", _TEXT, "log dialect"),
    ),
    ("log_id", "position"),
    ((("log_id",), "logs"),),
    enforced=False,
)

EVALUATIONS = StoreTable(
    "evaluations",
    "one row per metric of each evaluation of a run",
    (
        _LOG_ID,
        _RUN,
        _RULESET,
        _POSITION,
        *_take_analyzed(EVALUATION_COLUMNS, "path", "benchmark", "submitter", "system", "seed"),
    ),
    ("log_id", "run", "ruleset", "position"),
    ((("log_id", "run", "ruleset"), "runs"),),
    enforced=False,
)

FINDINGS = StoreTable(
    "findings",
    "one row per thing that a run does against the rules, or that deserves a look",
    (
        _LOG_ID,
        _RUN,
        _RULESET,
        _POSITION,
        StoreColumn("code", _TEXT, "MLPxxx, the kind of finding"),
        StoreColumn("rule", _TEXT, "id of the rule"),
        StoreColumn("severity", _TEXT, "error or warning"),
        StoreColumn("key", _TEXT, "log key that is blamed"),
        StoreColumn("line", _COUNT, "line in the log, from 1; NULL where something is missing"),
        _COLUMN_BYTE,
        StoreColumn("message", _TEXT, "what was expected and what was found, in a sentence"),
        StoreColumn("expected", _TEXT, "what the rule requires, in short"),
        StoreColumn("found", _TEXT, "what the log contains, in short"),
        StoreColumn("source", _TEXT, "where the rule comes from"),
        StoreColumn("hint", _TEXT, "how to fix it"),
        StoreColumn("excerpt", _TEXT, "the record that is blamed"),
    ),
    ("log_id", "run", "ruleset", "position"),
    ((("log_id", "run", "ruleset"), "runs"),),
    enforced=False,
)

_OF_A_FOLDER = (
    _FOLDER,
    _BENCHMARK,
    _DIVISION,
    _RULESET,
    StoreColumn("ruleset_reason", _TEXT, "why that round"),
    _SUBMITTER,
    _SYSTEM,
    _SCALING,
    _DESCRIPTION,
    StoreColumn("runs", _COUNT, "runs in the folder"),
    StoreColumn("runs_required", _COUNT, "runs that a result needs"),
)

SCORES = StoreTable(
    "scores",
    "one row per result folder: its score, as mlperf score gives it",
    (
        *_OF_A_FOLDER,
        StoreColumn("non_compliant", _COUNT, "runs that do not count"),
        StoreColumn(
            "accelerators",
            _NUMBER,
            "accelerators as logged, else by the description; nodes if there are none",
        ),
        StoreColumn("method", _TEXT, "olympic, median-window, median or throughput"),
        StoreColumn("score_minutes", _NUMBER, "time to train; NULL where there is no score"),
        StoreColumn("unscaled_minutes", _NUMBER, "time to train before scaling"),
        StoreColumn(
            "scaling_factor", _NUMBER, "what the score is multiplied by: that of scaling.json, else 1"
        ),
        StoreColumn("median_minutes", _NUMBER, "median of the runs that count"),
        StoreColumn("fastest_minutes", _NUMBER, "fastest run that counts"),
        StoreColumn("slowest_minutes", _NUMBER, "slowest run that counts"),
        StoreColumn(
            "energy_kj", _NUMBER, "energy of the runs that the mean is of, scaled as the score is", "kJ"
        ),
        StoreColumn("throughput_minutes", _NUMBER, "time in which several models were trained at once"),
        StoreColumn("models", _COUNT, "models that were trained at once"),
        StoreColumn("models_per_minute", _NUMBER, "models trained in a minute"),
        StoreColumn("accelerators_per_model", _NUMBER, "accelerators that each of them was trained on"),
        StoreColumn("problems", _TEXT, "why there is no score; JSON list"),
        StoreColumn("notes", _TEXT, "what a reader of the score should know; JSON list"),
        _INPUTS,
        _MADE_BY,
    ),
    ("folder",),
)

RCP = StoreTable(
    "rcp",
    "one row per result folder: the test of convergence, as mlperf rcp gives it",
    (
        *_OF_A_FOLDER,
        StoreColumn("passed", _FLAG, "whether the convergence is acceptable; NULL where it is not tested"),
        StoreColumn("reason", _TEXT, "why, why not, or why it is not tested"),
        StoreColumn("method", _TEXT, "check: as the public checks compute"),
        StoreColumn("unit", _TEXT, "what convergence is counted in: epochs, samples or steps"),
        StoreColumn("batch_size", _NUMBER, "global batch size"),
        StoreColumn("match", _TEXT, "how the batch size was found: exact, interpolated, below or missing"),
        StoreColumn("normalisation", _NUMBER, "factor that the score must be multiplied by"),
        StoreColumn("submission_mean", _NUMBER, "olympic mean of where the runs converged, in unit"),
        StoreColumn("reference_mean", _NUMBER, "mean of the reference, in unit"),
        StoreColumn("reference_stdev", _NUMBER, "standard deviation of the reference, in unit"),
        StoreColumn("reference_min", _NUMBER, "smallest mean that the test does not reject, in unit"),
        StoreColumn("allowance", _NUMBER, "by how much a mean may be smaller than that, in unit"),
        StoreColumn("p_value", _NUMBER, "probability of so small a mean if it is the reference's algorithm"),
        StoreColumn("reference_runs", _COUNT, "runs that the reference counts as"),
        StoreColumn("submission_runs", _COUNT, "runs that the submission counts as"),
        _INPUTS,
        _MADE_BY,
    ),
    ("folder",),
    ((("folder",), "scores"),),
)

SYSTEMS = StoreTable(
    "systems",
    "one row per system description",
    (
        StoreColumn("description_place", _TEXT, "place of the file"),
        StoreColumn("system", _TEXT, "name of the system: that of the file"),
        StoreColumn("submitter", _TEXT, "submitter, by the folder"),
        StoreColumn("nodes", _NUMBER, "number_of_nodes"),
        StoreColumn("accelerators_per_node", _NUMBER, "accelerators_per_node"),
        StoreColumn("accelerators", _NUMBER, "accelerators in all; nodes if there are none"),
        StoreColumn("accelerator_model", _TEXT, "accelerator_model_name"),
        StoreColumn("system_name", _TEXT, "system_name"),
        StoreColumn("division", _TEXT, "division"),
        StoreColumn("status", _TEXT, "status: available, preview, research, …"),
        StoreColumn("host_processor_model", _TEXT, "host_processor_model_name"),
        StoreColumn("host_processors_per_node", _NUMBER, "host_processors_per_node"),
        StoreColumn("framework", _TEXT, "framework"),
        StoreColumn("operating_system", _TEXT, "operating_system"),
        StoreColumn(
            "description", _TEXT, "the whole description as a JSON object; NULL where it cannot be read"
        ),
        _MADE_BY,
    ),
    ("description_place",),
)

TABLES = (LOGS, PLACES, RUNS, EVENTS, EVALUATIONS, FINDINGS, SCORES, RCP, SYSTEMS)
"""All tables, in the order in which a reader meets them."""

BY_NAME = {table.name: table for table in TABLES}

VIEW_NAME = "submitted_runs"
VIEW_MEANING = (
    "one row per run and place: runs with who submitted them on what, under the names of mlperf analyze"
)
VIEW_SELECT = """\
SELECT places.place AS path, places.folder,
    coalesce(places.submitter, runs.org) AS submitter, coalesce(places.system, runs.platform) AS system,
    runs.* EXCLUDE (accelerators, nodes, made_by),
    coalesce(nullif(runs.accelerators, 0), systems.accelerators) AS accelerators,
    coalesce(nullif(runs.nodes, 0), systems.nodes) AS nodes,
    systems.accelerator_model, places.scaling, places.energy_kj, places.kept
FROM places JOIN runs USING (log_id, ruleset) LEFT JOIN systems USING (description_place)"""
"""The view that saves nearly every question its two joins."""
