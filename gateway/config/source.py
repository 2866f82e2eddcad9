"""YAML 1.2 text with the place of every key and value kept.

what:       `Source`: plain data of one file, and the line of each key path in it
takes→gives: octets of a file → `Source`
knows not:  what the keys mean
fails by:   nothing: what is wrong stands in `Source.errors`
standard:   YAML 1.2.2 (core schema: `yes`, `no` and `12:30` stay text)
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Loc = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_TEXT_TAGS = {_TAG + "str", _TAG + "timestamp"}  # dates are read by the field that expects one
_DEPTH = 30


@dataclass(frozen=True, slots=True)
class Source:
    """`data` is None when the file could not be read at all; `lines` maps a key path to its line, from 1."""

    file: str
    data: Any
    lines: Mapping[Loc, int]
    errors: tuple[str, ...] = ()
    broken: frozenset[Loc] = frozenset()
    """Values that could not be read; what is then found wrong with them is no news."""

    def line(self, loc: Loc) -> int:
        """Line of the longest known beginning of `loc`."""
        while loc and loc not in self.lines:
            loc = loc[:-1]
        return self.lines.get(loc, 1)

    def dotted(self, loc: Loc) -> str:
        """`loc` for people: list items by their name where they have one. The file itself is ""."""
        names, here = [], self.data
        for part in loc:
            here = _step(here, part)
            names.append(_item_name(here, part) if isinstance(part, int) else part)
        return ".".join(names)

    def complain(self, loc: Loc, text: str, line: int | None = None) -> str:
        """One error line: `file:line: dotted.key: text`; `line` where it is not the key's own."""
        where = self.dotted(loc)
        return f"{self.file}:{line or self.line(loc)}: {where}{': ' if where else ''}{text}"


def read(file: str, octets: bytes) -> Source:
    """Read one file. Duplicate keys, tabs, byte order marks, other encodings and tags are errors with their line."""
    try:
        text = _decode(octets)
        node = YAML(typ="safe", pure=True).compose(text)
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        return Source(file, None, {}, (f"{file}:{line}: not UTF-8, expected UTF-8 without byte order mark",))
    except _ByteOrderMark as error:
        return Source(file, None, {}, (f"{file}:1: {error}, expected UTF-8 without byte order mark",))
    except YAMLError as error:
        return Source(file, None, {}, (_syntax(file, octets, error),))
    except RecursionError:
        return Source(file, None, {}, (f"{file}:1: nested far too deep, expected a flatter file",))
    if node is None:
        return Source(file, None, {}, (f"{file}:1: the file is empty, expected settings",))
    return _Reader(file).read(node)


class _ByteOrderMark(ValueError):
    pass


def _decode(octets: bytes) -> str:
    for mark, name in ((codecs.BOM_UTF8, "UTF-8"), (codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16")):
        if octets.startswith(mark):
            raise _ByteOrderMark(f"the file begins with a byte order mark ({name})")
    return octets.decode("utf-8")


def _syntax(file: str, octets: bytes, error: YAMLError) -> str:
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        line = str(error).strip().splitlines()[0] if str(error).strip() else "cannot be read"
        position = getattr(error, "position", None)  # characters that YAML does not allow
        number = octets.decode("utf-8").count("\n", 0, position) + 1 if isinstance(position, int) else 1
        return f"{file}:{number}: not YAML: {line}, expected YAML 1.2"
    number = int(error.problem_mark.line) + 1
    lines = octets.split(b"\n")
    written = lines[number - 1] if number <= len(lines) else b""
    if written[: len(written) - len(written.lstrip())].find(b"\t") >= 0:
        return f"{file}:{number}: a tab in the indentation, expected spaces"
    problem = (error.problem or error.context or "cannot be read").strip()
    return f"{file}:{number}: not YAML: {problem}, expected YAML 1.2"


@dataclass(slots=True)
class _Reader:
    """Walks composed nodes; collects data, lines and errors."""

    file: str
    lines: dict[Loc, int] = field(default_factory=dict)
    errors: list[tuple[int, Loc, str]] = field(default_factory=list)
    broken: set[Loc] = field(default_factory=set)
    seen: set[int] = field(default_factory=set)

    def read(self, node: Node) -> Source:
        data = self._value(node, ())
        source = Source(self.file, data, self.lines, broken=frozenset(self.broken))
        errors = tuple(source.complain(loc, text, line) for line, loc, text in self.errors)
        return replace(source, errors=errors)

    def _value(self, node: Node, loc: Loc) -> Any:
        self.lines.setdefault(loc, _line(node))
        if len(loc) > _DEPTH or id(node) in self.seen:
            # An alias is one node seen twice; a file of aliases of aliases would grow without limit.
            return self._broken(node, loc, f"an alias or nesting deeper than {_DEPTH}, expected it written out")
        self.seen.add(id(node))
        if isinstance(node, MappingNode):
            return self._mapping(node, loc)
        if isinstance(node, SequenceNode):
            return [self._value(item, (*loc, i)) for i, item in enumerate(node.value)]
        return self._scalar(node, loc)

    def _mapping(self, node: MappingNode, loc: Loc) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, loc)
            if key is None:
                continue
            here = (*loc, key)
            if key in data:
                self._error(key_node, here, f"stands here again (first in line {self.lines[here]}), expected it once")
                continue
            self.lines[here] = _line(key_node)
            data[key] = self._value(value_node, here)
        return data

    def _key(self, node: Node, loc: Loc) -> str | None:
        if not isinstance(node, ScalarNode):
            self._error(node, loc, "a list or mapping as key, expected a plain key")
        elif str(node.tag) == _TAG + "merge":
            self._error(node, loc, "merge key <<, expected the settings written out")
        else:
            return str(node.value)
        return None

    def _scalar(self, node: Node, loc: Loc) -> Any:
        tag = str(node.tag)
        if tag in _TEXT_TAGS:
            return str(node.value)
        if tag == _TAG + "null":
            return None
        if tag in (_TAG + "bool", _TAG + "int", _TAG + "float"):
            try:
                return _construct(node, tag)
            except ValueError:  # Python reads no number of more than some thousand digits
                return self._broken(node, loc, "a number that cannot be read, expected one that fits")
        return self._broken(node, loc, f"tag {tag}, expected plain YAML without tags")

    def _broken(self, node: Node, loc: Loc, text: str) -> None:
        self.broken.add(loc)
        self._error(node, loc, text)

    def _error(self, node: Node, loc: Loc, text: str) -> None:
        self.errors.append((_line(node), loc, text))


def _construct(node: Node, tag: str) -> Any:
    constructor = SafeConstructor(loader=YAML(typ="safe", pure=True))
    return constructor.yaml_constructors[tag](constructor, node)


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _step(here: Any, part: str | int) -> Any:
    if isinstance(here, dict):
        return here.get(str(part))
    if isinstance(here, list) and isinstance(part, int) and part < len(here):
        return here[part]
    return None


def _item_name(item: Any, index: int) -> str:
    if isinstance(item, dict):
        for key in ("name", "domain"):
            if isinstance(item.get(key), str):
                return str(item[key])
    return str(index)
