"""Damage to text that keeps its form: lines of words, JSON, XML. The result is still read, only differently."""

from __future__ import annotations

import contextlib
import json
import re
from random import Random
from typing import Any

from tests.fuzzing.blind import change_number, number_word
from tests.fuzzing.case import escapes

_ESCAPES = escapes()
_LARGEST = 1 << 20
_LINES = (
    *(b"mtllib ", b"usemtl ", b"map_Kd ", b"newmtl ", b"map_Kd -s 1e308 nan 0 -o 1e308 ", b"Kd 1e308 nan -1", b"o "),
    *(b"v 1e308 nan inf", b"v 1 2 3 4 5 6 7", b"vt", b"vn 0 0 0", b"f 1 1 1", b"f -1 -2 -3", b"f 1/2/3 0/0/0 9/9/9"),
    *(b"f " + b"1 " * 2000, b"f 1 2147483648 4294967297", b"\\", b"# \xff\xfe\0", b"#MRGB ff00ff00ff00ff00", b"g a b"),
    *(b"element vertex 4294967296", b"element face 99999999999999999999", b"element vertex -1", b"element x 5"),
    *(b"property list uchar int vertex_indices", b"property list float int vertex_indices", b"property float x"),
    *(b"property list uint double x", b"property list uchar float s", b"property double t", b"property uchar red"),
    *(b"comment TextureFile ", b"end_header", b"format ascii 1.0", b"format binary_big_endian 1.0", b"facet normal"),
    *(b"outer loop", b"vertex 1e39 nan 0", b"endloop", b"endfacet", b"endsolid", b"solid", b"DEF A Group {", b"USE A"),
    *(
        b"PROTO P [",
        b'Script { url "',
        b"children [",
        b"]",
        b"}",
        b"{",
        b"[",
        b'"' + b'\\"' * 5000,
        b"coordIndex [ 0 1",
    ),
    *(b"Transform { scale 0 0 0 rotation 0 0 0 nan children [", b"ROUTE a.b TO c.d", b"texture ImageTexture { url "),
    *(b"Inline { url ", b'def Mesh "x" (references = @', b"subLayers = [@", b"int[] faceVertexCounts = [4294967295]"),
)
_XML_PROLOGS = (
    b'<!DOCTYPE a [<!ENTITY b "%s">]>' % (b"x" * 100),
    b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
    b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">',
    b"<!DOCTYPE a [" + b"".join(b'<!ENTITY e%d "%s">' % (k, b"&e%d;" % (k - 1) * 10) for k in range(1, 10)) + b"]>",
    b'<?xml version="1.0" encoding="UTF-7"?>',
    b'<?xml-stylesheet href="http://127.0.0.1:9/a.xsl"?>',
    b"<!--" + b"-" * 5000 + b"-->",
)
_ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 2, 3, 4, 5, 6, 255, 256, 5120, 5121, 5123, 5125, 5126, 33071, 65535, 65536, 100_000),
    *(40_000_000, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53, 2**63, 2**64, 10**400, 0.5, 1.5, -0.0, 1e-320, 1e15, 1e39),
    *(1e308, float("inf"), float("-inf"), float("nan"), "", "x", "x" * 5000, "\ud800", "\0", "SCALAR", "VEC3", "MAT4"),
    *("data:;base64,AAAA", "data:", "data:#1", "data:image/png;base64," + "A" * 400, "../x", "NONE", "TRIANGLES"),
    *([], [0], [0, 0, 0], [[]], [None], [1e308] * 3, [float("nan")] * 4, [1e39] * 16, [0] * 20_000, list(range(300))),
    *({}, {"index": 0}, {"bufferView": 0}, {"count": 2**32}, {"a": {"b": {"c": {}}}}, {"": None}),
)
_ATTRIBUTE = re.compile(rb'([\w:.-]+)\s*=\s*"([^"]*)"')
_ELEMENT = re.compile(rb"<(/?)([\w:.-]+)([^<>]*?)(/?)>")


