"""What a 3MF's model says about objects that place others, read before lib3mf does.

lib3mf looks at every place that a component leads to while it reads, and at all resources for each new one: a few
kilobytes that multiply keep it busy for hours. Counted here is only that; the rest of the XML is not understood.
3MF Core Specification 1.4, chapter 4; the production extension's `path`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from app.errors import LimitExceeded
from app.formats.reading import refuse
from app.formats.registry import Limits

_STEP = 4 << 20
# A stretch of vertices and triangles holds none of these words and need not be looked at more closely.
_WORDS = (b"object", b"group", b"materials", b"texture2d", b"multiproperties")
_TAG = re.compile(
    rb"<(?:[\w.-]+:)?(object|component|item|colorgroup|texture2dgroup|texture2d|basematerials|compositematerials"
    rb"|multiproperties)\b([^<>]*)"
)
_ID = re.compile(rb"""(?:^|\s)id\s*=\s*["']\s*(\d{1,18})\s*["']""")
_TARGET = re.compile(rb"""(?:^|\s)objectid\s*=\s*["']\s*(\d{1,18})\s*["']""")
_PART = re.compile(rb"""(?:^|\s)(?:[\w.-]+:)?path\s*=\s*["']/?([^"']*)["']""")
# lib3mf takes a second for so many, and four for twice as many.
_MOST_RESOURCES = 10_000
# Each place costs half a millisecond of calls into lib3mf.
_MOST_PLACES = 10_000
_DEEPEST = 64
_DAMAGED = "The file is damaged or not 3MF; export it again"

Name = tuple[bytes, bytes]  # part and id of an object


@dataclass
class Structure:
    """Objects, what they place, and what is to be printed, of all parts that were added."""

    path: Path
    limits: Limits
    _places: dict[Name, list[Name]] = field(default_factory=dict)
    _items: list[Name] = field(default_factory=list)
    _resources: int = 0
    _entries: int = 0

    def add(self, part: str, content: bytes) -> None:
        """Look through one part. Raises LimitExceeded."""
        name, current = part.lstrip("/").encode(), list[Name]()
        start = 0
        while start < len(content):
            # Cut before an element, so that none is missed.
            stop = content.find(b"<", start + _STEP)
            stop = len(content) if stop < 0 else stop
            stretch = content[start:stop].replace(b"\0", b"")  # of UTF-16 remains what counts here
            if any(word in stretch for word in _WORDS):
                current = self._look(stretch, name, current)
            start = stop

    def _look(self, data: bytes, part: bytes, current: list[Name]) -> list[Name]:
        """Note the elements in a stretch of XML. current: what the open object places; returns that of the last one."""
        for tag, attributes in _TAG.findall(data):
            if tag in (b"component", b"item"):
                self._entries += 1
                self._check(self._entries)
                target, elsewhere = _TARGET.search(attributes), _PART.search(attributes)
                if target is not None:
                    into = current if tag == b"component" else self._items
                    into.append((elsewhere[1] if elsewhere else part, target[1].lstrip(b"0")))
                continue
            self._resources += 1
            if self._resources > _MOST_RESOURCES:
                what = f"holds more than {_MOST_RESOURCES:,} objects and colour resources"
                raise LimitExceeded(what, self.path, "Join the objects before exporting")
            identity = _ID.search(attributes) if tag == b"object" else None
            if identity is not None:
                current = self._places.setdefault((part, identity[1].lstrip(b"0")), [])
        return current

    def check(self) -> None:
        """Raise LimitExceeded where objects are placed more often than any are read; UnreadableFile for a loop."""
        counts: dict[Name, int] = {}
        self._check(sum(self._count(name, counts, 0) for name in self._items))
        for name in self._places:
            self._count(name, counts, 0)

    def _count(self, name: Name, counts: dict[Name, int], depth: int) -> int:
        """How many places lib3mf looks at below an object. A name that is no object's counts as one."""
        if name not in counts:
            if depth > _DEEPEST:
                refuse(self.path, "has an object that contains itself, or parts nested too deep", _DAMAGED)
            counts[name] = 1 + sum(self._count(member, counts, depth + 1) for member in self._places.get(name, ()))
            self._check(counts[name])
        return counts[name]

    def _check(self, count: int) -> None:
        check_placed(count, self.path, self.limits)


def check_placed(count: int, path: Path, limits: Limits) -> None:
    """Raise LimitExceeded for more places than are looked at."""
    if count > min(limits.nodes, _MOST_PLACES):
        raise LimitExceeded(f"places {count:,} objects or more", path, "Join the objects before exporting")
