"""Reading a file of settings: which there are, and what each may be.

The file may stand above logs of a stranger. So it chooses how logs are judged and nothing else: no setting names a file
to write, none leads to code that is run, and what it names to be read stands in its own folder.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Any

from mlperf_logging.errors import UsageError
from mlperf_logging.events import DIVISIONS
from mlperf_logging.runs.side_files import read_side_file

MAX_JOBS = 256
MAX_DOTS = 50
"""Dots in one line of a file of settings; the reader's time grows with the square of the parts of a key."""
_SCHEMA = "mlperf-config/1"
_LONGEST_VALUE = 80


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_jobs(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_JOBS


SETTINGS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "usage": (_is_text, "a text"),
    "ruleset": (_is_text, "a text, the name of a round"),
    "division": (DIVISIONS.__contains__, f"{' or '.join(DIVISIONS)}, in quotes"),
    "strict": (lambda value: isinstance(value, bool), "true or false"),
    "select": (_is_list, "a list of texts"),
    "ignore": (_is_list, "a list of texts"),
    "waivers": (_is_text, "a text, the path of a file"),
    "rules": (_is_text, "a text, the path of a folder or the name of installed rules"),
    "jobs": (_is_jobs, f"a whole number from 0 to {MAX_JOBS}"),
    "format": (_is_text, "a text, the name of a format"),
}
"""Each setting: whether a value of it makes sense, and what makes sense, in words."""


def has_settings(path: str, within: Sequence[str]) -> bool:
    """Return whether a file that other tools share has settings in a table."""
    return bool(_read_table(path, read_side_file(path), within))


def read_settings(path: str, within: Sequence[str] = ()) -> dict[str, Any]:
    """The settings in a file, or in a table within it, paths joined to its folder.

    Raises:
        UsageError: it cannot be read, is not TOML, or a setting is not known or makes no sense; the message names file
            and setting.
    """
    try:
        content = read_side_file(path)
    except OSError as error:
        raise UsageError(f"cannot read the settings in {path!r}: {error.strerror}") from None
    settings = _read_table(path, content, within)
    for name, value in settings.items():
        if name not in SETTINGS:
            from mlperf_logging.suggestions import did_you_mean

            meant = did_you_mean(name, SETTINGS, f"choose from {', '.join(SETTINGS)}")
            raise UsageError(f"{path}: unknown setting {name!r}; {meant}")
        makes_sense, wanted = SETTINGS[name]
        if not makes_sense(value):
            raise UsageError(f"{path}: {name!r} must be {wanted}, not {_show(value)}")
    if "waivers" in settings:
        value = settings["waivers"]
        settings["waivers"] = _join(path, "waivers", value)
        if not os.path.isfile(settings["waivers"]):
            raise UsageError(f"{path}: 'waivers' names {value!r}, and there is no such file")
    if "rules" in settings:
        from mlperf_logging.rules.repository import find_rules_folder

        folder = _join(path, "rules", settings["rules"])
        try:
            settings["rules"] = find_rules_folder(folder if os.path.isdir(folder) else settings["rules"])
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from None
    if "format" in settings:
        from mlperf_logging.reports import list_formats

        known = list_formats()
        if settings["format"] not in known:
            raise UsageError(
                f"{path}: 'format' must be one of {', '.join(known)}, not {_show(settings['format'])}"
            )
    return settings


def check_round(options: Namespace) -> None:
    """See that the usage and the round that a file names exist; `UsageError` where they do not."""
    if options.usage is None and options.ruleset == "auto":
        return
    from mlperf_logging.compliance.identity import Identity
    from mlperf_logging.compliance.ruleset_selection import RuleSelection, choose_ruleset

    choose_ruleset(RuleSelection(options.usage, options.ruleset, rules=options.rules), Identity())


def show_settings(options: Namespace) -> None:
    """Print each setting, its value and where it comes from."""
    from mlperf_logging.cli.output import write_document
    from mlperf_logging.reports.tables import list_table_formats, load_table_format
    from mlperf_logging.tables import PROSE, Column, Document, make_table

    columns = (
        Column("setting", meaning="its name", priority=0),
        Column("value", PROSE, meaning="what holds", priority=0, missing="not set"),
        Column("source", PROSE, "command line, default, or the file that says it", priority=0),
    )
    values, sources = vars(options), options.setting_sources
    records = [{"setting": name, "value": values[name], "source": sources[name]} for name in sources]
    shown = [{**each, "value": _write(each["value"])} for each in records]
    name = options.format if options.format in list_table_formats() else "text"
    document = Document(
        schema=_SCHEMA, tables=(make_table("settings", columns, shown),), fields={"settings": records}
    )
    write_document(document, load_table_format(name)())


def _read_table(path: str, content: bytes, within: Sequence[str]) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    if any(line.count(b".") > MAX_DOTS for line in content.splitlines()):
        raise UsageError(f"{path}: a line holds more than {MAX_DOTS} dots; break it")
    try:
        table: Any = tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # also what is no UTF-8, and a number with too many digits
        reason = "it nests too deep" if isinstance(error, RecursionError) else error
        raise UsageError(f"{path}: not valid TOML: {reason}") from None
    for name in within:
        table = table.get(name, {})
        if not isinstance(table, dict):
            raise UsageError(f"{path}: {name!r} must be a table, not {_show(table)}")
    return dict(table)


def _join(path: str, name: str, value: str) -> str:
    """A path that a file of settings names, which stands in that file's folder, links followed."""
    folder = os.path.dirname(os.path.abspath(path))
    joined = os.path.normpath(os.path.join(folder, value))
    home = os.path.realpath(folder)
    if os.path.commonpath([home, os.path.realpath(joined)]) != home:
        raise UsageError(f"{path}: {name!r} leads out of the file's folder; name it with --{name}")
    return joined


def _write(value: Any) -> str | None:
    if isinstance(value, list):
        return ", ".join(value) or None
    return str(value).lower() if isinstance(value, bool) else None if value is None else str(value)


def _show(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
