"""What the package imports is what setup.cfg says that it needs."""

from __future__ import annotations

import ast
import configparser
import re
import sys

from checkout import PROJECT

PACKAGE = PROJECT / "mlperf_logging"
OWN = {"mlperf_logging"}
FORMATS = PACKAGE / "reports" / "tables"
"""Its modules are imported one by one, each for its format only; what one needs may come with an extra."""
IMPORT_NAMES = {
    "mlflow-skinny": "mlflow",
    "py-cpuinfo": "cpuinfo",
    "pyyaml": "yaml",
    "tensorboardx": "tensorboardX",
    "vl-convert-python": "vl_convert",
}
"""Names to import, where they are not those of the distributions."""


def read_requirements() -> tuple[set[str], set[str]]:
    """Import names of what the base installation needs, and of what the extras bring."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(PROJECT / "setup.cfg", encoding="utf-8")
    base = config["options"]["install_requires"]
    extras = "\n".join(config["options.extras_require"].values())

    def names(text: str) -> set[str]:
        found = re.findall(r"^([A-Za-z][\w.-]*)", text, re.MULTILINE)
        return {IMPORT_NAMES.get(name.lower(), name.lower().replace("-", "_")) for name in found}

    return names(base), names(extras)


def find_imports(tree: ast.AST) -> tuple[set[str], set[str]]:
    """Top-level names of what a module imports when it is loaded, and of what it imports later."""
    at_load: set[str] = set()
    later: set[str] = set()

    def visit(node: ast.AST, names: set[str]) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                names.update(alias.name.partition(".")[0] for alias in child.names)
            elif isinstance(child, ast.ImportFrom) and child.level == 0:
                names.add(str(child.module).partition(".")[0])
            elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                visit(child, later)
            elif isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
                visit(ast.Module(child.orelse, []), names)
            else:
                visit(child, names)

    visit(tree, at_load)
    return at_load, later


def list_foreign_imports() -> tuple[set[str], set[str]]:
    """What the package imports from elsewhere when it is loaded, and what later, but for callbacks."""
    at_load: set[str] = set()
    later: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        if PACKAGE / "mllog" / "callbacks" not in path.parents:
            loaded, deferred = find_imports(ast.parse(path.read_text("utf-8")))
            if path.parent == FORMATS and path.name != "__init__.py":
                later |= loaded
            else:
                at_load |= loaded
            later |= deferred
    known = {*sys.stdlib_module_names, "tomllib"} | OWN  # tomllib: from Python 3.11 on
    return at_load - known, later - known


def test_what_is_loaded_is_required() -> None:
    """A module that is imported with the package is a requirement of the base installation."""
    base, _ = read_requirements()
    at_load, _ = list_foreign_imports()

    assert at_load - base == set()


def test_what_is_loaded_later_is_required_or_extra() -> None:
    """A module that is imported where it is needed is a requirement or comes with an extra."""
    base, extras = read_requirements()
    _, later = list_foreign_imports()

    assert later - base - extras == set()


def test_what_is_required_is_used() -> None:
    """Nothing is required that the package does not import; `regex` is what lark uses for its grammars."""
    base, _ = read_requirements()
    at_load, later = list_foreign_imports()

    assert base - at_load - later - {"regex"} == set()


def test_imports_are_distinguished() -> None:
    """Imports on loading, in functions, and for type checkers only are told apart."""
    tree = ast.parse(
        "import a.b\nif TYPE_CHECKING:\n    import c\n"
        "try:\n    from d import e\nexcept ImportError:\n    pass\n"
        "def f():\n    import g\nfrom . import h\n"
    )

    assert find_imports(tree) == ({"a", "d"}, {"g"})
