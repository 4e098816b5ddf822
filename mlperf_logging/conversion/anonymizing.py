"""Events without what says on whose machines they were logged: paths and names of hosts.

What is hidden gets a number, and equal texts get equal numbers, so that what belongs together still does. People, systems
and organizations are facts of a submission and stay; `hidden` names what else is to go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from mlperf_logging.events import Event

FILE = "file"
"""Field of metadata with the path of the source that logged an event; its last part stays."""

_HOST_NAMES = re.compile(
    r"(?i)(?:host|node|machine)[_-]?(?:name|list)?s?|ip[_-]?(?:address)?|user[_-]?(?:name)?"
)
"""Keys and names of fields whose text is a host, an address or a user."""
_PATHS = re.compile(
    r"""
    [A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>,;)\]}]+      # addresses of files and services
    | (?<![\w.~/\\]) ~?(?:/[\w.@+=:-]+){2,}/?       # absolute paths of at least two parts
    | (?<![\w\\]) [A-Za-z]:\\[^\s"'<>|,;)\]}]+      # the same of Windows
    | \\\\[\w.-]+\\[^\s"'<>|,;)\]}]+                # and on another machine
    """,
    re.VERBOSE,
)
_HOSTS = re.compile(
    r"""
    (?<![\w.]) (?:\d{1,3}\.){3}\d{1,3} (?![\w.])                      # addresses of four numbers
    | (?<![\w:.]) (?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4} (?![\w:])  # of eight
    | (?<![\w:.]) [0-9A-Fa-f:]*::[0-9A-Fa-f:]+ (?![\w:])
    | (?<![\w.@-]) (?=[\w.-]*[\d-]) [A-Za-z][\w-]* (?:\.[\w-]+)+ \.
      (?:com|net|org|edu|gov|mil|int|io|ai|dev|cloud|local|localdomain|internal|intranet|lan|corp|cluster|svc|hpc
        |(?!py|cc|cu|sh|so|gz|md|rs|js|go|pt)[a-z]{2}) (?![\w.-])     # dgx-01.cluster.local
    """,
    re.VERBOSE,
)


class Anonymizer:
    """Hides paths and hosts in events.

    Args:
        hidden: other texts to hide, such as short names of hosts.

    Attributes:
        paths: what stands for each path.
        hosts: what stands for each host, and for each other text.
    """

    def __init__(self, hidden: Iterable[str] = ()) -> None:
        self.paths: dict[str, str] = {}
        self.hosts: dict[str, str] = {}
        words = sorted({text for text in hidden if text}, key=len, reverse=True)
        self._hidden = re.compile("|".join(map(re.escape, words))) if words else None

    def hide_event(self, event: Event) -> Event:
        """Give an event without paths and hosts, in value, metadata and namespace."""
        metadata = {name: self._hide_field(name, part) for name, part in event.metadata.items()}
        return event._replace(
            value=self._hide_field(event.key, event.value),
            metadata=metadata,
            namespace=self._hide(event.namespace),
        )

    def _hide_field(self, name: str, value: Any) -> Any:
        if isinstance(value, str):
            if name == FILE:
                return self._hide(re.split(r"[/\\]", value)[-1])
            if _HOST_NAMES.fullmatch(name) and value:
                return self._give_number(value, self.hosts, "host-")
        return self._hide(value)

    def _hide(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.hide_text(value)
        if isinstance(value, list):
            return [self._hide(part) for part in value]
        if isinstance(value, dict):
            return {self.hide_text(name): self._hide_field(name, part) for name, part in value.items()}
        return value

    def hide_text(self, text: str) -> str:
        """Give a text without paths and hosts."""
        if self._hidden is not None:
            text = self._hidden.sub(lambda found: self._give_number(found[0], self.hosts, "host-"), text)
        text = _PATHS.sub(lambda found: self._give_number(found[0], self.paths, "/path-"), text)
        return _HOSTS.sub(lambda found: self._give_number(found[0], self.hosts, "host-"), text)

    @staticmethod
    def _give_number(text: str, known: dict[str, str], stem: str) -> str:
        if text in known.values():  # it stands for something already
            return text
        return known.setdefault(text, f"{stem}{len(known) + 1}")
