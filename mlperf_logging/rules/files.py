"""Reading rule files: YAML into plain values that remember on which line they stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlperf_logging.errors import RuleError


class Mapping(dict[str, Any]):
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
        """The value of a key, checked to be of one kind.

        Raises:
            RuleError: the value is of another kind.
        """
        value = self.get(key, default)
        if value is not None and not isinstance(value, kind):
            wanted = {dict: "a mapping", list: "a list", str: "text", int: "a whole number"}[kind]
            raise self.fail(f"{key!r} must be {wanted}, not {value!r}", key)
        return default if value is None else value

    def take_texts(self, key: str) -> list[str]:
        """The list of texts under a key; empty where there is none.

        Raises:
            RuleError: the value is not a list of texts.
        """
        texts = self.take(key, list, [])
        for text in texts:
            if not isinstance(text, str):
                raise self.fail(f"{key!r} must be a list of texts, but holds {text!r}", key)
        return list(texts)

    def sections(self) -> Iterator[tuple[str, Mapping]]:
        """The members, each of which must be a mapping.

        Raises:
            RuleError: a member is of another kind.
        """
        for key, body in self.items():
            if not isinstance(body, Mapping):
                raise self.fail(f"{key!r} must be a mapping, not {body!r}", key)
            yield key, body

    def allow(self, *keys: str) -> None:
        """Refuse keys that this place does not know.

        Raises:
            RuleError: there is another key; the message lists those that are known.
        """
        for key in self:
            if key not in keys:
                raise self.fail(f"{key!r} is not known here; known are {', '.join(keys)}", key)


def load_rule_file(path: Path, shown: str) -> Mapping:
    """One rule file as nested `Mapping` values.

    Args:
        path: the file.
        shown: its name in messages.

    Raises:
        RuleError: the file cannot be read, is not YAML, holds a key twice or is not a mapping.
    """
    import yaml

    try:
        text = path.read_bytes()
    except OSError as trouble:
        raise RuleError(f"cannot read the rule file: {trouble.strerror}", path=shown) from None
    loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root = yaml.compose(text, Loader=loader)
        value = _to_value(root, shown, loader(b""), ()) if root is not None else None
    except yaml.MarkedYAMLError as trouble:
        mark = trouble.problem_mark or trouble.context_mark
        line = mark.line + 1 if mark else None
        mend = ""
        if isinstance(trouble, yaml.constructor.ConstructorError):
            mend = "; put a text that begins with '!' in quotes"
        raise RuleError(f"not valid YAML: {trouble.problem}{mend}", path=shown, line=line) from None
    except yaml.YAMLError as trouble:
        raise RuleError(f"not valid YAML: {trouble}", path=shown) from None
    if not isinstance(value, Mapping):
        raise RuleError("a rule file is a mapping of names to rules", path=shown, line=1)
    return value


def _to_value(node: Any, shown: str, loader: Any, above: tuple[Any, ...]) -> Any:
    import yaml

    if node in above:
        line = node.start_mark.line + 1
        raise RuleError("this part of the file holds itself; write it out", path=shown, line=line)
    above = (*above, node)
    if isinstance(node, yaml.MappingNode):
        mapping = Mapping()
        mapping.path, mapping.line, mapping.lines = shown, node.start_mark.line + 1, {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key in mapping:
                first = mapping.lines[key]
                raise RuleError(
                    f"{key!r} stands twice (first in line {first}); keep one", path=shown, line=line
                )
            mapping[key] = _to_value(value_node, shown, loader, above)
            mapping.lines[key] = line
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_to_value(item, shown, loader, above) for item in node.value]
    return loader.construct_object(node)
