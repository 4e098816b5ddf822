"""The place in a script that an event comes from."""

from __future__ import annotations

import sys

from mlperf_logging.mllog.encoder import encode_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType, FrameType
    from typing import Any

METADATA = ', "metadata": '
MAX_CACHED = 65_536
"""So many call sites are kept; then the cache starts over."""
_get_frame = sys._getframe
_known: dict[tuple[int, int, str | None], tuple[CodeType, str | None, CallSite]] = {}
_recent: dict[int, tuple[CodeType, str | None, CallSite]] = {}
"""The latest by instruction alone, for loops that log at few places."""


class CallSite(dict[str, "Any"]):
    """The fields ``file`` and ``lineno``.

    Attributes:
        text: the fields as the beginning of a metadata object in JSON, still open for more.
    """

    __slots__ = ("text",)

    def __init__(self, fields: Mapping[str, object]) -> None:
        super().__init__(fields)
        self.text = METADATA + encode_value(fields)[0][:-1]


def get_caller(stack_index: int = 2, root_dir: str | None = None) -> CallSite:
    """Find the place in the source that a call comes from.

    Finding a line number walks the line table of the whole function, so the places found are kept, by code
    object and instruction. The code object is kept with them: as long as it lives, no other has its id.

    Returns:
        A dict with ``file`` and ``lineno``.
    """
    try:
        frame = _get_frame(stack_index)
    except (ValueError, TypeError, OverflowError):
        frame = _find_outermost(stack_index)
    code = frame.f_code
    recent = _recent.get(frame.f_lasti)
    if recent is not None and recent[0] is code and recent[1] == root_dir:
        return recent[2]
    key = (id(code), frame.f_lasti, root_dir)
    known = _known.get(key)
    if known is None:
        site = CallSite({"file": _trim_path(code.co_filename, root_dir), "lineno": frame.f_lineno})
        if len(_known) >= MAX_CACHED:
            _known.clear()
        known = _known[key] = code, root_dir, site
    _recent[frame.f_lasti] = known
    return known[2]


def _find_outermost(stack_index: object) -> FrameType:
    """The outermost frame; for a stack index that is not a number, the script that called the logger."""
    frame = _get_frame(2)
    folder = __file__.rpartition("/")[0]
    while frame.f_back is not None:
        if type(stack_index) is not int and not frame.f_code.co_filename.startswith(folder):
            break
        frame = frame.f_back
    return frame


def _trim_path(path: str, root_dir: str | None) -> str:
    folder = str(root_dir or "").rstrip("/")
    return path.removeprefix(folder + "/") if folder else path
