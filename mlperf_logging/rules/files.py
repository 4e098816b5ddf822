"""Reading rule files: YAML into plain values that remember on which line they stand."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

from mlperf_logging.errors import RuleError

_TEXT = "tag:yaml.org,2002:str"


class RuleMapping(dict[str, Any]):
    """A YAML mapping with the line of each key.

    Attributes:
        path: the file, as given.
        line: line on which the mapping starts, counted from 1.
        lines: line of each key.
    """

    path: str
    line: int
    lines: dict[str, int]

    def fail(self, message: str, key: str | None = None, rule: str | None = None) -> RuleError:
        """A `RuleError` that points at a key of this mapping (or at the mapping itself)."""
        line = self.lines.get(key, self.line) if key is not None else self.line
        return RuleError(message, path=self.path, line=line, rule=rule)

    def take(self, key: str, kind: type, default: Any = None) -> Any:
        """The value of a key, checked to be of one kind."""
        value = self.get(key, default)
        if value is not None and not isinstance(value, kind):
            wanted = {dict: "a mapping", list: "a list", str: "text", int: "a whole number"}[kind]
            raise self.fail(f"{key!r} must be {wanted}, not {value!r}", key)
        return default if value is None else value

    def take_texts(self, key: str) -> list[str]:
        """The list of texts under a key; empty where there is none."""
        texts = self.take(key, list, [])
        for text in texts:
            if not isinstance(text, str):
                raise self.fail(f"{key!r} must be a list of texts, but holds {text!r}", key)
        return list(texts)

    def sections(self) -> Iterator[tuple[str, RuleMapping]]:
        """The members, each of which must be a mapping."""
        for key, body in self.items():
            if not isinstance(body, RuleMapping):
                raise self.fail(f"{key!r} must be a mapping, not {body!r}", key)
            yield key, body

    def allow(self, *keys: str) -> None:
        """Refuse keys that this place does not know."""
        for key in self:
            if key not in keys:
                raise self.fail(f"{key!r} is not known here; known are {', '.join(keys)}", key)


class RuleFiles:
    """The rule files of one folder, each read once.

    Attributes:
        folder: the folder that holds ``training/``, ``hpc/``, ``benchmarks/`` and the vocabulary.
    """

    def __init__(self, folder: str | PathLike[str]) -> None:
        self.folder = Path(folder)
        self._records: dict[str, RuleMapping] = {}

    def load(self, name: str) -> RuleMapping:
        """One file, by its name within the folder without ``.yaml``."""
        if name not in self._records:
            shown = f"{name}.yaml"
            self._records[name] = load_rule_file(self.folder / shown, shown)
        return self._records[name]

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return name in self._records or (self.folder / f"{name}.yaml").is_file()

    def find_parent(self, name: str, record: RuleMapping) -> str | None:
        """The round that a round extends, as ``usage/round``; None where it extends none."""
        parent: str | None = record.take("extends", str)
        if parent is None:
            return None
        parent = parent if "/" in parent else f"{name.partition('/')[0]}/{parent}"
        if not self.has(parent):
            raise record.fail(f"extends {parent}, which has no rule file", "extends")
        return parent


def load_rule_file(path: Path, shown: str) -> RuleMapping:
    """One rule file as nested `RuleMapping` values."""
    import yaml

    try:
        text = path.read_bytes()
    except OSError as error:
        raise RuleError(f"cannot read the rule file: {error.strerror}", path=shown) from None
    loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root = yaml.compose(text, Loader=loader)
        value = _to_value(root, shown, loader(b""), ()) if root is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        fix = ""
        if isinstance(error, yaml.constructor.ConstructorError):
            fix = "; put a text that begins with '!' in quotes"
        raise RuleError(f"not valid YAML: {error.problem}{fix}", path=shown, line=line) from None
    except yaml.YAMLError as error:
        raise RuleError(f"not valid YAML: {error}", path=shown) from None
    if not isinstance(value, RuleMapping):
        raise RuleError("a rule file is a mapping of names to rules", path=shown, line=1)
    return value


def _to_value(node: Any, shown: str, loader: Any, above: tuple[Any, ...]) -> Any:
    if node.id == "scalar":
        return node.value if node.tag == _TEXT else loader.construct_object(node)
    if node in above:
        line = node.start_mark.line + 1
        raise RuleError("this part of the file holds itself; write it out", path=shown, line=line)
    above = (*above, node)
    if node.id == "sequence":
        return [_to_value(item, shown, loader, above) for item in node.value]
    mapping = RuleMapping()
    mapping.path, mapping.line, mapping.lines = shown, node.start_mark.line + 1, {}
    for key_node, value_node in node.value:
        key, line = str(key_node.value), key_node.start_mark.line + 1
        if key in mapping:
            first = mapping.lines[key]
            raise RuleError(f"{key!r} stands twice (first in line {first}); keep one", path=shown, line=line)
        mapping[key] = _to_value(value_node, shown, loader, above)
        mapping.lines[key] = line
    return mapping
