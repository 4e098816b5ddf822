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
MAX_FUNCTIONS = 4096
"""Call sites are kept for at most so many functions; then it begins anew."""
CODE = -1
"""Under this number, which no instruction has, call sites keep the code object that they belong to."""
get_frame = sys._getframe  # the way to a caller's frame that opens no source file


def get_caller(stack_index: int = 2, root_dir: str | None = None) -> dict[str, Any]:
    """Find the place in the source that a call comes from.

    Args:
        stack_index: how many frames to go up; 2 is the caller of the function that calls this one.
        root_dir: a folder whose path is left out of the file's path.

    Returns:
        A dict with ``file`` and ``lineno``.
    """
    frame = find_frame(stack_index)
    return {"file": trim_path(frame.f_code.co_filename, root_dir), "lineno": frame.f_lineno}


def find_frame(depth: int) -> FrameType:
    """The frame so many callers above this function's caller; the outermost where there are not so many."""
    frame = get_frame(1)
    for _ in range(depth):
        if frame.f_back is None:
            break
        frame = frame.f_back
    return frame


def trim_path(path: str, root_dir: str | None) -> str:
    """Leave a folder out of a path below it."""
    folder = (root_dir or "").rstrip("/")
    if folder and path.startswith(folder + "/"):
        return path[len(folder) + 1 :]
    return path


def site_text(fields: Mapping[str, object]) -> str:
    """A call site as the begin of a metadata object, not yet closed."""
    return METADATA + encode_value(fields)[0][:-1]


class CallSites:
    """Remembers the texts of call sites, for finding a line number anew walks a line table.

    Args:
        root_dir: folder whose path is left out.

    Attributes:
        root_dir: as given.
        recent: code object and text of the last call site at each instruction; a caller that finds its own
            code object there needs not ask further.
    """

    def __init__(self, root_dir: str | None) -> None:
        self.root_dir = root_dir
        self.recent: dict[int, tuple[CodeType, str]] = {}
        self._known: dict[int, dict[int, Any]] = {}

    def find_text(self, frame: FrameType) -> str:
        """The text of a frame's call site."""
        code, instruction = frame.f_code, frame.f_lasti
        if len(self._known) >= MAX_FUNCTIONS:
            self._known = {}
        # The code object is kept, so that no other can get its id.
        known = self._known.setdefault(id(code), {CODE: code})
        text: str | None = known.get(instruction)
        if text is None:
            file = trim_path(code.co_filename, self.root_dir)
            text = known[instruction] = site_text({"file": file, "lineno": frame.f_lineno})
        self.recent[instruction] = (code, text)
        return text