def damaged_lines(content: bytes, rng: Random, other: bytes = b"") -> bytes:
    """Lines that are lost, doubled, moved, changed, of another file, very long; other encodings and line ends."""
    lines = content.split(b"\n")
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        at = rng.randrange(len(lines) + 1) % max(1, len(lines)) if lines else 0
        line = lines[at] if lines else b""
        match rng.randrange(12):
            case 0:
                del lines[at : at + rng.choice((1, 1, 5, len(lines)))]
            case 1:
                lines[at:at] = lines[at : at + rng.choice((1, 3, 20))] * rng.choice((1, 2, 30))
            case 2 if lines:
                lines.insert(rng.randrange(len(lines)), lines.pop(at))
            case 3 | 4:
                lines.insert(at, rng.choice(_LINES) + rng.choice(_ESCAPES) * rng.choice((0, 1)))
            case 5 if lines:
                keyword, blank, _ = line.partition(b" ")
                lines[at] = keyword + blank + rng.choice(_ESCAPES)
            case 6 if lines:
                words = line.split(b" ")
                word = rng.randrange(len(words))
                words[word] = number_word(words[word], rng)
                lines[at] = b" ".join(words)
            case 7 if lines:
                lines[at] = line + rng.choice((b" ", b"\\", b" #", b'"', b"\0", b" x" * 30_000, b"\t" * 200, b"]" * 9))
            case 8 if other:
                others = other.split(b"\n")
                start = rng.randrange(len(others))
                lines[at:at] = others[start : start + rng.randrange(1, 12)]
            case 9 if lines:
                lines[at] = line[: rng.randrange(len(line) + 1)]
            case _:
                changed = bytearray(b"\n".join(lines))
                if changed:
                    change_number(changed, rng, b"")
                lines = bytes(changed).split(b"\n")
    text = b"\n".join(lines)[:_LARGEST]
    return _recoded(text, rng) if rng.random() < 0.06 else text


def _recoded(text: bytes, rng: Random) -> bytes:
    plain = text.decode("latin-1")
    return rng.choice((
        b"\xef\xbb\xbf" + text, b"\xff\xfe" + plain.encode("utf-16-le"), b"\xfe\xff" + plain.encode("utf-16-be"),
        plain.encode("utf-16-le"), plain.encode("utf-32"), text.replace(b"\n", b"\r"), text.replace(b"\n", b"\r\n"),
        text.replace(b"\n", b"\0"), text.replace(b"\n", b" "), b"\xff\xfe" + text, text.replace(b" ", b"\t\v\f"),
    ))  # fmt: skip


def nested(rng: Random) -> bytes:
    """Brackets without end, of one of the kinds that some reader follows."""
    opening, closing = rng.choice((
        (b"[", b"]"), (b'{"a":', b"}"), (b"Group { children [ ", b"] }"), (b"<a>", b"</a>"), (b"( ", b")"),
        (b'def Xform "a" { ', b"} "), (b"a = [", b"]"), (b"DEF A ", b""), (b"Objects: { ", b"} "),
    ))  # fmt: skip
    depth = rng.choice((70, 500, 990, 5000, 60_000))
    return opening * depth + (closing * depth if rng.random() < 0.7 else b"")


