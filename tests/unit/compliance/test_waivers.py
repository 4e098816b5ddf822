"""Waiver files and what they do to a verdict."""

from __future__ import annotations

from datetime import date

import pytest

from mlperf_logging.compliance.findings import Finding, Verdict
from mlperf_logging.compliance.waivers import (
    WaivedFinding,
    Waiver,
    add_waivers,
    apply_waivers,
    load_waivers,
    match_path,
)
from mlperf_logging.errors import WaiverError
from mlperf_logging.runs.summary import RunSummary

TODAY = date(2030, 6, 15)
FINDING = Finding("MLP304", "round.opt_name", "error", "opt_name", 1, 1, "no")
WARNING = Finding("MLP103", "round.seed", "warning", "seed", 2, 1, "hm")
VERDICT = Verdict(
    "results/s/knitting/result_0.txt",
    "mllog",
    "training",
    "9.9.9",
    "",
    "closed",
    "knitting",
    "fail",
    (FINDING, WARNING),
    RunSummary(),
    1,
)
GOOD = """\
# accepted by the review group
- rule: MLP304
  path: "knitting/result_*.txt"
  reason: agreed on Monday
  expires: 2030-06-15
"""


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Reads a waiver file with the given text, named w.yaml."""
    monkeypatch.chdir(tmp_path)

    def load_text(text: str | bytes) -> tuple[Waiver, ...]:
        (tmp_path / "w.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
        return load_waivers("w.yaml", TODAY)

    return load_text


def waiver(rule: str = "MLP3", path: str = "*") -> Waiver:
    """A waiver that counts."""
    return Waiver(rule, path, "agreed", "2999-01-01", 1)


def test_whole_file_is_read(load):
    """A waiver has its fields and the line that it begins on; its last day still counts."""
    assert load(GOOD) == (Waiver("MLP304", "knitting/result_*.txt", "agreed on Monday", "2030-06-15", 2),)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "[]"])
def test_empty_file_waives_nothing(load, text):
    """A file without waivers is fine."""
    assert load(text) == ()


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        (GOOD.replace("2030-06-15", "2030-06-14"), "w.yaml:5:", "expired on 2030-06-14"),
        (GOOD.replace("2030-06-15", "soon"), "w.yaml:5:", "'soon'"),
        (GOOD.replace("2030-06-15", "2030-02-30"), "w.yaml:5:", "'2030-02-30'"),
        (GOOD.replace("2030-06-15", "20300615"), "w.yaml:5:", "'20300615'"),
        (GOOD.replace("  reason: agreed on Monday\n", ""), "w.yaml:2:", "lacks reason"),
        (GOOD.replace("agreed on Monday", '" "'), "w.yaml:4:", "'reason' must be non-empty text"),
        (GOOD.replace("agreed on Monday", "[a, b]"), "w.yaml:4:", "'reason' must be non-empty text"),
        (GOOD.replace("reason:", "reasons:"), "w.yaml:4:", "no field 'reasons'"),
        (GOOD + "  rule: MLP3\n", "w.yaml:6:", "'rule' appears twice"),
        ("- just text\n", "w.yaml:1:", "has the fields rule, path, reason, expires"),
        ("rule: MLP3\n", "w.yaml:1:", "is a list"),
        ("- rule: [\n", "w.yaml:2:", "not valid YAML"),
        (b"- rule: \xff\n", "w.yaml:", "not valid YAML"),
        ("- rule: !!python/object:os.system x\n  path: a\n", "w.yaml:1:", "lacks reason, expires"),
    ],
    ids=lambda value: None,
)
def test_faults_name_file_and_line(load, text, place, word):
    """A faulty or expired waiver is refused with the place and what to do."""
    with pytest.raises(WaiverError) as caught:
        load(text)
    lines = [line for line in str(caught.value).splitlines() if word in line]
    assert lines
    assert lines[0].startswith(place)


def test_all_faults_are_reported_at_once(load):
    """Two faulty waivers give two lines."""
    with pytest.raises(WaiverError) as caught:
        load(GOOD.replace("2030-06-15", "2030-01-01") * 2)
    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == ["5", "10"]


def test_missing_file(tmp_path):
    """A waiver file that is not there is named."""
    with pytest.raises(WaiverError, match=r"none\.yaml: cannot read"):
        load_waivers(str(tmp_path / "none.yaml"), TODAY)


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("results/s/knitting/result_0.txt", True),
        ("./results/s/knitting/result_0.txt", True),
        ("knitting/result_*.txt", True),
        ("result_0.txt", True),
        ("results/*", True),
        ("*", True),
        ("itting/result_0.txt", False),
        ("knitting", False),
        ("knitting/result_1*", False),
    ],
)
def test_path_patterns(pattern, matches):
    """A pattern matches the whole path or its end from a folder's name on."""
    assert match_path(pattern, "results/s/knitting/result_0.txt") is matches
    assert match_path(pattern, "./results/s/knitting/result_0.txt") is matches


