"""Write the page about the tables of a store: ``python docs/write_store_tables.py docs/store_tables.md``."""

from __future__ import annotations

import sys
from pathlib import Path

from mlperf_logging.store.pages import write_page

if __name__ == "__main__":
    Path(sys.argv[1]).write_text(write_page(), "utf-8")
