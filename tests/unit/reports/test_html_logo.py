"""Images that become part of the page."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from mlperf_logging.errors import UsageError
from mlperf_logging.reports.html.logo import LARGEST_BYTES, read_logo


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\nrest", "image/png"),
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"GIF89arest", "image/gif"),
        (b"RIFF\0\0\0\0WEBPrest", "image/webp"),
        (b'<?xml version="1.0"?>\n<!-- <html> -->\n<!DOCTYPE svg>\n<svg width="1"/>', "image/svg+xml"),
    ],
)
def test_an_image_is_told_by_its_bytes(tmp_path: Path, content: bytes, kind: str) -> None:
    """The kind of an image is what its bytes say, whatever its name."""
    path = tmp_path / "logo.bin"
    path.write_bytes(content)

    assert read_logo(str(path)) == f"data:{kind};base64,{base64.b64encode(content).decode()}"


@pytest.mark.parametrize(
    "content", [b"", b"<html><svg></svg></html>", b"<svgx>", b"<!-- <svg> -->", b"\x89PNG"]
)
def test_what_is_no_image_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file that is no image is refused in one sentence that names it."""
    path = tmp_path / "logo.png"
    path.write_bytes(content)

    with pytest.raises(UsageError, match="is no PNG, JPEG, GIF, WebP or SVG image"):
        read_logo(str(path))


def test_large_and_missing_images_are_refused(tmp_path: Path) -> None:
    """An image must exist and be small enough for a page."""
    path = tmp_path / "large.gif"
    path.write_bytes(b"GIF89a" + bytes(LARGEST_BYTES))

    with pytest.raises(UsageError, match="is larger than"):
        read_logo(str(path))
    with pytest.raises(UsageError, match="there is no image"):
        read_logo(str(tmp_path / "none.png"))
