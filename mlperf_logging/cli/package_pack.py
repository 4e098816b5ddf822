"""`mlperf package pack`: an archive of a submission that is acceptable, the same bytes for the same files."""

from __future__ import annotations

import hashlib
import io
import os
from argparse import Namespace
from collections.abc import Sequence
from typing import IO, Any

from mlperf_logging.cli.options import add_finding_options, add_report_options, add_rule_options
from mlperf_logging.cli.output import Output
from mlperf_logging.cli.package import PackageParser, check_folder
from mlperf_logging.cli.passphrases import add_passphrase_option, read_passphrase
from mlperf_logging.cli.running import CANNOT_WORK, COMPLIANT, VIOLATION, print_error, run_guarded
from mlperf_logging.errors import UsageError
from mlperf_logging.submission.encryption import ENCRYPTED_SUFFIX, encrypt_archive
from mlperf_logging.submission.packing import PACKED_SUFFIX, pack_submission

_EXAMPLES = """\
examples:
  {program} SUBMITTER                           checks SUBMITTER, and writes SUBMITTER.tar.gz here
  {program} --archive FILE SUBMITTER            … to a file of another name
  {program} --encrypt SUBMITTER                 asks for a passphrase, and writes SUBMITTER.tar.gz.age
  {program} --recipient age1… SUBMITTER         only the owner of that key can open it

exit codes: 0 packed; 1 the submission has errors, and nothing was packed; 2 the tool could not do its work.
"""


class PackParser(PackageParser):
    """The parser of `mlperf package pack`."""

    examples = _EXAMPLES


def main(argv: Sequence[str] | None = None, program: str = "mlperf package pack") -> int:
    """Check a submission and pack it: 0 packed, 1 it is not acceptable, 2 an error."""
    return run_guarded(program, lambda: _pack(argv, program))


def build_parser(program: str) -> PackParser:
    """The parser of `mlperf package pack`."""
    parser = PackParser(program, "Pack a submission that is acceptable.", usage="%(prog)s [options] FOLDER")
    add = parser.add_group()
    add("path FOLDER", "the submitter's folder")
    add("--archive FILE", f"the archive; default: FOLDER{PACKED_SUFFIX} in the working folder")
    add("--encrypt", "with a passphrase, in the format of age")
    several: dict[str, Any] = {"action": "append", "default": []}
    add(
        "--recipient KEY",
        "encrypt for the owner of a public key (age1…, ssh-ed25519 …); may be repeated",
        **several,
    )
    add_passphrase_option(add)
    add_finding_options(parser, add_rule_options(parser))
    add_report_options(parser)
    parser.set_defaults(partial=False)
    return parser


def _pack(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    if not os.path.isdir(options.path):
        raise UsageError(f"{options.path!r} is not a folder; name that of a submitter")
    encrypts = options.encrypt or bool(options.recipient)
    target = _name_archive(options, encrypts=encrypts)
    passphrase = read_passphrase(options, again=True) if options.encrypt and not options.recipient else None
    totals = check_folder(options, options.path, program, options.path)
    if totals.failed or totals.unjudged:
        print_error(program, "nothing was packed: the submission has errors")
        return CANNOT_WORK if totals.unjudged else VIOLATION
    with Output(target) as output:
        if encrypts:
            content = io.BytesIO()
            packed = pack_submission(options.path, content)
            archive = _HashingTarget(output)
            archive.write(
                encrypt_archive(content.getvalue(), passphrase=passphrase, recipients=options.recipient)
            )
        else:
            archive = _HashingTarget(output)
            stream: IO[bytes] = archive  # type: ignore[assignment]
            packed = pack_submission(options.path, stream)
    print_error(program, f"packed {len(packed):,} files into {target}, {archive.count:,} bytes")
    print_error(program, f"SHA-256 {archive.digest.hexdigest()}")
    return COMPLIANT


def _name_archive(options: Namespace, *, encrypts: bool) -> str:
    name: str = options.archive or os.path.basename(os.path.realpath(options.path)) + PACKED_SUFFIX
    if encrypts and not name.endswith(ENCRYPTED_SUFFIX):
        name += ENCRYPTED_SUFFIX
    folder = os.path.realpath(options.path)
    if os.path.realpath(name).startswith(f"{folder}{os.sep}"):
        raise UsageError(f"{name} would be within the submission; name another place with --archive FILE")
    return name


class _HashingTarget:
    """Passes an archive on to where it goes, with its checksum."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self.digest = hashlib.sha256()
        self.count = 0

    def write(self, content: bytes) -> int:
        """Write the next bytes."""
        self._output.write_bytes(content)
        self.digest.update(content)
        self.count += len(content)
        return len(content)

    def flush(self) -> None:
        """Nothing is held back."""
