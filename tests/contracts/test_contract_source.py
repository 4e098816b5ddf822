"""What every Python file of the package keeps to: size, docstrings, no code from data, no printing."""

from __future__ import annotations

import ast
from pathlib import Path

from checkout import PROJECT

PACKAGE = PROJECT / "mlperf_logging"
SOURCES = sorted([*PACKAGE.rglob("*.py"), *(PROJECT / "compliance_rules").rglob("*.py")])
OUTSIDE_CLI = [path for path in SOURCES if PACKAGE / "cli" not in path.parents]

LONGEST_FILE = 420
CODE_FROM_DATA = {"eval", "exec", "compile", "__import__"}
FOREIGN_OBJECTS = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
ENDINGS = {"print", "exit", "quit"}
STREAMS = {
    "write_note",
    "sys.stdout.write",
    "sys.stderr.write",
    "sys.stdout.buffer.write",
    "sys.stderr.buffer.write",
}
OUR_OWN_TEXTS = {
    "mlperf_logging/cli/reporting.py": ["table"],
    "mlperf_logging/cli/running.py": ["text"],
    "mlperf_logging/mllog/notices.py": ["text if text.endswith('\\n') else text + '\\n'"],
}
"""What is written to a standard stream without `show_text`: a table that is rendered, and texts of no log."""


def show(path: Path) -> str:
    """A path as test id."""
    return path.relative_to(PROJECT).as_posix()


def parse(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text("utf-8"), show(path) if path.is_relative_to(PROJECT) else str(path))


def find_code_from_data(tree: ast.Module) -> list[tuple[int, str]]:
    """Line and name of everything that would run foreign data or load foreign objects."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in CODE_FROM_DATA:
            found.append((node.lineno, node.id))
        elif (
            isinstance(node, ast.Attribute)
            and node.attr in CODE_FROM_DATA
            and isinstance(node.value, ast.Name)
        ):
            if node.value.id in {"builtins", "__builtins__"}:
                found.append((node.lineno, node.attr))
        elif isinstance(node, ast.Import):
            found += [
                (node.lineno, alias.name)
                for alias in node.names
                if alias.name.split(".")[0] in FOREIGN_OBJECTS
            ]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FOREIGN_OBJECTS:
            found.append((node.lineno, str(node.module)))
    return found


def find_endings(tree: ast.Module) -> list[tuple[int, str]]:
    """Line and name of everything that prints or ends the process."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name) and called.id in ENDINGS:
                found.append((node.lineno, called.id))
            elif isinstance(called, ast.Attribute) and ast.unparse(called) == "sys.exit":
                found.append((node.lineno, "sys.exit"))
        elif isinstance(node, ast.Raise) and "SystemExit" in ast.unparse(node):
            found.append((node.lineno, "SystemExit"))
    return found


def find_unshown_writes(tree: ast.Module) -> list[str]:
    """What is written to a standard stream as it is."""
    writes = [
        ast.unparse(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in STREAMS
    ]
    return [text for text in writes if "show_text(" not in text]


def test_files_can_be_read_in_one_sitting() -> None:
    """No file is much longer than 400 lines."""
    lengths = {show(path): len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_modules_say_what_they_are_for() -> None:
    """Every module has a docstring."""
    assert [show(path) for path in SOURCES if not ast.get_docstring(parse(path))] == []


def test_files_run_no_foreign_data() -> None:
    """No file evaluates text as code or loads pickled objects."""
    assert {show(path): found for path in SOURCES if (found := find_code_from_data(parse(path)))} == {}


def test_only_the_command_line_prints_and_exits() -> None:
    """Outside `cli/` nothing prints or ends the process; findings and problems are values."""
    assert {show(path): found for path in OUTSIDE_CLI if (found := find_endings(parse(path)))} == {}


def test_foreign_texts_are_shown_by_one_function() -> None:
    """What reaches a standard stream goes through `show_text`, a renderer (whose tests are hostile), or is ours."""
    assert {
        show(path): found for path in SOURCES if (found := find_unshown_writes(parse(path)))
    } == OUR_OWN_TEXTS


def test_searches_find_what_they_look_for() -> None:
    """The searches see each forbidden form, and leave harmless namesakes alone."""
    tree = ast.parse(
        "import pickle\nfrom marshal import loads\neval('1')\nbuiltins.exec('2')\n__import__('x')\n"
        "re.compile('3')\n"
        "print(1)\nsys.exit(2)\nraise SystemExit\nprinter.print(3)\n"
    )

    writes = ast.parse("sys.stderr.write(path)\nsys.stdout.write(show_text(path))\nfile.write(path)\n")

    assert find_unshown_writes(writes) == ["path"]
    code = [name for _, name in sorted(find_code_from_data(tree))]
    assert code == ["pickle", "marshal", "eval", "exec", "__import__"]
    assert [name for _, name in sorted(find_endings(tree))] == ["print", "sys.exit", "SystemExit"]
