"""What a project keeps beside its code: an index of decisions, forms for reports, one version."""

from __future__ import annotations

import re

import pytest
import yaml
from checkout import PROJECT

DECISIONS = PROJECT / "docs" / "decisions"
FORMS = sorted((PROJECT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def test_index_lists_every_decision() -> None:
    """The index of decisions has each page once, in order, by its number, which the page's title has too."""
    listed = re.findall(
        r"^\| \[(\d+)\]\(((\d{4})-[\w-]+\.md)\) \|", (DECISIONS / "index.md").read_text("utf-8"), re.M
    )

    assert [name for _, name, _ in listed] == sorted(path.name for path in DECISIONS.glob("[0-9]*.md"))
    for number, name, padded in listed:
        title = (DECISIONS / name).read_text("utf-8").partition("\n")[0]
        assert int(number) == int(padded) == int(re.findall(r"^# 0*(\d+)[.:] ", title)[0])


@pytest.mark.parametrize(
    "form", [path for path in FORMS if path.name != "config.yml"], ids=lambda path: path.stem
)
def test_form_asks_what_is_needed(form) -> None:
    """Each form has a name and a description, its questions have distinct ids and labels, and at least one must be answered."""
    content = yaml.safe_load(form.read_text("utf-8"))
    questions = [part for part in content["body"] if part["type"] != "markdown"]

    assert content["name"]
    assert content["description"]
    assert len({part["id"] for part in questions}) == len(questions) >= 3
    assert all(part["attributes"]["label"] for part in questions)
    assert any(part.get("validations", {}).get("required") for part in questions)


def test_version_is_stated_once() -> None:
    """The version stands in the package; the metadata are made from it."""
    assert "version = attr: mlperf_logging.__version__\n" in (PROJECT / "setup.cfg").read_text("utf-8")
