"""The schema that editors use knows every rule file."""

from __future__ import annotations

import json

import jsonschema
import pytest
import yaml
from checkout import PROJECT

RULES = PROJECT / "compliance_rules"
VOCABULARY = {"codes.yaml", "keys.yaml"}
SCHEMA = jsonschema.Draft202012Validator(json.loads((RULES / "schema.json").read_text("utf-8")))


def load(text: str) -> object:
    """A rule file as JSON has it: keys are texts."""
    return json.loads(json.dumps(yaml.safe_load(text)))


def test_rule_files_fit_the_schema() -> None:
    """Rounds, benchmarks, reference points and suites are as the schema describes them."""
    files = [path for path in RULES.rglob("*.yaml") if path.name not in VOCABULARY]
    errors = {
        path.relative_to(RULES).as_posix(): [
            error.message for error in SCHEMA.iter_errors(load(path.read_text("utf-8")))
        ]
        for path in files
    }

    assert len(files) > 60
    assert {name: messages for name, messages in errors.items() if messages} == {}


@pytest.mark.parametrize(
    "text",
    [
        "benchmarks: {knitting: {points: {big: {converged_at: [1]}}}}",
        "benchmarks: {knitting: {points: {64: {converged_at: []}}}}",
        "benchmarks: {knitting: {unit: miles}}",
        "title: t\nbenchmarks: {knitting: {weight: 2}}",
        "title: t\nscore: best\nbenchmarks: {knitting: {reference_seconds: 2}}",
        "benchmark: knitting\nruns: {required: 5}",
    ],
)
def test_schema_refuses_what_the_reader_refuses(text: str) -> None:
    """The schema is no sieve with holes: what is wrong in points, suites and runs does not fit."""
    assert list(SCHEMA.iter_errors(load(text)))
