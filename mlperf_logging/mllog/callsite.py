"""The place in a script that an event comes from."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

get_frame = sys._getframe  # the way to a caller's frame that opens no source file
CALL_SITE_FIELDS = ("file", "lineno")


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
    if root_dir:
        folder = root_dir.rstrip("/") + "/"
        if path.startswith(folder):
            return path[len(folder) :]
    return path
