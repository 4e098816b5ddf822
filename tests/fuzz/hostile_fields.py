"""Each field that a command reads, with each value that it may not expect: a tree of logs, one field spoiled in each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from checkout import PROJECT
from side_files import SIDE_FILES

EXAMPLE = PROJECT / "examples/submission/Example_Lab"
CLEAN = EXAMPLE / "results/example_8x/llama2_70b_lora"
BENCHMARK, CLEAN_SYSTEM = CLEAN.name, "clean"

VALUES = {
    "400 digits": "9" * 400,
    "5,000 digits": "9" * 5_000,
    "-400 digits": "-" + "9" * 400,
    "65 bits": "18446744073709551616",
    "1e400": "1e400",
    "NaN": "NaN",
    "-Infinity": "-Infinity",
    "most negative": "-1.7e308",
    "smallest": "5e-324",
    "zero": "0",
    "negative": "-1",
    "null": "null",
    "true": "true",
    "list": "[]",
    "nested list": '[1, [null, {"a": 1e400}]]',
    "object": '{"a": 1}',
    "empty object": "{}",
    "deep lists": "[" * 900 + "]" * 900,
    "deep objects": '{"a":' * 90 + "1" + "}" * 90,
    "text": '"text"',
    "empty text": '""',
    "text of 1 MB": '"' + "x" * (1 << 20) + '"',
    "number as text": '"nan"',
    "huge number as text": '"1e400"',
    "lone surrogate": '"\\ud800"',
    "mathtext": '"$x^{$"',
    "escapes": '"\\u001b]0;title\\u0007\\u001b[31mred"',
    "raw control characters": '"\x1b[31m\x00"',
    "bidi": '"\\u202eabc\\u2066"',
    "formula =": '"=1+1"',
    "formula +": '"+1"',
    "formula -": '"-1+1"',
    "formula @": '"@SUM(1)"',
    "line breaks": '"a\\r\\n::error::b\\u2028c"',
    "markup": '"<b>|`]]>&"',
    "path": '"../../../etc/passwd"',
}
"""JSON texts, and some that only lenient readers take."""

NAMES = ("\udcff\udcfe", "\x1b[31m\r\n::error::", "$x^{$", "=1+1", "\u202e")
"""Names of folders and files, the first of which is not UTF-8."""

SPOILED = "@spoiled@"
"""Stands for the hostile value while the rest is written as JSON."""

_RECORD_FIELDS = ("key", "time_ms", "event_type", "namespace", "metadata")
_RECORDS = ("run_start", "run_stop", "eval_accuracy", "block_start", "seed", "tracked_stats", "init_start")
_KEYS = (
    *("submission_benchmark", "submission_division", "submission_org", "submission_platform"),
    *("submission_status", "submission_ruleset", "seed", "run_set_random_seed", "global_batch_size"),
    *("train_samples", "eval_samples", "max_sequence_length", "number_of_nodes", "accelerators_per_node"),
    *("gradient_accumulation_steps", "opt_name", "opt_base_learning_rate", "opt_learning_rate_warmup_steps"),
    *("max_steps", "lora_rank", "run_start", "run_stop", "init_stop", "epoch_start", "epoch_stop"),
    *("block_start", "block_stop", "eval_start", "eval_stop", "staging_start", "eval_accuracy", "eval_error"),
    *(
        "aggregated_eval_accuracy",
        "averaged_validation_loss",
        "target_accuracy",
        "tracked_stats",
        "train_loss",
    ),
    *("model_layers", "power_reading"),
)
_METADATA = {
    "run_start": ("file", "samples_count"),
    "run_stop": ("status", "file", "lineno", "samples_count", "epoch_num", "step_num"),
    "seed": ("file", "lineno"),
    "cache_clear": ("file",),
    "block_start": ("first_epoch_num", "epoch_count", "samples_count", "step_num", "epoch_num"),
    "block_stop": ("first_epoch_num", "samples_count"),
    "epoch_start": ("epoch_num",),
    "eval_start": ("epoch_num", "samples_count"),
    "eval_accuracy": ("epoch_num", "samples_count", "step_num", "step", "metric", "iteration", "file"),
    "tracked_stats": ("epoch_num", "samples_count", "train_samples", "step", "curr_global_step"),
    "train_loss": ("samples_count", "step_num"),
    "opt_base_learning_rate": ("tensor", "method", "timestamp"),
}


class Field(NamedTuple):
    """A field of a log, a system's description, ``scaling.json`` or a power log.

    Attributes:
        file: "log", "system", "scaling" or "power".
        key: key of the record that has it; of the other files the name of the field.
        path: its place within the record.
    """

    file: str
    key: str
    path: tuple[str, ...] = ()


def list_fields() -> list[Field]:
    """All fields that are spoiled."""
    described = json.loads(SIDE_FILES["system.json"])
    return [
        *[Field("log", key, ("value",)) for key in _KEYS],
        *[Field("log", key, (name,)) for key in _RECORDS for name in _RECORD_FIELDS],
        *[Field("log", key, ("metadata", name)) for key, names in _METADATA.items() for name in names],
        *[Field("log", "tracked_stats", ("value", name)) for name in ("throughput", "loss", "$x^{$")],
        *[Field("log", "eval_accuracy", ("value", "AP"))],
        *[Field("system", name) for name in described],
        *[Field("scaling", "scaling_factor"), Field("scaling", "")],
        *[Field("power", key, (name,)) for key in _POWER_KEYS for name in ("key", "value", "time_ms")],
    ]


_POWER_KEYS = ("power_measurement_start", "power_reading", "conversion_eff", "power_measurement_stop")


class Tree:
    """A submitter's folder: a clean result, and one system for each spoiled field.

    Attributes:
        folder: the submitter's folder.
        counts: number of lines of each log, by its path.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.counts: dict[str, int] = {}
        self._system = SIDE_FILES["system.json"]
        self._lines = _add_records((CLEAN / "result_0.txt").read_text("utf-8").splitlines())
        self._write_system(CLEAN_SYSTEM)
        for number in range(10):
            self._write_log(CLEAN_SYSTEM, number, (CLEAN / f"result_{number}.txt").read_bytes())
        readings = (CLEAN / "power/result_0/node_0.txt").read_bytes()
        for number in range(2):
            self._write(f"results/{CLEAN_SYSTEM}/{BENCHMARK}/power/result_{number}/node_0.txt", readings)
        for name in NAMES:
            self._write_system(f"named {name}")
            self._write_log(f"named {name}", f"0{name}", (CLEAN / "result_0.txt").read_bytes())
            self._write(f"results/named {name}/{BENCHMARK}/power/result_0{name}/node_{name}.txt", readings)

    def add(self, field: Field, values: Sequence[str], clean_count: int = 0) -> None:
        """Add a system with a log for each value of a field, and so many clean logs besides."""
        if field.file in ("system", "scaling"):
            for value in values:
                self._add_described(field, value)
            return
        system = f"{len(list((self.folder / 'systems').iterdir()))}_{field.key}_{field.path[-1]}".replace(
            "$", ""
        )
        self._write_system(system)
        for number, value in enumerate(values):
            self._write_log(system, number, self._spoil_log(field, value))
            if field.file == "power":
                self._write_power(system, number, field, value)
        for number in range(clean_count):
            self._write_log(system, len(values) + number, (CLEAN / f"result_{number}.txt").read_bytes())

    def _add_described(self, field: Field, value: str) -> None:
        name = f"{len(list((self.folder / 'systems').iterdir()))}_{field.file}"
        described = json.loads(self._system)
        if field.file == "system":
            described[field.key] = SPOILED
        self._write_system(name, described, value)
        for number in range(2):
            self._write_log(name, number, (CLEAN / f"result_{number}.txt").read_bytes())
        if field.file == "scaling":
            text = json.dumps({"scaling_factor": SPOILED} if field.key else SPOILED)
            self._write(f"results/{name}/{BENCHMARK}/scaling.json", _put(text, value))

    def _spoil_log(self, field: Field, value: str) -> bytes:
        if field.file == "power":
            return "\n".join([*self._lines, ""]).encode()
        lines = list(self._lines)
        for place, line in enumerate(lines):
            before, marker, text = line.partition(":::MLLOG ")
            record = json.loads(text) if marker else {}
            if record.get("key") == field.key:
                lines[place] = before + marker + _put(json.dumps(_set(record, field.path)), value)
                if field.key not in ("eval_accuracy", "tracked_stats"):
                    break
        else:
            if field.key not in ("eval_accuracy", "tracked_stats"):
                raise AssertionError(f"the log has no {field.key}")
        return "\n".join([*lines, ""]).encode("utf-8", "surrogatepass")

    def _write_power(self, system: str, number: int, field: Field, value: str) -> None:
        lines = (CLEAN / "power/result_0/node_0.txt").read_text("utf-8").splitlines()[:8]
        records = [json.loads(line.partition(":::MLLOG ")[2]) for line in lines]
        for key in _POWER_KEYS:
            if not any(record["key"] == key for record in records):
                records.append({**records[-1], "key": key, "value": 1})
        place = next(place for place, record in enumerate(records) if record["key"] == field.key)
        records[place] = _set(records[place], field.path)
        text = "".join(f":::MLLOG {_put(json.dumps(record), value)}\n" for record in records)
        self._write(f"results/{system}/{BENCHMARK}/power/result_{number}/node_0.txt", text)

    def _write_system(self, name: str, described: dict[str, Any] | None = None, value: str = "") -> None:
        described = described or {**json.loads(self._system), "system_name": name}
        self._write(f"systems/{name}.json", _put(json.dumps(described), value))

    def _write_log(self, system: str, number: int | str, content: bytes) -> None:
        name = f"results/{system}/{BENCHMARK}/result_{number}.txt"
        self._write(name, content)
        self.counts[str(self.folder / name)] = content.count(b"\n") + 1

    def _write(self, name: str, content: str | bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))


