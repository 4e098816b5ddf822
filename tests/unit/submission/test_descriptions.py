"""System descriptions: every rule by its own examples, places in the file, and what rounds change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from checkout import BUNDLED_RULES

from mlperf_logging.errors import RuleError
from mlperf_logging.rules.beside import RoundData
from mlperf_logging.rules.files import RuleFiles
from mlperf_logging.rules.repository import RuleRepository, open_rules
from mlperf_logging.submission.description_fields import DESCRIPTIONS, load_description_fields
from mlperf_logging.submission.descriptions import check_system_description
from mlperf_logging.submission.findings import PlacedFinding
from tests.unit.submission.descriptions import NEWEST, make_description, make_run, write_example

RULES = {
    name: code
    for name, code in open_rules().vocabulary().list_file_rules().items()
    if code.code.startswith("MLP7")
}
EXAMPLES = [
    (name, example, passes)
    for name, code in RULES.items()
    for examples, passes in ((code.passing, True), (code.failing, False))
    for example in examples
]


def check_example(tmp_path: Path, example: str) -> list[PlacedFinding]:
    """What is found in the description that an example means."""
    path = tmp_path / "box.json"
    return check_system_description(path, NEWEST, runs=write_example(path, example))


@pytest.mark.parametrize(("rule", "example", "passes"), EXAMPLES)
def test_rule_passes_and_fails_its_examples(tmp_path: Path, rule: str, example: str, passes: bool) -> None:
    """An example that a rule passes has no finding at all, and one that it fails exactly one, of that rule."""
    found = [each.finding.rule for each in check_example(tmp_path, example)]

    assert found == ([] if passes else [rule])


def test_good_description_has_no_finding(tmp_path: Path) -> None:
    """The description that all examples change is without a fault, and so is one that says nothing of optional facts."""
    path = tmp_path / "box.json"
    path.write_text(json.dumps(make_description()), "utf-8")

    assert check_system_description(path, NEWEST, runs=[make_run("seed=1")]) == []


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ('{\n  "cooling": "air"\n  "division": "open"\n}', (3, 3), "a comma or the closing }"),
        ('{"cooling": "air",\n}', (2, 1), "an extra comma"),
        ("{cooling: 1}", (1, 2), "double quotes"),
        ('{"cooling" "air"}', (1, 12), "a colon is missing"),
        ('{"cooling": "a\nb"}', (1, 15), "a line break"),
        ('{"cooling": "air', (1, 13), "no closing quote"),
        ('{"cooling": "C:\\dir"}', (1, 16), "backslash"),
        ('{"ü": 1, "cooling": air}', (1, 22), "this is not JSON: air}"),
        ('{"cooling": ' + "[" * 100_000, (1, 13), "nests too deep"),
        ('{"cooling": 1} {}', (1, 16), "something follows"),
        ("", (1, 1), "the end of the file"),
        ('\ufeff{"cooling": "air"}', (1, 1), "byte order mark"),
    ],
)
def test_fault_of_form_is_placed(tmp_path: Path, text: str, place: tuple[int, int], says: str) -> None:
    """What is no JSON is one finding with line and byte column, which says what is missing or too much there."""
    path = tmp_path / "box.json"
    path.write_text(text, "utf-8")

    ((_, finding),) = check_system_description(path, NEWEST)

    assert (finding.rule, finding.line, finding.column) == ("description-unreadable", *place)
    assert says in finding.message


def test_bytes_that_are_not_utf8_are_placed(tmp_path: Path) -> None:
    """A byte that is not UTF-8 is named with its place."""
    path = tmp_path / "box.json"
    path.write_bytes(b'{"cooling":\n"\xff"}')

    ((_, finding),) = check_system_description(path, NEWEST)

    assert (finding.rule, finding.line, finding.column) == ("description-unreadable", 2, 2)
    assert "0xff" in finding.message


def test_missing_file_is_a_finding(tmp_path: Path) -> None:
    """A file that is not there is unreadable, not an exception."""
    ((_, finding),) = check_system_description(tmp_path / "box.json", NEWEST)

    assert finding.rule == "description-unreadable"


def test_misspelled_field_is_one_finding_at_its_place(tmp_path: Path) -> None:
    """A required field under a wrong name is blamed where it stands, with the right name, and not as unknown as well."""
    path = tmp_path / "box.json"
    description = make_description()
    description["divison"] = description.pop("division")
    path.write_text(json.dumps(description, indent=2), "utf-8")

    ((_, finding),) = check_system_description(path, NEWEST)

    assert finding.rule == "description-field-missing"
    assert path.read_text("utf-8").splitlines()[finding.line - 1] == '  "divison": "closed"'  # type: ignore[operator]
    assert finding.column == 3
    assert finding.hint == "Did you mean 'division'?"


def test_value_is_blamed_at_its_own_place(tmp_path: Path) -> None:
    """A wrong value is placed at the value, and a near one is suggested."""
    found = check_example(tmp_path, '{"status": "Available cluod"}')

    assert [(each.finding.line, each.finding.column) for each in found] == [(1, 12)]
    assert found[0].finding.hint == 'Did you mean "Available cloud"?'


def test_logs_that_contradict_are_counted(tmp_path: Path) -> None:
    """Several logs that contradict a field are one finding, which names the first of them and counts the others."""
    path = tmp_path / "box.json"
    write_example(path, '{"number_of_nodes": "2"}')
    runs = [make_run("number_of_nodes=4"), make_run("number_of_nodes=2"), make_run("number_of_nodes=4")]

    ((_, finding),) = check_system_description(path, NEWEST, runs=runs)

    assert finding.message == (
        "'number_of_nodes' is \"2\", but result_0.txt and 1 other log logged number_of_nodes 4"
    )


@pytest.mark.parametrize("platform", ["8xH100", "16xH100-box", "2xBox", "Box", "H100x4"])
def test_number_in_a_name_may_be_of_accelerators(tmp_path: Path, platform: str) -> None:
    """The number before a system's name is not taken for nodes where it fits the accelerators of a node or of all."""
    found = check_example(tmp_path, f'{{"number_of_nodes": "2"}} submission_platform="{platform}"')

    assert found == []


