"""The judge: how often, in which order, with which values, and what the whole log must show."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mlperf_logging.compliance import judge as judge_module
from mlperf_logging.compliance.findings import Finding
from mlperf_logging.events import Event
from mlperf_logging.rules.examples import read_events
from mlperf_logging.rules.rulesets import Ruleset
from tests.judging import judge_events

Judged = Callable[..., list[Finding]]
Round = Callable[..., Ruleset]


def brief(findings: list[Finding]) -> list[tuple[str, str, int | None]]:
    """Code, rule and line of each finding."""
    return [(finding.code, finding.rule.removeprefix("common."), finding.line) for finding in findings]


@pytest.mark.parametrize(
    ("cell", "events", "expected"),
    [
        ("logged", ["seed=1"], []),
        ("logged", [], [("MLP301", "seed", None)]),
        ("logged", ["seed=1", "seed=2"], [("MLP302", "seed", 2)]),
        ("logged", ["seed=1", "seed=1"], [("MLP303", "seed", 2)]),
        ("logged", ["seed=1", "seed=1", "seed=2", "seed=1"], [("MLP302", "seed", 4)]),
        ("any number", [], []),
        ("any number", ["seed=1", "seed=2"], []),
        ("at least one", [], [("MLP301", "seed", None)]),
        ("at least one", ["seed=1", "seed=2"], []),
        ("at least 2", [], [("MLP301", "seed", None)]),
        ("at least 2", ["seed=1"], [("MLP301", "seed", None)]),
        ("at least 2", ["seed=1", "seed=1"], []),
        ("at least one of this or max_steps", [], [("MLP301", "seed", None)]),
        ("at least one of this or max_steps", ["seed=1"], []),
        ("at least one of this or max_steps", ["max_steps=1"], []),
        ("at least one of this or max_steps", ["max_steps=1", "seed=1"], []),
    ],
)
def test_occurrence(cell: str, events: list[str], expected: object, judge_events: Judged) -> None:
    """A key is logged as often as its cell says; contradictions and repetitions have codes of their own."""
    assert brief(judge_events(f"seed: {cell}", *events)) == expected


@pytest.mark.parametrize(
    ("key", "codes"),
    [
        ("submission_org", ["MLP101", "MLP102", "MLP103"]),
        ("run_start", ["MLP101", "MLP102", "MLP103"]),
        ("eval_accuracy", ["MLP401", "MLP406", "MLP407"]),
        ("seed", ["MLP301", "MLP302", "MLP303"]),
        ("never_heard_of", ["MLP301", "MLP302", "MLP303"]),
    ],
)
def test_codes_of_occurrence_follow_the_group(key: str, codes: list[str], judge_events: Judged) -> None:
    """What is missing, contradicts itself or is repeated has the code of its group of keys."""
    logs = [[], [f"{key}=1", f"{key}=2"], [f"{key}=1", f"{key}=1"]]
    found = [judge_events(f"{key}: logged", *events)[0] for events in logs]
    assert [finding.code for finding in found] == codes
    assert [finding.severity for finding in found] == ["error", "error", "warning"]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("0", "0.0", True),
        ("1", "true", True),
        ("1", "1.5", False),
        ('"1"', "1", False),
        ("[0]", "[0.0]", True),
    ],
)
def test_values_are_compared_as_numbers(first: str, second: str, same: bool, judge_events: Judged) -> None:
    """A repetition with a value that equals the first is only a warning, however it is written."""
    (finding,) = judge_events("seed: logged", f"seed={first}", f"seed={second}")
    assert (finding.severity == "warning") is same


def test_repetition_names_the_values(judge_events: Judged) -> None:
    """Values that contradict each other are shown, the first five of them."""
    (finding,) = judge_events("seed: logged", *[f"seed={value}" for value in range(7)])
    assert finding.message == (
        "seed must be logged once but is logged 7 times, with different values: 0, 1, 2, 3, 4, …"
    )


def test_only_the_first_event_of_an_identity_key_is_judged(judge_events: Judged) -> None:
    """Of a key that starts with submission_ the value of the first event counts."""
    cells = 'submission_org: any number; value != ""\nseed: any number; value > 0'
    assert brief(judge_events(cells, 'submission_org="a"', 'submission_org=""')) == []
    assert brief(judge_events(cells, 'submission_org=""', 'submission_org="a"')) == [
        ("MLP104", "submission_org.value", 1)
    ]
    assert brief(judge_events(cells, "seed=1", "seed=0")) == [("MLP304", "seed.value", 2)]


def test_every_first_and_rest(judge_events: Judged) -> None:
    """A clause holds for each event, for the first only, or for all but the first."""
    events = ["seed=1", "seed=2", "seed=3"]
    assert brief(judge_events("seed: any number; value > 5", *events)) == [
        ("MLP304", "seed.value", 1),
        ("MLP304", "seed.value", 2),
        ("MLP304", "seed.value", 3),
    ]
    assert brief(judge_events("seed: any number; first value > 5", *events)) == [("MLP304", "seed.first", 1)]
    assert brief(judge_events("seed: any number; rest value == previous(value) + 2", *events)) == [
        ("MLP305", "seed.rest", 2),
        ("MLP305", "seed.rest", 3),
    ]


def test_target_is_reached_by_any_event(judge_events: Judged) -> None:
    """A target holds when one event reaches it; else the last event is blamed, once."""
    cell = "eval_accuracy: any number; reaches value >= 0.9"
    assert judge_events(cell, "eval_accuracy=0.95", "eval_accuracy=0.1") == []
    assert judge_events(cell, "eval_accuracy=0.1", "eval_accuracy=0.9") == []
    (finding,) = judge_events(cell, "eval_accuracy=0.1", "eval_accuracy=0.2")
    assert (finding.code, finding.line) == ("MLP403", 2)
    assert finding.message == "no eval_accuracy satisfies `value >= 0.9`; the last is 0.2"
    assert judge_events(cell) == []


def test_target_that_cannot_be_evaluated_is_reported(judge_events: Judged) -> None:
    """An event that the target cannot be evaluated on is an error, also when another reaches it."""
    cell = "eval_accuracy: any number; reaches value.BBOX >= 0.3"
    (finding,) = judge_events(cell, 'eval_accuracy={"BBOX": 0.4}', "eval_accuracy=0.4")
    assert finding.line == 2
    assert (
        finding.message == "eval_accuracy cannot be judged by `value.BBOX >= 0.3`: float has no field 'BBOX'"
    )


def test_end_looks_at_the_whole_log(judge_events: Judged) -> None:
    """A clause on the end of the log sees all that was logged, whatever the order."""
    cell = 'seed: any number; end count(seed) == (2 if logged(opt_name) == "lars" else 0)'
    assert judge_events(cell, "seed=1", 'opt_name="lars"', "seed=2") == []
    assert judge_events(cell, 'opt_name="sgd"') == []
    (finding,) = judge_events(cell, "seed=1", 'opt_name="lars"')
    assert (finding.code, finding.line, finding.key) == ("MLP305", None, "seed")
    assert "count(seed) is 1" in finding.message
    (finding,) = judge_events(cell)
    assert finding.message.endswith("here no opt_name is logged before it")


def test_state_is_what_earlier_events_made_it(judge_events: Judged) -> None:
    """An event is judged by the state before it, and acts on the state whether or not its rules held."""
    more = "state:\n  run_start: {started: true}\n  run_stop: {started: false, ended_at: meta.at}\n"
    cells = "run_start: any number; not state.started\nrun_stop: any number; state.started"
    assert judge_events(cells, "run_start", "run_stop", "run_start", more=more) == []
    found = judge_events(cells, "run_stop", "run_start", "run_start", "run_stop", more=more)
    assert brief(found) == [("MLP201", "run_stop.order", 1), ("MLP201", "run_start.order", 3)]


def test_state_word_keeps_its_value_where_an_event_lacks_the_field(judge_events: Judged) -> None:
    """A state word that cannot be computed from an event stays as it was."""
    more = "state:\n  initial: {last: 7}\n  epoch_start: {last: meta.epoch_num}\n"
    cells = "epoch_stop: any number; state.last == value"
    assert (
        judge_events(
            cells, "epoch_start", "epoch_stop=7", 'epoch_start {"epoch_num": 8}', "epoch_stop=8", more=more
        )
        == []
    )


def test_initial_state_is_false_unless_said(judge_events: Judged) -> None:
    """State words begin as the rule files say, else as false."""
    more = "state:\n  initial: {ready: true}\n  run_start: {started: true, ready: false}\n"
    assert judge_events("seed: any number; state.ready and state.started == false", "seed", more=more) == []


def test_each_log_has_its_own_state(small_round: Round) -> None:
    """Judging one log leaves nothing behind for the next, lists in the state included."""
    ruleset = small_round(
        "state:\n  initial: {all: []}\n  seed: {all: 'append(state.all, value)'}\n"
        "common:\n  seed: any number; length(state.all) < 2\n"
    )
    for _ in range(2):
        assert judge_events(ruleset, ruleset.table(None, None), read_events(("seed=1", "seed=2"))) == []


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (["run_start", "run_stop"], []),
        (["run_start", "run_stop", "run_start", "run_stop"], []),
        ([], []),
        (["run_start"], [(1, "the last run_start is never followed by run_stop")]),
        (["run_stop"], [(1, "there is no run_start before this run_stop")]),
        (
            ["run_start", "run_start", "run_stop"],
            [(2, "the run_start on line 1 is not followed by run_stop before this one")],
        ),
        (
            ["run_start", "run_stop", "run_stop", "run_start"],
            [
                (3, "there is no run_start before this run_stop"),
                (4, "the last run_start is never followed by run_stop"),
            ],
        ),
    ],
)
def test_alternating(events: list[str], expected: list[tuple[int, str]], judge_events: Judged) -> None:
    """Starts and stops that should alternate are blamed where the order breaks."""
    found = judge_events("run_start: alternating with run_stop", *events)
    assert [(finding.line, finding.message.partition("; ")[2]) for finding in found] == expected
    assert {finding.code for finding in found} <= {"MLP203"}


_THREE = "row_1/knit, row_1/purl, row_2/knit"


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        (["row_1/knit", "row_1/purl", "row_2/knit", "row_2/purl"], None),
        (["row_2/purl", "row_1/knit", "row_2/knit", "row_1/purl"], None),
        (["row_1/knit", "row_1/purl", "row_2/knit"], "missing: row_2/purl"),
        (["row_1/knit", "row_1/purl", "row_2/knit", "row_2/purl", "edge"], "unknown: edge"),
        (["row_1/knit", "row_1/knit", "row_1/purl", "row_2/knit", "row_2/purl"], "repeated: row_1/knit"),
        (["edge"], f"missing: {_THREE} and 1 more; unknown: edge"),
        (["a\nb", "x" * 500], f'missing: {_THREE} and 1 more; unknown: "a\\nb", "{"x" * 78}…'),
    ],
)
def test_names_are_each_wanted_once(tensors: list[str], said: str | None, small_round: Round) -> None:
    """Each name of a list is logged once, in any order; what is missing, unknown or repeated is named."""
    body = (
        'lists: {stitches: ["row_{1..2}/{knit,purl}"]}\n'
        "both:\n  weights_initialization: any number; each meta.tensor once in stitches\n"
    )
    ruleset = small_round("closed: {seed: any number}\n", knitting=body)
    log = [Event("weights_initialization", None, {"tensor": name}, 0, 1, 1, b"") for name in tensors]
    findings = judge_events(ruleset, ruleset.table("closed", "knitting"), log)
    if said is None:
        assert findings == []
    else:
        (finding,) = findings
        assert (finding.code, finding.rule) == ("MLP306", "knitting.weights_initialization.names")
        assert finding.message == (
            f"weights_initialization must log each of the 4 names once (meta.tensor); {said}"
        )


def test_events_are_joined_before_they_are_judged(small_round: Round) -> None:
    """Metrics of one evaluation, logged apart, make one event that the target is tested on."""
    body = (
        "join: {key: aggregated_eval_accuracy, of: eval_accuracy, by: step, name: metric}\n"
        "both:\n  aggregated_eval_accuracy: at least 2; reaches value.FID <= 90 and value.CLIP >= 0.15\n"
    )
    ruleset = small_round("closed: {seed: any number}\n", knitting=body)

    def judge(*events: str) -> list[Finding]:
        return judge_events(ruleset, ruleset.table("closed", "knitting"), read_events(events))

    one = ('eval_accuracy=95 {"step": 1, "metric": "FID"}', 'eval_accuracy=0.2 {"step": 1, "metric": "CLIP"}')
    two = ('eval_accuracy=80 {"step": 2, "metric": "FID"}', 'eval_accuracy=0.1 {"step": 2, "metric": "CLIP"}')
    three = (
        'eval_accuracy=80 {"step": 3, "metric": "FID"}',
        'eval_accuracy=0.2 {"step": 3, "metric": "CLIP"}',
    )
    assert judge(*one, *three) == []
    assert [finding.code for finding in judge(*one, *two)] == ["MLP403"]
    assert [finding.code for finding in judge(*three)] == ["MLP401"]


def test_two_keys_of_one_rule_are_counted_together(judge_events: Judged) -> None:
    """A cell for two keys is satisfied by an event of either."""
    cell = "eval_start|eval_stop: at least one; reaches value == 1"
    assert judge_events(cell, "eval_stop=1") == []
    assert judge_events(cell, "eval_start=1", "eval_stop=2") == []
    (finding,) = judge_events(cell, "eval_start=2")
    assert (finding.code, finding.key, finding.line) == ("MLP108", "eval_start", 1)
    (finding,) = judge_events(cell)
    assert finding.message == "eval_start or eval_stop is required but not logged"


@pytest.mark.parametrize(
    ("events", "codes"),
    [
        ([], ["MLP101"]),
        (["run_stop=1"], []),
        (["run_start=1", "run_stop=1"], ["MLP103"]),
        (["run_start=1", "run_stop=2"], ["MLP102"]),
        (["run_stop=1", "run_stop=2"], ["MLP102"]),
    ],
)
def test_two_keys_of_one_rule_may_be_wanted_once(
    events: list[str], codes: list[str], judge_events: Judged
) -> None:
    """A cell for two keys that wants one event compares the values of both keys."""
    assert [finding.code for finding in judge_events("run_start|run_stop: logged", *events)] == codes


def test_misspelled_key_is_suggested(judge_events: Judged) -> None:
    """A missing key that was logged under a name like it is reported with the line of that event."""
    (finding,) = judge_events("opt_name: logged", "seed=1", 'opt_nmae="sgd"')
    assert finding.hint == "Did you mean opt_name? Line 2 logs 'opt_nmae'."
    (finding,) = judge_events("opt_name: logged", 'optimizer="sgd"')
    assert "Did you mean" not in finding.hint


def test_key_that_is_known_is_no_misspelling(judge_events: Judged) -> None:
    """A key that the vocabulary knows is not taken for another one misspelled."""
    (finding,) = judge_events("lars_opt_momentum: logged", "sgd_opt_momentum=0.9")
    assert "Did you mean" not in finding.hint


def test_misspelled_choice_is_suggested(judge_events: Judged) -> None:
    """A value that is nearly one of the allowed words gets the nearest one as a hint."""
    cell = "opt_name: in {adamw, sgd}"
    (finding,) = judge_events(cell, 'opt_name="AdamW"')
    assert finding.hint == "Write 'adamw': case matters."
    (finding,) = judge_events(cell, 'opt_name="adanw"')
    assert finding.hint == "Did you mean 'adamw'?"


def test_finding_tells_where_what_and_how(judge_events: Judged) -> None:
    """A finding carries the place, what was expected and found, the source and the record."""
    (finding,) = judge_events("seed: at least one; value > 5", "seed=9", "seed=1")
    assert finding == Finding(
        code="MLP304",
        rule="common.seed.value",
        severity="error",
        key="seed",
        line=2,
        column=1,
        message="seed is 1, but `value > 5` is required",
        expected="value > 5",
        found="1",
        source="written for tests",
        hint="Train with an allowed value, or submit to the open division.",
        excerpt="seed=1",
    )


def test_many_violations_of_one_rule_are_counted(
    judge_events: Judged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a number of violations of one rule the others are counted, so that a bad log stays readable."""
    monkeypatch.setattr(judge_module, "VIOLATIONS_KEPT", 3)
    found = judge_events("seed: any number; value > 5", *["seed=1"] * 10)
    assert [finding.line for finding in found] == [1, 2, 3, None]
    assert found[-1].message == "seed breaks `value > 5` in 7 more events, which are not listed"