def spoil_side_file(name: str) -> Iterator[tuple[str, str]]:
    """Each value in a YAML, TOML or JSON file replaced by `SPOILED`: its place, and the text of the whole as JSON or TOML."""
    text = SIDE_FILES[name]
    if name.endswith(".toml"):
        for line in text.splitlines():
            key = line.partition(" = ")[0]
            yield (
                key,
                "".join(f"{each}\n" for each in text.splitlines() if each != line) + f"{key} = {SPOILED}\n",
            )
        return
    document = yaml.safe_load(text)
    for path in _list_places(document):
        yield ".".join(map(str, path)), json.dumps(_set(document, path), default=str)


def put_value(text: str, value: str) -> str:
    """The text with the hostile value in the place of `SPOILED`."""
    return _put(text, value).replace(SPOILED, value)


def _list_places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from _list_places(part, (*path, name))


def _set(value: Any, path: tuple[Any, ...]) -> Any:
    """A copy of nested objects and lists with `SPOILED` at one place; objects on the way are made."""
    if not path:
        return SPOILED
    name, *rest = path
    if isinstance(value, list):
        return [*value[:name], _set(value[name], tuple(rest)), *value[name + 1 :]]
    value = value if isinstance(value, dict) else {}
    return {**value, name: _set(value.get(name), tuple(rest))}


def _put(text: str, value: str) -> str:
    return text.replace(json.dumps(SPOILED), value)


def _add_records(lines: list[str]) -> list[str]:
    """The lines of a log, and before its end a record for each key that it lacks."""
    records = [json.loads(line.partition(":::MLLOG ")[2]) for line in lines if ":::MLLOG " in line]
    logged = {record["key"] for record in records}
    wanted = [*_KEYS, *_RECORDS, *_METADATA]
    more = [
        {
            **records[-2],
            "key": key,
            "value": 1 + turn,
            "metadata": {"file": "a.py", "lineno": 1, "step_num": turn},
        }
        for key in dict.fromkeys(wanted)
        if key not in logged or key == "train_loss"
        for turn in range(2)
    ]
    return [*lines[:-1], *[f":::MLLOG {json.dumps(record)}" for record in more], lines[-1]]
