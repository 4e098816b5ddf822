"""`mlperf package unpack`: a submission out of its archive, each file compared with the manifest."""

from __future__ import annotations

import os
import tempfile
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mlperf_logging.cli.options import Parser, add_format_options
from mlperf_logging.cli.output import load_renderer, write_document
from mlperf_logging.cli.passphrases import add_passphrase_option, read_passphrase
from mlperf_logging.cli.running import COMPLIANT, run_guarded
from mlperf_logging.errors import UsageError
from mlperf_logging.reports.documents.packed import describe_packed
from mlperf_logging.runs.side_files import read_side_file
from mlperf_logging.submission.archives import opened_archive
from mlperf_logging.submission.encryption import ENCRYPTED_SUFFIX, decrypt_archive, is_encrypted
from mlperf_logging.submission.packing import unpack_submission, verify_manifest

_EXAMPLES = """\
examples:
  {program} SUBMITTER.tar.gz                    writes SUBMITTER/ here if everything matches the manifest
  {program} SUBMITTER.tar.gz.age FOLDER         asks for the passphrase, and writes FOLDER/SUBMITTER/
  {program} --identity KEYFILE SUBMITTER.tar.gz.age
  {program} --list SUBMITTER.tar.gz             verifies it, and writes nothing

exit codes: 0 verified; 2 the archive is unsafe, damaged or changed, and nothing was written.
"""
_HEAD_BYTES = 64


def main(argv: Sequence[str] | None = None, program: str = "mlperf package unpack") -> int:
    """Verify an archive and take the submission out: 0 done, 2 an error."""
    return run_guarded(program, lambda: _unpack(argv, program))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf package unpack`."""
    parser = Parser(program, "Verify a packed submission and unpack it.", _EXAMPLES)
    add = parser.add_group()
    add("archive ARCHIVE", "what mlperf package pack wrote")
    add(
        "folder FOLDER",
        "where to put the submitter's folder; default: the working folder",
        nargs="?",
        default=".",
    )
    add("--list", "verify only; write nothing")
    add("--identity FILE", "private key that opens an encrypted archive (of age, or SSH)")
    add_passphrase_option(add)
    add_format_options(parser.add_group("how it is shown"))
    return parser


def _unpack(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    renderer = load_renderer(options)
    with _decrypted(options) as archive:
        if options.list:
            with opened_archive(archive) as top:
                folder, packed = None, verify_manifest(options.archive, str(top))
        else:
            folder, packed = unpack_submission(archive, options.folder)
    write_document(describe_packed(options.archive, packed, folder), renderer, options.output)
    return COMPLIANT


@contextmanager
def _decrypted(options: Namespace) -> Iterator[str]:
    """The archive itself, or a file with what an encrypted one holds, which is deleted at the end."""
    path: str = options.archive
    content = _read_encrypted(path)
    if content is None:
        yield path
        return
    if options.identity is not None:
        plain = decrypt_archive(content, identities=[_read_identity(options.identity)])
    else:
        plain = decrypt_archive(content, passphrase=read_passphrase(options))
    with tempfile.TemporaryDirectory(prefix="mlperf-archive-") as folder:
        name = os.path.join(folder, os.path.basename(path).removesuffix(ENCRYPTED_SUFFIX))
        with open(name, "wb") as file:
            file.write(plain)
        yield name


def _read_encrypted(path: str) -> bytes | None:
    """The bytes of an encrypted archive; None for another one."""
    if not os.path.isfile(path):
        raise UsageError(f"there is no archive {path!r}")
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD_BYTES)
            return head + file.read() if is_encrypted(head) else None
    except OSError as error:
        raise UsageError(f"cannot read {path!r}: {error.strerror}") from None


def _read_identity(path: str) -> str:
    try:
        text = read_side_file(path).decode()
    except OSError as error:
        raise UsageError(f"cannot read the private key {path!r}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"the private key {path!r} is not text") from None
    keys = [line.strip() for line in text.splitlines() if line.startswith("AGE-SECRET-KEY-")]
    return keys[0] if keys else text
