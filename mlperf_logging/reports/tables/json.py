"""The JSON document of a command."""

from __future__ import annotations

from typing import ClassVar

from mlperf_logging.reports._escape import encode_json
from mlperf_logging.reports.tables import BaseRenderer, Look
from mlperf_logging.tables import Document


class Renderer(BaseRenderer):
    """One JSON object on one line: the schema and the fields of the command."""

    name: ClassVar[str] = "json"
    description: ClassVar[str] = "one JSON document with everything"

    def render(self, document: Document, look: Look) -> bytes:
        """The document and a line feed."""
        del look
        return f"{encode_json({'schema': document.schema, **document.fields})}\n".encode()