def test_waived_error_lets_the_log_pass():
    """A waived finding is kept apart and the verdict follows from the others."""
    verdict, waived = apply_waivers(VERDICT, [waiver()])
    assert (verdict.verdict, verdict.findings) == ("pass", (WARNING,))
    assert waived == (WaivedFinding(FINDING, waiver()),)


def test_applying_changes_no_argument():
    """The verdict that was given stays as it was."""
    before = VERDICT._replace()
    apply_waivers(VERDICT, [waiver()])
    assert before == VERDICT


def test_first_waiver_in_the_file_answers():
    """Of two waivers that cover a finding the first is used."""
    first, second = waiver("round.*"), waiver("MLP304")
    _, waived = apply_waivers(VERDICT._replace(findings=(FINDING,)), [first, second])
    assert [each.waiver for each in waived] == [first]


@pytest.mark.parametrize("other", [waiver("MLP1"), waiver("MLP3", "elsewhere/*")], ids=["rule", "path"])
def test_other_findings_and_files_stay(other):
    """A waiver of another rule or another file leaves the error in force."""
    verdict, _ = apply_waivers(VERDICT, [other])
    assert verdict.verdict == "fail"
    assert FINDING in verdict.findings


def test_unjudged_log_has_nothing_to_waive():
    """A log that cannot be read stays an error under a waiver of everything."""
    broken = VERDICT._replace(verdict="error")
    assert apply_waivers(broken, [waiver("MLP")]) == (broken, ())


def test_waived_finding_as_json():
    """The JSON object of a waived finding is the finding's with a mark, the reason and the day."""
    entry = WaivedFinding(FINDING, waiver()).as_json()
    assert entry == {**FINDING.as_json(), "waived": True, "reason": "agreed", "expires": "2999-01-01"}


def test_new_waivers_cover_what_was_found(load):
    """One waiver is written for each log and rule, and it covers that and nothing else; the file keeps its text."""
    found = [("a[1]*/x.txt", FINDING), ("a[1]*/x.txt", FINDING), ("b\udcff.txt", WARNING)]
    day = date(2031, 2, 3)
    content, count = add_waivers(b"# ours\n", "w.yaml", found, "agreed: \U0001f600", day)
    assert (count, content.splitlines()[0]) == (2, b"# ours")
    first, second = load(content.decode())
    assert (first.rule, first.reason, first.expires) == (FINDING.rule, "agreed: \U0001f600", "2031-02-03")
    assert first.covers("a[1]*/x.txt", FINDING)
    assert not first.covers("a1/x.txt", FINDING)
    assert not first.covers("a[1]*/x.txt", WARNING)
    assert second.covers("b\udcff.txt", WARNING)
    assert add_waivers(content, "w.yaml", found, "again", day) == (content, 0)


def test_new_waivers_must_fit():
    """A file that would become too long, or to which nothing can be added, is one sentence."""
    day = date(2031, 2, 3)
    many = [(f"{number}.txt", FINDING) for number in range(4_000)]
    with pytest.raises(WaiverError, match="waive fewer with --select"):
        add_waivers(b"", "w.yaml", many, "agreed", day)
    with pytest.raises(WaiverError, match=r"w\.yaml:2: not valid YAML"):
        add_waivers(b"[]\n", "w.yaml", many[:1], "agreed", day)
