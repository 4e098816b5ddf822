"""Events to log lines.

Names that repeat come from dictionaries and plain values are written in place, because a training logs the
same few keys over and over. Whatever is new or out of the ordinary takes a second, careful way to the same
line, and is ordinary the next time where that is possible.
"""

from __future__ import annotations

from mlperf_logging.mllog import constants
from mlperf_logging.mllog.callsite import METADATA
from mlperf_logging.mllog.encoder import encode_text, encode_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

MARKER = ":::MLLOG"
KINDS = (constants.POINT_IN_TIME, constants.INTERVAL_START, constants.INTERVAL_END)
NOT_A_DICTIONARY = "metadata is not a dictionary; it is ignored"
MAX_CACHED = 4096
"""So many names of a kind are kept; then their cache starts over."""


class Remarks:
    """What was out of the ordinary in an event: texts for the user, and a type that was written as its ``repr``."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.foreign_type: str | None = None

    def encode(self, value: object) -> str:
        """Write a value as JSON and remember a type that has no JSON form."""
        text, foreign_type = encode_value(value)
        self.foreign_type = self.foreign_type or foreign_type
        return text


class EventFormatter:
    """Writes events as log lines; keeps the texts of names that it has met."""

    def __init__(self) -> None:
        self._heads: dict[str, str] = {}
        self._keys: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
        self._fields: dict[str, str] = {}

    def format_event(
        self,
        namespace: object,
        time_ms: object,
        kind: str,
        key: object,
        value: object,
        site: Mapping[str, object],
        metadata: Mapping[str, Any] | None,
    ) -> tuple[str, Remarks | None]:
        """Write an event as a line without its end; remarks come with it where there are any."""
        try:
            value_text = more = ""
            value_type = type(value)
            if value_type is float and value - value == 0.0:  # type: ignore[operator] # neither inf nor nan
                value_text = f"{value!r}"
            elif value_type is str:
                value_text = encode_text(value)  # type: ignore[arg-type]
            elif value_type is int:
                value_text = f"{value}"
            else:
                value_text, foreign_type = encode_value(value)
                if foreign_type is not None:
                    raise TypeError
            if metadata is not None:
                fields = self._fields
                if type(metadata) is not dict:
                    raise TypeError
                for name in metadata:
                    item = metadata[name]
                    item_type = type(item)
                    if item_type is int:
                        more += f"{fields[name]}{item}"
                    elif item_type is str:
                        more += fields[name] + encode_text(item)
                    elif item_type is float and item - item == 0.0:
                        more += f"{fields[name]}{item!r}"
                    else:
                        item_text, foreign_type = encode_value(item)
                        if foreign_type is not None:
                            raise TypeError
                        more += fields[name] + item_text
            if type(time_ms) is not int:
                raise TypeError
            head, key_text = self._heads[namespace], self._keys[kind][key]  # type: ignore[index]
            site_text = site.text  # type: ignore[attr-defined]
            line = f"{head}{time_ms}{key_text}{value_text}{site_text}{more}}}}}"
        except (KeyError, TypeError, ValueError, AttributeError) as error:  # something is new or not plain
            place = error.__traceback__
            if place is not None and place.tb_next is not None and type(key) is type(namespace) is str:
                raise  # nothing here runs foreign code then: a signal handler has raised it
        else:
            return line, None
        # Anything in the event may be new, foreign or wrong: a careful way, which learns the names.
        remarks = Remarks()
        head = f'{MARKER} {{"namespace": {remarks.encode(namespace)}, "time_ms": '
        key_text = f', "event_type": "{kind}", "key": {remarks.encode(key)}, "value": '
        if type(namespace) is str:  # to a dictionary 1 and True are one
            _learn(self._heads, namespace, head)
        if type(key) is str:
            _learn(self._keys[kind], key, key_text)
        start = f"{head}{remarks.encode(time_ms)}{key_text}{remarks.encode(value)}"
        line = f"{start}{self._join_metadata(site, metadata, remarks)}}}}}"
        return line, remarks if remarks.texts or remarks.foreign_type else None

    def _join_metadata(self, site: Mapping[str, object], metadata: Any, remarks: Remarks) -> str:
        """Call site and metadata as a JSON object that lacks its end."""
        fields: dict[Any, Any] = {}
        try:
            if metadata:
                fields = {name: metadata[name] for name in metadata.keys()}  # noqa: SIM118 - a list has none
            replaced = [name for name in site if name in fields]
        except Exception:  # noqa: BLE001 - a foreign object's method may raise anything
            remarks.texts.append(NOT_A_DICTIONARY)
            fields, replaced = {}, []
        if replaced:
            remarks.texts.append(f"metadata replaces the call site's {' and '.join(replaced)}")
        for name in fields:
            if type(name) is str and name not in site:
                _learn(self._fields, name, f", {encode_text(name)}: ")
        return METADATA + remarks.encode({**site, **fields})[:-1]


def _learn(cache: dict[Any, str], name: object, text: str) -> None:
    if len(cache) >= MAX_CACHED:
        cache.clear()
    cache[name] = text
