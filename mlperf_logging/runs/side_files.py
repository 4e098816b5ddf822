"""Files next to logs, which may be untrusted: regular ones of bounded size, and no others."""

from __future__ import annotations

import errno
import json
import os
from os import PathLike
from stat import S_ISREG
from typing import Any

MAX_BYTES = 1 << 18


def read_side_file(path: str | PathLike[str]) -> bytes:
    """The file's bytes; an OSError where it cannot be read, is a pipe or a device, or is longer than `MAX_BYTES`."""
    # without O_NONBLOCK, opening a pipe waits for a writer
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        if not S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", path)
        with open(handle, "rb", closefd=False) as file:
            content = file.read(MAX_BYTES + 1)
    finally:
        os.close(handle)
    if len(content) > MAX_BYTES:
        raise OSError(errno.EFBIG, f"it is longer than {MAX_BYTES} bytes", path)
    return content


def read_side_json(path: str | PathLike[str]) -> Any:
    """The file's JSON value; see `read_side_file`, and a ValueError where it is not JSON or nests too deep."""
    try:
        return json.loads(read_side_file(path))
    except RecursionError:
        raise ValueError("it nests too deep") from None
