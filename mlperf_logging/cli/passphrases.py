"""Passphrases of encrypted archives: from a file, the environment, or who sits at the terminal; never from an option."""

from __future__ import annotations

import os
import sys
from argparse import Namespace

from mlperf_logging.cli.options import AddOption
from mlperf_logging.errors import UsageError
from mlperf_logging.runs.side_files import read_side_file

VARIABLE = "MLPERF_PASSPHRASE"


def add_passphrase_option(add: AddOption) -> None:
    """Add ``--passphrase-file``."""
    add(
        "--passphrase-file FILE", f"its first line is the passphrase; default: {VARIABLE}, or it is asked for"
    )


def read_passphrase(options: Namespace, *, again: bool = False) -> str:
    """The passphrase, asked for a second time with `again`; `UsageError` where there is none."""
    passphrase = _find_passphrase(options.passphrase_file, again=again)
    if not passphrase:
        raise UsageError("the passphrase is empty")
    return passphrase


def _find_passphrase(path: str | None, *, again: bool) -> str:
    if path is not None:
        try:
            return read_side_file(path).decode().partition("\n")[0].rstrip("\r")
        except OSError as error:
            raise UsageError(f"cannot read the passphrase from {path!r}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise UsageError(f"the passphrase in {path!r} is not text") from None
    if VARIABLE in os.environ:
        return os.environ[VARIABLE]
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(f"a passphrase is needed; give it with --passphrase-file FILE or in {VARIABLE}")
    from getpass import getpass

    passphrase = getpass("Passphrase: ")
    if again and getpass("Passphrase again: ") != passphrase:
        raise UsageError("the two passphrases differ")
    return passphrase
