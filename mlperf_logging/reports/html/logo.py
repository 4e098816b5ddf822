"""An image of the user's own, made part of the page."""

from __future__ import annotations

import base64
import os

from mlperf_logging.errors import UsageError

LARGEST_BYTES = 1_000_000

_BEGINNINGS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


def read_logo(path: str) -> str:
    """An image as a ``data:`` address. What kind it is, its bytes say, not its name.

    Raises:
        UsageError: it cannot be read, is no PNG, JPEG, GIF, WebP or SVG, or is larger than `LARGEST_BYTES`.
    """
    try:
        if not os.path.isfile(path):
            raise UsageError(f"there is no image {path!r}")
        with open(path, "rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read the image {path!r}: {error.strerror}") from None
    if len(content) > LARGEST_BYTES:
        raise UsageError(f"the image {path!r} is larger than {LARGEST_BYTES:,} bytes; give a smaller one")
    kind = _find_kind(content)
    if kind is None:
        raise UsageError(f"{path!r} is no PNG, JPEG, GIF, WebP or SVG image")
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _find_kind(content: bytes) -> str | None:
    for beginning, kind in _BEGINNINGS.items():
        if content.startswith(beginning):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return "image/svg+xml" if _is_svg(content) else None


def _is_svg(content: bytes) -> bool:
    """Whether the first element of a text is ``svg``; browsers run no script of a picture."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    while text := text.lstrip():
        for begin, end in (("<?", "?>"), ("<!--", "-->"), ("<!", ">")):
            if text.startswith(begin):
                text = text.partition(end)[2]
                break
        else:
            return text.startswith(("<svg>", "<svg ", "<svg\n", "<svg\t", "<svg\r"))
    return False
