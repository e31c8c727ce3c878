"""The XML that COLLADA is: elements with their children, found by tag, by `id` and by `sid`; lists of numbers.

Entities are refused: they can name files and grow without bound. What the elements mean is in `dae`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

import numpy as np

from app.errors import LimitExceeded, UnreadableFile
from app.formats.numerals import read_real, skip_gaps
from app.formats.reading import refuse
from app.mesh.jit import kernel

_DEEPEST = 200
_MOST_ELEMENTS = 1_000_000
_TEXT_CHUNK = 1 << 20


@dataclass(eq=False, slots=True)
class Element:
    """One element. tag: without its name space."""

    tag: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its own text, without that of its children, without blanks around it."""
        return "".join(self.pieces).strip()

    def all(self, *tags: str) -> list[Element]:
        """Its children with one of these tags."""
        return [child for child in self.children if child.tag in tags]

    def at(self, *tags: str) -> Element | None:
        """The first child with the first tag, its first child with the second, and so on."""
        found: Element | None = self
        for tag in tags:
            found = next((child for child in found.children if child.tag == tag), None) if found else None
        return found

    def walk(self) -> Iterator[Element]:
        """It and everything below it."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(reversed(element.children))

    def get(self, name: str, default: str = "") -> str:
        """An attribute."""
        return self.attributes.get(name, default)

    def whole(self, name: str, default: int = 0) -> int:
        """An attribute that is a whole number from 0."""
        text = self.get(name).strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default


def parse(path: Path) -> tuple[Element, dict[str, Element]]:
    """The root element of an XML file, and all elements that have an `id`. Raises UnreadableFile, LimitExceeded."""
    root = Element("", {})
    named: dict[str, Element] = {}
    open_elements, count = [root], 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > _MOST_ELEMENTS or len(open_elements) > _DEEPEST:
            raise LimitExceeded("has too many elements, or too deep ones", path, "Join its parts before exporting")
        element = Element(tag.rpartition("}")[2], attributes)
        open_elements[-1].children.append(element)
        open_elements.append(element)
        if "id" in attributes:
            named.setdefault(attributes["id"], element)

    def end(tag: str) -> None:
        open_elements.pop()

    def text(piece: str) -> None:
        open_elements[-1].pieces.append(piece)

    def refuse_declarations(*_: object) -> None:
        refuse(path, "declares XML entities, which no honest COLLADA file does", "Ask for another file")

    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text, parser.buffer_size = True, _TEXT_CHUNK
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse_declarations
    try:
        with path.open("rb") as stream:
            parser.ParseFile(stream)
    except expat.ExpatError as error:
        where = f"{path}, line {error.lineno}"
        what = f"is cut off or damaged: {expat.ErrorString(error.code)}"
        raise UnreadableFile(what, where, "Download or export it again") from error
    except (LookupError, ValueError) as error:  # an encoding that Python does not know, or not for XML
        raise UnreadableFile(f"is in an encoding that is not read: {error}", path, "Save it as UTF-8") from error
    if not root.children:
        refuse(path, "holds no XML")
    return root.children[0], named


def numbers(element: Element | None, path: Path) -> np.ndarray:
    """(n,) float64 of an element's text; empty without one. Raises UnreadableFile for what is no number."""
    return np.empty(0) if element is None else number_lists([element], path)[0]


def number_lists(elements: list[Element], path: Path) -> tuple[np.ndarray, np.ndarray]:
    """All numbers of several elements, (n,) float64, and how many each has, (e,) int64. Raises UnreadableFile."""
    texts = ["".join(element.pieces).encode("ascii", "replace") for element in elements]
    data = np.frombuffer(b" ".join(texts), np.uint8)
    ends = np.cumsum([len(text) + 1 for text in texts], dtype=np.int64)
    counts = np.zeros(len(texts), np.int64)
    _count_words(data, ends, counts)
    values = np.empty(int(counts.sum()), np.float64)
    if not _fill(data, values):
        where = f"{path}, {elements[0].tag} {elements[0].get('id')}".rstrip()
        raise UnreadableFile("has a list with something that is no number", where, "Export it again")
    return values, counts


@kernel
def _count_words(text, ends, counts):
    k, inside = 0, False
    for i in range(len(text)):
        while i >= ends[k]:
            k += 1
        blank = text[i] <= 32
        if not blank and not inside:
            counts[k] += 1
        inside = not blank


@kernel
def _fill(text, values):
    i, end = 0, len(text)
    for k in range(len(values)):
        i = skip_gaps(text, i, end)
        values[k], after = read_real(text, i, end)
        if after == i or (after < end and text[after] > 32):
            return False
        i = after
    return True
