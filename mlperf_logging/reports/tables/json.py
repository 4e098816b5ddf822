"""The JSON document of a command."""

from __future__ import annotations

from mlperf_logging.reports._escape import encode_json
from mlperf_logging.reports.tables import BaseRenderer, Look
from mlperf_logging.tables import Document


class Renderer(BaseRenderer):
    """One JSON object on one line: the schema and the fields of the command."""

    def render(self, document: Document, look: Look) -> bytes:
        """The document and a line feed."""
        return f"{encode_json({'schema': document.schema, **document.fields})}\n".encode()