def damaged_json(content: bytes, rng: Random, other: bytes = b"") -> bytes:
    """A document with odd values, missing, repeated, exchanged and deeply nested parts. Not JSON: damaged as lines."""
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return damaged_lines(content, rng, other)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
        places = _places(document)
        if not places:
            break
        # A wrong entry may have made a place unreachable.
        with contextlib.suppress(KeyError, IndexError, TypeError):
            _edit(document, places, rng)
    text = json.dumps(document).encode("utf-8", "surrogatepass")
    if rng.random() < 0.02:
        text = text.replace(b"null", nested(rng)) if b"null" in text else text[:-1] + b', "a": ' + nested(rng) + b"}"
    return text[: 4 * _LARGEST]


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each value of a document, of long lists only to some."""
    entries: Any = (
        value.items() if isinstance(value, dict) else enumerate(value[:64]) if isinstance(value, list) else ()
    )
    found: list[tuple[Any, ...]] = []
    for key, entry in entries:
        found.append((*path, key))
        if len(path) < 12:
            found += _places(entry, (*path, key))
    return found


def _at(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


def _edit(document: Any, places: list[tuple[Any, ...]], rng: Random) -> None:
    path = rng.choice(places)
    parent, key = _at(document, path[:-1]), path[-1]
    value = parent[key]
    match rng.randrange(12):
        case 0 | 1 | 2:
            parent[key] = json.loads(json.dumps(rng.choice(_ODD_VALUES)))
        case 3:
            parent[key] = rng.choice(_ESCAPES).decode("utf-8", "replace")
        case 4:
            del parent[key]
        case 5 | 6:  # a value of elsewhere: references that lead into loops, accessors of the wrong kind
            parent[key] = json.loads(json.dumps(_at(document, rng.choice(places))))
        case 7 if isinstance(value, list):
            value.extend(json.loads(json.dumps(value)) * rng.choice((1, 2, 200)))
        case 7 if isinstance(parent, list):
            parent[:] = parent[key : key + 1] * rng.choice((2, 30, 3000))
        case 8 if isinstance(parent, list):
            parent.insert(rng.randrange(len(parent) + 1), json.loads(json.dumps(rng.choice(_ODD_VALUES))))
        case 8 if isinstance(parent, dict):
            parent[rng.choice(places)[-1] if rng.random() < 0.7 else "x"] = value
        case _ if isinstance(value, int) and not isinstance(value, bool):
            parent[key] = value + rng.choice((-100, -4, -1, 1, 2, 4, 12, 1000))
        case _:
            parent[key] = json.loads(json.dumps(rng.choice(_ODD_VALUES)))


def damaged_xml(content: bytes, rng: Random, other: bytes = b"") -> bytes:
    """Attributes with extreme values, elements lost, doubled, renamed, nested; entities and declarations."""
    text = content
    for _ in range(rng.choice((1, 1, 2, 3, 5))):
        start = rng.randrange(len(text) + 1)
        attribute = _ATTRIBUTE.search(text, start) or _ATTRIBUTE.search(text)
        element = _ELEMENT.search(text, start) or _ELEMENT.search(text)
        if attribute is None or element is None:
            break
        begin, end = element.span()
        match rng.randrange(11):
            case 0 | 1 | 2:
                value = (
                    number_word(attribute[2], rng)
                    if rng.random() < 0.7
                    else rng.choice((*_ESCAPES, b"&b;", b"&e9;", b""))
                )
                text = text[: attribute.start(2)] + value + text[attribute.end(2) :]
            case 3:
                text = text[: attribute.start()] + text[attribute.end() :]
            case 4:
                value = rng.choice(_ATTRIBUTE.findall(text))[1]  # a reference to something else
                text = text[: attribute.start(2)] + value + text[attribute.end(2) :]
            case 5:
                text = text[:begin] + text[end:]
            case 6:
                text = text[:begin] + element.group() * rng.choice((2, 3, 500)) + text[end:]
            case 7:
                named = rng.choice(_ELEMENT.findall(text))[1]
                text = text[: element.start(2)] + named + text[element.end(2) :]
            case 8:
                text = _with_prolog(text, rng)
            case 9:
                stop = text.find(b"</" + element.group(2), end)
                stop = end if stop < 0 else stop
                text = text[:begin] + text[begin:stop] * 2 + text[stop:]
            case _:
                changed = bytearray(text)
                change_number(changed, rng, b"")
                text = bytes(changed)
        text = text[:_LARGEST]
    if rng.random() < 0.02:
        text += nested(rng)
    return _recoded(text, rng) if rng.random() < 0.03 else text


def _with_prolog(text: bytes, rng: Random) -> bytes:
    root = re.search(rb"<[A-Za-z_]", text)
    at = root.start() if root and rng.random() < 0.8 else 0
    used = rng.choice((b"", b"&b;", b"&e9;"))
    stop = text.find(b">", at) + 1
    return text[:at] + rng.choice(_XML_PROLOGS) + text[at:stop] + used + text[stop:]
