"""Any log gives rows, tables, statistics and texts: values of any kind, keys in any order, times that jump.

Of the examples that `MLPERF_EXAMPLES` asks for (`make nightly`: 100,000) one in a hundred is tried: each makes
every table in every format.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import json_values

from mlperf_logging.analysis.analyses import ANALYSES, SERIES, AnalysisParameters, analyze_runs, list_doubts
from mlperf_logging.analysis.reading import ReadingParameters, read_rows
from mlperf_logging.analysis.tables import make_tables
from mlperf_logging.errors import UsageError
from mlperf_logging.reports.documents.analyze import describe_analyses
from mlperf_logging.reports.tables import Look, load_table_format
from tests.logs import mllog

KEYS = (
    "submission_benchmark",
    "submission_division",
    "submission_org",
    "submission_platform",
    "init_start",
    "init_stop",
    "run_start",
    "run_stop",
    "epoch_start",
    "epoch_stop",
    "block_start",
    "block_stop",
    "eval_start",
    "eval_stop",
    "eval_accuracy",
    "eval_error",
    "eval_target",
    "tracked_stats",
    "train_loss",
    "seed",
    "global_batch_size",
    "train_samples",
    "number_of_nodes",
    "accelerators_per_node",
    "max_sequence_length",
    "opt_name",
    "staging_start",
    "odd",
)
FIELDS = ("epoch_num", "samples_count", "step_num", "status", "metric", "first_epoch_num")
BENCHMARKS = ("resnet", "bert", "stable_diffusion", "maskrcnn", "unet3d", "dlrm", "gpt3", "unknown", None)
EXAMPLES = max(25, int(os.environ.get("MLPERF_EXAMPLES", "0")) // 100)
FEW = AnalysisParameters(resamples=9)

values = st.one_of(
    json_values,
    st.floats(0, 100),
    st.integers(0, 10**7),
    st.just({"throughput": 3.5}),
    st.sampled_from(["success", "closed", "open", "FID", "CLIP", "resnet", "\ud800", "$x_{"]),
)
records = st.tuples(
    st.sampled_from(KEYS),
    values,
    st.dictionaries(st.sampled_from(FIELDS), values, max_size=3),
    st.one_of(st.integers(0, 10**6), st.floats(0, 1e15)),
)


def write_log(folder: str, events: list[tuple[str, Any, dict[str, Any], float]]) -> str:
    """Write records to a log, sometimes with values that only Python's JSON reader takes."""
    path = Path(folder) / "result_0.txt"
    path.write_bytes(b"".join(mllog(key, value, time, **meta) for key, value, meta, time in events))
    return str(path)


@settings(max_examples=EXAMPLES)
@given(
    logs=st.lists(st.lists(records, max_size=25), min_size=1, max_size=3),
    benchmark=st.sampled_from(BENCHMARKS),
    target=st.sampled_from([None, "value >= 0.5", "value.FID <= 90 and value[1] > 0"]),
)
def test_any_log_gives_tables(
    logs: list[list[tuple[str, Any, dict[str, Any], float]]], benchmark: str | None, target: str | None
) -> None:
    """Whatever logs hold, every table is made, and comes out as text, JSON, CSV and Markdown."""
    rows, parameters = [], ReadingParameters(target=target, series=("*",))
    with TemporaryDirectory() as folder:
        for log in logs:
            named = [("submission_benchmark", benchmark, {}, 0.0)] if benchmark else []
            rows.append(read_rows(write_log(folder, [*named, *log]), parameters))
    tables = make_tables(rows)
    made = {}
    for name in (*ANALYSES, SERIES):
        try:
            made |= analyze_runs(tables, [name], FEW)
        except UsageError as trouble:
            assert "how many accelerators" in str(trouble)

    assert len(tables.runs) == len(logs)
    doubts = list_doubts(tables, FEW)
    for width in (None, 30, 80):
        shown = describe_analyses(made, FEW, doubts, for_people=True)
        assert load_table_format("text")().render(shown, Look(width))
    encoded = load_table_format("json")().render(describe_analyses(made, FEW, doubts), Look())
    assert len(json.loads(encoded)["runs"]) == len(logs)
    for form in ("csv", "markdown", "parquet"):
        for name, table in made.items():
            document = describe_analyses({name: table}, FEW, doubts)
            assert load_table_format(form)().render(document, Look())
