"""The syntax of VRML97: nodes with fields. Long lists of numbers go through kernels.

What lives here: any file's tree of nodes. What does not: what the nodes mean (`vrml_read`). Prototypes and scripts are
stepped over. ISO/IEC 14772-1:1997, annex A.
"""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from app.errors import LimitExceeded, UnreadableFile
from app.formats.numerals import COMMA, HASH, is_blank, is_line_end, line_number, read_real, skip_line
from app.formats.registry import Limits
from app.mesh.jit import kernel

_GAP = re.compile(rb"(?:[\s,\x00]+|#[^\r\n]*)*")
_NAME = re.compile(rb"[^\s\x00-\x20\"'#,.\[\]\\{}+\-0-9][^\s\x00-\x20\"'#,.\[\]\\{}]*")
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NUMBER_START = re.compile(rb"[-+.0-9]")
_HEXADECIMAL = re.compile(rb"x[0-9a-fA-F]+(?:[\s,]+0x[0-9a-fA-F]+)*")
# A text without an end goes to the end of the file: to try again behind its first quote would take forever.
_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\Z)|#[^\r\n]*|[\[\]{}]', re.DOTALL)
_DEEPEST = 60
_NUMBERS_PER_TRIANGLE = 4  # three corners and the end of the face


@dataclass(eq=False)
class Node:
    """A node: its type and its fields. Values: arrays of float64, bool, list[bytes], Node, list[Node] or None."""

    kind: str
    fields: dict[str, Any] = field(default_factory=dict)
    _nodes: dict[str, list[Node]] = field(default_factory=dict)

    def numbers(self, name: str, width: int = 1) -> np.ndarray:
        """(n, width) float64 of a field; empty where there is none. Left-over numbers are dropped."""
        value = self.fields.get(name)
        values = value if isinstance(value, np.ndarray) else np.empty(0)
        return values[: len(values) // width * width].reshape(-1, width)

    def node(self, name: str, *kinds: str) -> Node | None:
        """The node in a field, if it is of one of these kinds (any, if none are given)."""
        value = self.fields.get(name)
        return value if isinstance(value, Node) and (not kinds or value.kind in kinds) else None

    def nodes(self, name: str) -> list[Node]:
        """The nodes in a field that holds one or several."""
        if name not in self._nodes:  # a list is looked through once, however often its node is used
            value = self.fields.get(name)
            values = value if isinstance(value, list) else [value]
            self._nodes[name] = [item for item in values if isinstance(item, Node)]
        return self._nodes[name]

    def flag(self, name: str, default: bool) -> bool:
        """A TRUE or FALSE field."""
        value = self.fields.get(name)
        return value if isinstance(value, bool) else default

    def texts(self, name: str) -> list[str]:
        """The strings of a field."""
        value = self.fields.get(name)
        return (
            [item.decode("utf-8", "replace") for item in value if isinstance(item, bytes)]
            if isinstance(value, list)
            else []
        )


class Parser:
    """Recursive descent over the bytes of a file."""

    def __init__(self, path: Path, data: bytes | mmap.mmap, limits: Limits) -> None:
        self.path, self.data, self.most_nodes = path, data, limits.nodes
        self.most_numbers = _NUMBERS_PER_TRIANGLE * limits.triangles
        self.raw = np.frombuffer(data, np.uint8)
        self.at = 0
        self.count = 0
        self.named: dict[bytes, Node] = {}
        self.skipped_prototypes = False

    def scene(self) -> list[Node]:
        """All nodes at the top. Raises UnreadableFile, LimitExceeded."""
        nodes = []
        while self._peek():
            if self._peek() == b"}":  # one too many, as some exporters write
                self.at += 1
                continue
            node = self._statement(0)
            if node is not None:
                nodes.append(node)
        return nodes

    def _fail(self, what: str) -> NoReturn:
        where = f"{self.path}, line {line_number(self.data, self.at)}"
        raise UnreadableFile(what, where, "The file is cut off or damaged; export it again")

    def _peek(self) -> bytes:
        gap = _GAP.match(self.data, self.at)
        assert gap is not None
        self.at = gap.end()
        return self.data[self.at : self.at + 1]

    def _name(self) -> bytes:
        self._peek()
        match = _NAME.match(self.data, self.at)
        if match is None:
            self._fail("has something else where a name should be" if self._peek() else "ends too early")
        self.at = match.end()
        return match.group()

    def _statement(self, depth: int) -> Node | None:
        """A node, or None for a statement that makes none."""
        self._check_depth(depth)
        name = self._name()
        if name == b"DEF":
            label = self._name()
            node = self._statement(depth + 1)
            if node is not None:
                self.named[label] = node
            return node
        if name == b"USE":
            return self.named.get(self._name())
        if name == b"NULL":
            return None
        if name == b"ROUTE":
            line = re.compile(rb"[^\r\n]*").match(self.data, self.at)
            self.at = line.end() if line else len(self.data)
            return None
        if name in (b"PROTO", b"EXTERNPROTO"):
            self.skipped_prototypes = True
            self._name()
            self._skip_brackets()
            if name == b"PROTO" or self._peek() == b"[":
                self._skip_brackets()
            else:
                self._value(depth)
            return None
        return self._node(name, depth)

    def _node(self, name: bytes, depth: int) -> Node:
        self.count += 1
        if self.count > self.most_nodes:
            raise LimitExceeded("has too many nodes", self.path, "Join the objects first")
        if self._peek() != b"{":
            self._fail(f"has no brace after {name.decode('utf-8', 'replace')[:40]}")
        node = Node(name.decode("utf-8", "replace"))
        if node.kind == "Script":
            self._skip_brackets()
            return node
        self.at += 1
        while self._peek() != b"}":
            field_name = self._name()
            if field_name in (b"ROUTE", b"PROTO", b"EXTERNPROTO"):
                self.at -= len(field_name)
                self._statement(depth + 1)
                continue
            node.fields[field_name.decode("utf-8", "replace")] = self._value(depth + 1)
        self.at += 1
        return node

    def _value(self, depth: int) -> Any:
        byte = self._peek()
        if byte == b"[":
            self.at += 1
            return self._list(depth)
        if byte == b'"':
            return [self._text()]
        if _NUMBER_START.match(byte):
            return self._numbers()
        word = _NAME.match(self.data, self.at)
        if word and word.group() in (b"TRUE", b"FALSE"):
            self.at = word.end()
            return word.group() == b"TRUE"
        return self._statement(depth)

    def _check_depth(self, depth: int) -> None:
        if depth > _DEEPEST:
            raise LimitExceeded("has nodes nested too deep", self.path, "Join the objects first")

    def _list(self, depth: int) -> Any:
        self._check_depth(depth)
        byte = self._peek()
        items: list[Any] = []
        if _NUMBER_START.match(byte):
            values = self._numbers()
            if self._peek() != b"]":
                self._fail("has something else between numbers")
            self.at += 1
            return values
        while (byte := self._peek()) != b"]":
            if not byte:
                self._fail("ends too early")
            items.append(self._text() if byte == b'"' else self._value(depth + 1))
            if len(items) > self.most_nodes:
                raise LimitExceeded("has too long a list", self.path, "Join the objects first")
        self.at += 1
        return items

    def _text(self) -> bytes:
        match = _TEXT.match(self.data, self.at)
        if match is None:
            self._fail("has a text without an end")
        self.at = match.end()
        return match.group()[1:-1].replace(b'\\"', b'"').replace(b"\\\\", b"\\")

    def _numbers(self) -> np.ndarray:
        count, end = _count_numbers(self.raw, self.at)
        if not count:
            self._fail("has a number that cannot be read")
        if count > self.most_numbers:
            raise LimitExceeded(f"has a list of {count:,} numbers", self.path, "Reduce the mesh elsewhere first")
        values = np.empty(count, np.float64)
        _fill_numbers(self.raw, self.at, values)
        self.at = end
        pixels = _HEXADECIMAL.match(self.data, end)  # PixelTexture: colours as 0xRRGGBB
        if pixels:
            self.at = pixels.end()
        return values

    def _skip_brackets(self) -> None:
        """Step over a balanced pair of brackets."""
        depth = 0
        self._peek()
        for match in _BRACKET.finditer(self.data, self.at):
            if match.group() in (b"[", b"{"):
                depth += 1
            elif match.group() in (b"]", b"}"):
                depth -= 1
            if depth <= 0:
                self.at = match.end()
                return
        self.at = len(self.data)
        self._fail("ends too early")


@kernel
def _next_number(data, i, end):
    """Index of the next byte that is no gap."""
    while i < end:
        if data[i] == HASH:
            i = skip_line(data, i, end)
        elif is_blank(data[i]) or is_line_end(data[i]) or data[i] == COMMA:
            i += 1
        else:
            break
    return i


@kernel
def _count_numbers(data, i):
    end = len(data)
    count = 0
    last = i
    while True:
        i = _next_number(data, i, end)
        # A word such as "info" must not read as a number that is none.
        if i >= end or not (data[i] <= 57 and data[i] >= 43):
            return count, last
        _, after = read_real(data, i, end)
        if after == i:
            return count, last
        count += 1
        i, last = after, after


@kernel
def _fill_numbers(data, i, values):
    end = len(data)
    for k in range(len(values)):
        values[k], i = read_real(data, _next_number(data, i, end), end)
