"""One damaged case from a whole one: which file of it, and which kind of damage, by what the file is."""

from __future__ import annotations

from pathlib import PurePosixPath
from random import Random

from tests.fuzzing.blind import damaged
from tests.fuzzing.case import Case
from tests.fuzzing.packages import damaged_glb, damaged_zip
from tests.fuzzing.pictures import damaged_picture
from tests.fuzzing.texts import damaged_json, damaged_lines, damaged_xml, nested

_JSON, _XML = (".gltf", ".json"), (".model", ".rels", ".xml", ".dae")
_LINES = (".obj", ".mtl", ".wrl", ".off", ".usda", ".toml", ".txt", ".vrml")
_MAYBE_LINES = (".ply", ".stl", ".fbx")
_ZIPS = (".3mf", ".zip", ".usdz")
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif", ".tga")
_BLIND = 0.25
_MAIN = 0.7


def mutated(case: Case, other: Case, rng: Random, *, only: tuple[str, ...] = ()) -> Case:
    """A damaged copy. other: a case to take pieces from. only: suffixes of the files that may be damaged."""
    names = [name for name in case.files if not only or PurePosixPath(name).suffix.lower() in only]
    name = case.main if case.main in names and rng.random() < _MAIN else rng.choice(names or [case.main])
    return case.with_file(name, damaged_file(name, case.files[name], rng, other.files[other.main]))


def damaged_file(name: str, content: bytes, rng: Random, other: bytes = b"") -> bytes:
    """A damaged copy of a file, by its kind or, for a quarter of them, blindly."""
    suffix = PurePosixPath(name).suffix.lower()
    if rng.random() < _BLIND:
        return damaged(content, rng, other)
    if suffix in _JSON:
        return damaged_json(content, rng, other)
    if suffix in _XML:
        return damaged_xml(content, rng, other)
    if suffix == ".glb":
        return damaged_glb(content, rng, other)
    if suffix in _ZIPS:
        return damaged_zip(content, rng, damaged_file)
    if suffix in _PICTURES:
        return damaged_picture(content, rng, other)
    if suffix in _LINES or (suffix in _MAYBE_LINES and b"\0" not in content[:1024]):
        if rng.random() < 0.02:
            at = rng.randrange(len(content) + 1)
            return content[:at] + nested(rng) + content[at:]
        return damaged_lines(content, rng, other)
    if suffix == ".likeness":
        from tests.fuzzing.databases import damaged_database

        return damaged_database(content, rng)
    if suffix in _MAYBE_LINES:
        return _binary_with_text_head(content, rng, other)
    return damaged(content, rng, other)


def _binary_with_text_head(content: bytes, rng: Random, other: bytes) -> bytes:
    """A binary PLY keeps its header as lines; other binary files are damaged blindly."""
    end = content.find(b"end_header\n")
    if end < 0 or rng.random() < 0.4:
        return damaged(content, rng, other)
    end += len(b"end_header\n")
    return damaged_lines(content[: end - 1], rng) + b"\n" + content[end:]
