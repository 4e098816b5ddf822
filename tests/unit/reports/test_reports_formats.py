"""Formats are found by their files, and each keeps the promises that the command line relies on."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlperf_logging import reports
from mlperf_logging.errors import UsageError
from mlperf_logging.reports import FileResult, ReportOptions, Totals, list_formats, load_format

FORMATS = list_formats()


def test_formats_of_the_contract_exist():
    """Every format that the command line promises is a module of the folder."""
    assert {"text", "json", "jsonl", "sarif", "github", "junit"} <= set(FORMATS)


def test_unknown_format_gets_a_suggestion():
    """A misspelled format is answered with the one that was meant."""
    with pytest.raises(UsageError, match="did you mean 'sarif'"):
        load_format("sarfi")


def test_unknown_format_far_from_all_lists_them():
    """A format like none of ours is answered with the list of formats."""
    with pytest.raises(UsageError, match="text"):
        load_format("quux")


def test_private_parts_are_no_formats():
    """A module that formats share cannot be asked for as a format."""
    with pytest.raises(UsageError):
        load_format("_lines")


def test_a_new_format_is_one_file(tmp_path, monkeypatch, verdict, write_report):
    """Dropping one module into the folder makes a format that can be listed, loaded and used."""
    (tmp_path / "haiku.py").write_text(
        "from mlperf_logging.reports import BaseReport\n"
        "class Report(BaseReport):\n"
        "    name = 'haiku'\n"
        "    description = 'short'\n"
        "    def add(self, result):\n"
        "        return result.verdict.path + '\\n'\n"
        "    def end(self, totals):\n"
        "        return f'{totals.failed} leaves fall\\n'\n"
    )
    monkeypatch.setattr(reports, "__path__", [*reports.__path__, str(tmp_path)])
    assert "haiku" in list_formats()
    text = write_report(load_format("haiku")(ReportOptions()), verdict)
    assert text == f"{verdict.path}\n1 leaves fall\n"


@pytest.mark.parametrize("name", FORMATS)
def test_format_describes_itself(name):
    """A format's class bears one line of description."""
    form = load_format(name)
    assert form.description
    assert "\n" not in form.description


@pytest.mark.parametrize("name", FORMATS)
def test_any_text_survives(name, every_kind, write_report):
    """Control characters, markup, surrogates and emoji in every field give text that UTF-8 can hold."""
    text = write_report(load_format(name)(ReportOptions(width=60)), *every_kind)
    assert text.encode("utf-8").decode("utf-8") == text
    assert not any(letter in text for letter in "\x00\x07\x1b\r")


@pytest.mark.parametrize("name", FORMATS)
def test_no_log_at_all(name, write_report):
    """A report about no log is still a whole report."""
    assert isinstance(write_report(load_format(name)(ReportOptions())), str)


def test_totals_count_each_kind(verdict, passing, unjudged, waived):
    """Totals count files by verdict, findings by severity, and waived findings apart."""
    warning = verdict.findings[0]._replace(severity="warning")
    totals = Totals()
    for result in (
        FileResult(verdict._replace(findings=(*verdict.findings, warning))),
        FileResult(passing, (waived,)),
        FileResult(unjudged),
    ):
        totals = totals.plus(result)
    assert totals == Totals(files=3, passed=1, failed=1, unjudged=1, errors=2, warnings=1, waived=1)
    assert totals.as_json() == {"files": 3, "pass": 1, "fail": 1, "error": 1}


def test_every_public_module_of_the_folder_is_a_format():
    """The folder holds formats and underscored parts, nothing between."""
    folder = Path(reports.__file__).parent
    names = {path.stem for path in folder.glob("*.py") if not path.name.startswith("_")}
    assert names == set(FORMATS)


def test_a_folder_of_reports_is_no_format() -> None:
    """What the package keeps in folders beside the formats, such as the page, is not among the formats."""
    for name in ("html", "tables", "documents"):
        with pytest.raises(UsageError, match=f"no output format is called '{name}'"):
            load_format(name)