def test_many_unpaired_events_are_counted(judge_events: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starts without stops and stops without starts are counted beyond a number, as other violations are."""
    monkeypatch.setattr(judge_module, "VIOLATIONS_KEPT", 2)
    for events in (["epoch_start=1"] * 10, ["epoch_stop=1"] * 10):
        found = judge_events("epoch_start: alternating with epoch_stop", *events)
        listed = [finding.line for finding in found if finding.line is not None]
        (more,) = [finding.found for finding in found if finding.found.endswith(" more")]
        assert len(listed) + int(more.removesuffix(" more")) == 10


def test_violations_of_all_rules_are_bounded(judge_events: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that breaks many rules many times has a bounded number of findings; each broken rule has one."""
    monkeypatch.setattr(judge_module, "LISTED_VIOLATIONS", 3)
    found = judge_events(
        "seed: any number; value > 5\nopt_name: any number; value > 5", *["seed=1", "opt_name=1"] * 10
    )
    assert [finding.key for finding in found if finding.line is not None] == ["seed", "opt_name"] * 2 + [
        "seed"
    ]
    assert [finding.found for finding in found if finding.line is None] == ["7 more", "8 more"]


def test_keys_that_no_rule_knows_are_let_pass(judge_events: Judged) -> None:
    """A log may hold more than the rules ask for."""
    assert judge_events("seed: any number", "made_up=1", "made_up=2", 'another={"a": 1}') == []


def test_key_that_only_another_rule_names_is_remembered(judge_events: Judged) -> None:
    """A rule may look at keys that have no cell of their own."""
    cell = "seed: any number; value == logged(made_up)"
    assert judge_events(cell, "made_up=4", "seed=4") == []
    (finding,) = judge_events(cell, "seed=4", "made_up=4")
    assert finding.message.endswith("no made_up is logged before it")


def test_severity_of_a_record_is_that_of_its_findings(judge_events: Judged) -> None:
    """A record may be a warning."""
    record = (
        "rules:\n  - {id: whole, key: seed, cell: integer(value), code: MLP304, severity: warning,"
        " summary: the seed is whole, why: none, pass: [seed=1], fail: [seed=1.5]}\n"
    )
    (finding,) = judge_events("seed: any number", "seed=1.5", more=record)
    assert (finding.severity, finding.rule, finding.message) == (
        "warning",
        "whole",
        "the seed is whole; here 1.5",
    )
