"""Reading rule files: YAML into plain values that remember which line they are on."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator
from os import PathLike
from pathlib import Path
from typing import Any

from mlperf_logging.errors import RuleError, UsageError
from mlperf_logging.runs.side_files import read_side_file
from mlperf_logging.suggestions import did_you_mean

_TEXT = "tag:yaml.org,2002:str"

# No file of the package comes near these; one that does would cost time and memory out of proportion to its size.
MAX_VALUES = 20_000
MAX_DEPTH = 32
MAX_NUMBER_BITS = 1_000
_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*")
_INDICATORS = b"\n,:-[{?"


class RuleMapping(dict[str, Any]):
    """A YAML mapping with its file, the line on which it starts, counted from 1, and the line of each key."""

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
        """The list of texts under a key; empty if there is none."""
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
                raise self.fail(f"{key!r} is not valid here; known: {', '.join(keys)}", key)


class RuleFiles:
    """The rule files of the folder that holds the usages, the benchmarks and the vocabulary, each read once.

    The rounds of other rules, as ``usage/round``, may be extended too.
    """

    def __init__(self, folder: str | PathLike[str], base_rounds: Collection[str] = ()) -> None:
        self.folder = Path(folder)
        self._base_rounds = base_rounds
        self._records: dict[str, RuleMapping] = {}

    def load(self, name: str) -> RuleMapping:
        """One file, by its name within the folder without ``.yaml``."""
        if name not in self._records:
            # what other rules call by the same name is not to be taken for it
            shown = str(self.folder / f"{name}.yaml") if self._base_rounds else f"{name}.yaml"
            if not self._is_inside(name):
                raise RuleError("cannot read the rule file: it is not in the folder of the rules", path=shown)
            self._records[name] = load_rule_file(self.folder / f"{name}.yaml", shown)
        return self._records[name]

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return name in self._records or (self._is_inside(name) and (self.folder / f"{name}.yaml").is_file())

    def _is_inside(self, name: str) -> bool:
        """Whether a name, and what a link of that name stands for, does not lead out of the folder."""
        if not _NAME.fullmatch(name):
            return False
        return (self.folder / f"{name}.yaml").resolve().is_relative_to(self.folder.resolve())

    def find_parent(self, name: str, record: RuleMapping) -> str | None:
        """The round that a round extends, as ``usage/round``; None where it extends none."""
        parent: str | None = record.take("extends", str)
        if parent is None:
            return None
        parent = parent if "/" in parent else f"{name.partition('/')[0]}/{parent}"
        if not self.has(parent) and not self.is_of_base(parent, name):
            near = did_you_mean(parent, self._base_rounds)
            raise record.fail(f"extends {parent}, which has no rule file{near and f'; {near}'}", "extends")
        return parent

    def is_of_base(self, parent: str, name: str) -> bool:
        """Whether the parent of a round is one of other rules; a round that extends its namesake means those."""
        return parent in self._base_rounds and (parent == name or not self.has(parent))


def load_rule_file(path: Path, shown: str) -> RuleMapping:
    """One rule file as nested `RuleMapping` values."""
    try:
        content = read_side_file(path)
    except OSError as error:
        raise RuleError(f"cannot read the rule file: {error.strerror}", path=shown) from None
    value = read_values(content, shown)
    if not isinstance(value, RuleMapping):
        raise RuleError("a rule file is a mapping of names to rules", path=shown, line=1)
    return value


def load_data_file(path: str, what: str) -> Any:
    """The values of a YAML or JSON file that a user wrote, with the message of a `UsageError` where it cannot be used."""
    try:
        return read_values(read_side_file(path), path)
    except OSError as error:
        raise UsageError(f"cannot read {what} {path!r}: {error.strerror}") from None
    except RuleError as error:
        raise UsageError(f"{what} is wrong: {error}") from None


def compose_document(content: bytes, shown: str) -> Any:
    """The YAML node of a document, None where it is empty; a `RuleError` for what is not YAML or too many values."""
    import yaml

    # each value needs one of these; to compose them costs a thousand times as much memory
    if sum(map(content.count, _INDICATORS)) > 4 * MAX_VALUES:
        raise RuleError(f"holds too many values; the limit is {MAX_VALUES}", path=shown, line=1)
    try:
        return yaml.compose(content, Loader=_yaml_loader())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        raise RuleError(f"not valid YAML: {error.problem}", path=shown, line=line) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise RuleError(f"not valid YAML: {' '.join(str(error).split())}", path=shown) from None


def read_values(content: bytes, shown: str) -> Any:
    """The values of a YAML document; mappings are `RuleMapping` values, and their keys texts.

    Raises:
        RuleError: it is not YAML, holds a key twice, a value that is none, or more or deeper ones than `MAX_VALUES`
            and `MAX_DEPTH`; the target of an alias counts each time.
    """
    root = compose_document(content, shown)
    return None if root is None else _Reading(shown).to_value(root, ())


def _yaml_loader() -> type[Any]:
    import yaml

    loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return loader


class _Reading:
    """Makes values of one document's nodes, and counts them."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._loader = _yaml_loader()(b"")
        self._count = 0

    def to_value(self, node: Any, above: tuple[Any, ...]) -> Any:
        self._count += 1
        if self._count > MAX_VALUES:
            raise self._fail(f"holds too many values; the limit is {MAX_VALUES}", node)
        if node.id == "scalar":
            return node.value if node.tag == _TEXT else self._to_scalar(node)
        if node in above:
            raise self._fail("this part of the file contains itself; write it out", node)
        if len(above) >= MAX_DEPTH:
            raise self._fail(f"nests more than {MAX_DEPTH} deep", node)
        above = (*above, node)
        if node.id == "sequence":
            return [self.to_value(item, above) for item in node.value]
        mapping = RuleMapping()
        mapping.path, mapping.line, mapping.lines = self._shown, node.start_mark.line + 1, {}
        for key_node, value_node in node.value:
            if key_node.id != "scalar":
                raise self._fail("a key must be text", key_node)
            key = str(key_node.value)
            if key in mapping:
                raise self._fail(
                    f"{key!r} appears twice (first on line {mapping.lines[key]}); keep one", key_node
                )
            mapping[key] = self.to_value(value_node, above)
            mapping.lines[key] = key_node.start_mark.line + 1
        return mapping

    def _to_scalar(self, node: Any) -> Any:
        import yaml

        try:
            value = self._loader.construct_object(node)
        except yaml.constructor.ConstructorError as error:
            raise self._fail(
                f"not valid YAML: {error.problem}; put text that begins with '!' in quotes", node
            ) from None
        # whatever the reader of a type gives
        except (ValueError, LookupError, AttributeError, OverflowError):
            kind = node.tag.rpartition(":")[2]
            raise self._fail(f"{node.value[:40]!r} is not a valid {kind}; put text in quotes", node) from None
        if isinstance(value, int) and value.bit_length() > MAX_NUMBER_BITS:
            raise self._fail(f"the number {node.value[:20]}… is too large", node)
        if isinstance(value, float) and not math.isfinite(value):
            raise self._fail(f"{node.value[:20]} is not a finite number", node)
        return value

    def _fail(self, message: str, node: Any) -> RuleError:
        return RuleError(message, path=self._shown, line=node.start_mark.line + 1)