def test_status_is_free_before_it_was_listed(tmp_path: Path) -> None:
    """Rounds before the list of values of status take any; the first round with the list does not."""
    path = tmp_path / "box.json"
    write_example(path, '{"status": "onprem"}')

    before, after = (
        [each.finding.rule for each in check_system_description(path, name)]
        for name in ("training/3.1.0", "training/4.0.0")
    )

    assert before == []
    assert after == ["description-value"]


def test_rounds_inherit_across_usages() -> None:
    """A round without a file of its own has the fields of the round that it extends, also of another usage."""
    before, after = (load_description_fields(open_rules(), name) for name in ("training/1.1.0", "hpc/2.0.0"))

    assert before == after
    assert len([field for field in before.fields.values() if not field.optional]) == 33


def test_oldest_round_has_no_fields(tmp_path: Path) -> None:
    """Where rules say nothing of descriptions, only the form is checked."""
    path = tmp_path / "entry.json"
    path.write_text('{"anything": 1}', "utf-8")

    assert check_system_description(path, "training/0.5.0") == []


def test_compiled_fields_are_those_of_the_files(built: Path) -> None:
    """An installation has the same fields and accelerators as the rule files say."""
    compiled = RuleRepository(built / BUNDLED_RULES)

    for entry in open_rules().index():
        assert load_description_fields(compiled, entry.name) == load_description_fields(
            open_rules(), entry.name
        )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("fields: {cooling: {optional: maybe}}", "must be true or false"),
        ("fields: {cooling: {kind: number}}", "'kind' must be one of"),
        ("fields: {cooling: {meaning: air or liquid}}", "repeats what the previous round says"),
        ("fields: {color: {optional: true}}", "needs 'meaning'"),
        ("fields: {cooling: {shape: round}}", "'shape' is not valid here"),
        ("remove: [color]", "removes 'color'"),
        ("accelerators: {NVIDIA: [A100]}", "knows 'A100'"),
    ],
)
def test_wrong_file_is_refused(tmp_path: Path, text: str, says: str) -> None:
    """A file of fields with a fault is a `RuleError` that says what is wrong."""
    source = Path(open_rules().folder)
    for folder in ("systems", "training"):
        (tmp_path / folder).mkdir()
        for file in (source / folder).glob("*.yaml"):
            (tmp_path / folder / file.name).write_text(file.read_text("utf-8"), "utf-8")
    (tmp_path / "systems" / "training-6.1.0.yaml").write_text(f"extends: 6.0.0\n{text}\n", "utf-8")

    with pytest.raises(RuleError, match=says):
        DESCRIPTIONS.resolve(RuleFiles(tmp_path), "training/6.1.0")


def test_a_kind_of_data_is_inherited_from_other_rules(tmp_path: Path) -> None:
    """Rules of one's own that extend a round have its fields, and may add to them."""
    (tmp_path / "house").mkdir()
    (tmp_path / "systems").mkdir()
    (tmp_path / "house" / "1.0.0.yaml").write_text("extends: training/6.1.0\ntitle: House\n", "utf-8")
    (tmp_path / "systems" / "house-1.0.0.yaml").write_text(
        "extends: training/6.1.0\nfields: {rack: {meaning: number of the rack}}\n", "utf-8"
    )

    fields = load_description_fields(RuleRepository(tmp_path), "house/1.0.0").fields

    assert "rack" in fields
    assert len(fields) == len(load_description_fields(open_rules(), "training/6.1.0").fields) + 1
    assert isinstance(DESCRIPTIONS, RoundData)
