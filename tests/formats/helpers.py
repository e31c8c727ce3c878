"""One round trip, one comparison and one fuzzer for all formats.

A format's test writes these soups, reads them back with our reader and with somebody else's, and compares corner by
corner: triangles as three points, with their colours and texture coordinates, in file order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from app.errors import LikenessError, UnreadableFile
from app.formats.registry import Limits, WriteOptions, formats, no_progress
from app.mesh.build import build_mesh
from app.mesh.soup import Material, Soup, Texture
from tests.meshes import cube_soup, icosphere_soup, textured_soup

Read = Callable[[Path], Soup]
COLOR_STEP = 1 / 255


def painted() -> Soup:
    """A sphere of 320 triangles with a colour on each of its 162 vertices, every value a whole 255th."""
    soup = icosphere_soup(2)
    soup.colors = (np.round((soup.positions / 10.0 * 0.5 + 0.5) * 255) / 255).astype(np.float32)
    return soup


def patchwork() -> Soup:
    """A textured ball, a cube with another texture, and a red cube: three materials, in this order in the file."""
    ball, cube, plain = textured_soup(12, 6), cube_soup(5.0), cube_soup(4.0)
    checks = np.indices((16, 16)).sum(axis=0) % 2 * 255
    texture = Texture.from_pixels(np.stack((checks, 255 - checks, checks), axis=-1).astype(np.uint8), "checks")
    assert ball.uv is not None
    assert ball.corner_uv is not None
    cube_uv = np.tile(np.arange(3, dtype=np.int32), (12, 1)) + len(ball.uv)
    nowhere = np.full((12, 3), len(ball.uv), np.int32)
    return Soup(
        np.concatenate((ball.positions, cube.positions + np.float32(30), plain.positions - np.float32(30))),
        np.concatenate(
            (ball.triangles, cube.triangles + len(ball.positions), plain.triangles + len(ball.positions) + 8)
        ),
        uv=np.concatenate((ball.uv, np.array([[0.1, 0.1], [0.3, 0.8], [0.9, 0.6]], np.float32))),
        corner_uv=np.concatenate((ball.corner_uv, cube_uv, nowhere)).astype(np.int32),
        triangle_material=np.repeat(np.arange(3, dtype=np.int16), [len(ball.triangles), 12, 12]),
        materials=[*ball.materials, Material("cube", texture=texture), Material("red", (1.0, 0.2, 0.0))],
        unit_mm=1.0,
    )


def reader(format_id: str) -> Read:
    """A format's reader with the usual limits."""
    read = formats()[format_id].read
    assert read is not None
    return lambda path: read(path, Limits(), no_progress)


def written(format_id: str, soup: Soup, path: Path, options: WriteOptions | None = None) -> Path:
    """Write a soup; returns the path."""
    write = formats()[format_id].write
    assert write is not None
    write(soup, path, options or WriteOptions(), no_progress)
    return path


def round_trip(format_id: str, soup: Soup, path: Path, options: WriteOptions | None = None) -> Soup:
    """Write a soup and read it back with our own reader."""
    return reader(format_id)(written(format_id, soup, path, options))


def corners(soup: Soup) -> np.ndarray:
    """(T, 3, 3) positions of the corners."""
    return soup.positions[soup.triangles]


def corner_colors(soup: Soup) -> np.ndarray:
    """(T, 3, 3) colours of the corners."""
    assert soup.colors is not None
    return soup.colors[soup.triangles]


def corner_uv(soup: Soup) -> np.ndarray:
    """(T, 3, 2) texture coordinates of the corners."""
    assert soup.uv is not None
    assert soup.corner_uv is not None
    return soup.uv[soup.corner_uv]


def corner_pixels(soup: Soup) -> np.ndarray:
    """(T, 3, 3) uint8: the texel under each corner, or the base colour; what a viewer would show there."""
    out = np.empty((len(soup.triangles), 3, 3), np.uint8)
    material = np.zeros(len(soup.triangles), int) if soup.triangle_material is None else soup.triangle_material
    for row, number in enumerate(material):
        texture = soup.materials[number].texture
        if texture is None:
            out[row] = np.round(np.array(soup.materials[number].base_color) * 255)
            continue
        pixels, uv = texture.pixels(), corner_uv(soup)[row]
        x = np.clip((uv[:, 0] * pixels.shape[1]).astype(int), 0, pixels.shape[1] - 1)
        y = np.clip(((1 - uv[:, 1]) * pixels.shape[0]).astype(int), 0, pixels.shape[0] - 1)
        out[row] = pixels[y, x]
    return out


def sample_pixels(image: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """The texel under texture coordinates with their origin at the lower left. uv: (..., 2)."""
    x = np.clip((uv[..., 0] * image.shape[1]).astype(int), 0, image.shape[1] - 1)
    y = np.clip(((1 - uv[..., 1]) * image.shape[0]).astype(int), 0, image.shape[0] - 1)
    return image[y, x, :3]


def mutations(data: bytes, seed: int, count: int) -> Iterator[bytes]:
    """Damaged copies of a file: cut off, bytes changed, pieces doubled, swapped, removed, numbers made huge."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        copy = bytearray(data)
        for _ in range(int(rng.integers(1, 4))):
            at, length = int(rng.integers(0, max(1, len(copy)))), int(rng.integers(1, 24))
            match int(rng.integers(0, 7)):
                case 0:
                    del copy[at:]
                case 1:
                    copy[at : at + length] = rng.integers(0, 256, length, np.uint8).tobytes()
                case 2:
                    copy[at:at] = copy[at : at + length]
                case 3:
                    del copy[at : at + length]
                case 4:
                    copy[at : at + 1] = b"\xff" if rng.integers(2) else b"\0"
                case 5:
                    copy[at : at + 4] = b"9999"
                case _:
                    copy[at : at + 1] = bytes([copy[at] ^ (1 << int(rng.integers(8)))]) if copy else b""
        yield bytes(copy)


def assert_survives(read: Read, data: bytes, path: Path, *, seed: int = 1, count: int = 150) -> None:
    """Damaged files give one of our errors with advice, or a soup that becomes a mesh; some give each."""
    refused = 0
    for copy in mutations(data, seed, count):
        path.write_bytes(copy)
        outcome = _outcome(read, path)
        if isinstance(outcome, Soup):
            mesh = build_mesh(outcome)
            assert mesh.triangle_count == len(outcome.triangles) > 0
            assert np.isfinite(mesh.positions).all()
            assert outcome.up in ("y", "z")
        else:
            assert isinstance(outcome, UnreadableFile)
            assert outcome.what
            assert outcome.where
            assert outcome.advice
            refused += 1
    assert 0 < refused < count


def _outcome(read: Read, path: Path) -> Soup | LikenessError:
    try:
        return read(path)
    except LikenessError as error:
        return error
