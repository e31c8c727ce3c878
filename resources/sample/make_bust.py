"""Make the sample base mesh, `bust.glb`: a bust that we modelled ourselves, with the flaws that AI meshes have.

    .venv/bin/python resources/sample/make_bust.py

It has about 100,000 triangles, a 2048 pixel JPEG texture, y up, metres, 1.2 units tall. On purpose it also has:
vertices split along the seams of its texture, crumbs floating beside it, a hole in the back, a patch of the back of the
head twice, a soft nose and soft lids, slight asymmetry, and light baked into the texture.
The same file comes out of every run on one version of the libraries.
"""

from __future__ import annotations

import io
import json
import struct
import sys
from pathlib import Path

import fast_simplification
import numpy as np
import pyvista as pv
from PIL import Image
from scipy.ndimage import distance_transform_edt

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent)]

import bust_atlas
import bust_paint
import bust_shape as shape

STEP = 0.14  # cm between samples of the distance field
TRIANGLES = 99_500
TEXTURE = 2048
JPEG_QUALITY = 88
HEIGHT = 1.2
# Texels per cm of skin, eye, hair, clothes, plinth, relative to each other.
DENSITY = np.array([2.6, 2.6, 1.3, 0.9, 0.6])
_BATCH = 200_000


def main() -> None:
    positions, triangles = simplified(*contoured(sampled_field()))
    positions, triangles = flawed(positions, triangles)
    parts = part_of(positions, triangles)
    atlas = bust_atlas.make_atlas(positions, triangles, parts, DENSITY, TEXTURE)
    texture = painted(positions, triangles, atlas)
    target = HERE / "bust.glb"
    write_glb(target, placed(positions)[atlas.wedge_vertex], atlas.corner_uv, atlas.uv, texture)
    counts = f"{len(triangles):,} triangles, {len(positions):,} points, {len(atlas.uv):,} vertices with seams"
    print(f"{target.name}: {counts}")
    print(f"{atlas.charts} charts, texture {len(texture):,} bytes, file {target.stat().st_size:,} bytes")


def sampled_field() -> pv.ImageData:
    """The distance field on a grid: sampled everywhere coarsely, and finely only where the surface can be."""
    coarse_step = 5 * STEP
    coarse_axes, fine_axes = ([_ticks(axis, step) for axis in range(3)] for step in (coarse_step, STEP))
    coarse = _sample(np.stack(np.meshgrid(*coarse_axes, indexing="ij"), axis=-1).reshape(-1, 3))
    coarse = coarse.reshape([len(axis) for axis in coarse_axes])
    nearest = [
        np.minimum(np.rint((ticks - ticks[0]) / coarse_step).astype(int), len(wide) - 1)
        for ticks, wide in zip(fine_axes, coarse_axes, strict=True)
    ]
    field = coarse[np.ix_(*nearest)]
    near = np.nonzero(np.abs(field) < coarse_step + 0.5)
    field[near] = _sample(np.stack([ticks[index] for ticks, index in zip(fine_axes, near, strict=True)], axis=1))
    grid = pv.ImageData(dimensions=field.shape, spacing=(STEP,) * 3, origin=shape.LOWER)
    grid["distance"] = field.ravel(order="F")
    return grid


def _ticks(axis: int, step: float) -> np.ndarray:
    return shape.LOWER[axis] + step * np.arange(int(np.ceil((shape.UPPER[axis] - shape.LOWER[axis]) / step)) + 1)


def _sample(points: np.ndarray) -> np.ndarray:
    batches = np.array_split(points, len(points) // _BATCH + 1)
    return np.concatenate([shape.distance(batch) for batch in batches]).astype(np.float32)


def contoured(grid: pv.ImageData) -> tuple[np.ndarray, np.ndarray]:
    surface = grid.contour([0.0], scalars="distance").triangulate().clean()
    inside_out = surface.regular_faces[:, ::-1]  # the contour filter takes the larger values for the inside
    return np.asarray(surface.points, np.float32), inside_out.astype(np.int32)


def simplified(positions: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    points, faces = fast_simplification.simplify(positions, triangles, target_count=TRIANGLES, agg=5.0)
    return settled(points.astype(np.float64)), faces.astype(np.int64)


def settled(points: np.ndarray, steps: int = 3, reach: float = 0.02, longest: float = 0.08) -> np.ndarray:
    """Vertices moved back onto the surface, which decimation had left: two or three Newton steps, none far."""
    for _ in range(steps):
        value = shape.distance(points)
        gradient = np.stack(
            [shape.distance(points + reach * axis) - shape.distance(points - reach * axis) for axis in np.eye(3)],
            axis=1,
        ) / (2 * reach)
        move = -value[:, None] * gradient / np.maximum((gradient**2).sum(axis=1, keepdims=True), 0.1)
        length = np.linalg.norm(move, axis=1, keepdims=True)
        points = points + move * np.minimum(1, longest / np.maximum(length, 1e-12))
    return points


def flawed(positions: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A hole between the shoulder blades, and a second skin a little below the back of the hair."""
    middles = positions[triangles].mean(axis=1)
    back = middles[:, 2] < 0
    hole = back & (np.hypot(middles[:, 0] - 4.0, middles[:, 1] + 19.5) < 0.55)
    patch = triangles[back & (np.hypot(middles[:, 0] + 1.0, middles[:, 1] - 2.0) < 2.2)]
    used, patch = np.unique(patch, return_inverse=True)
    second = positions[used] * 0.93 + np.array([0, 0.14, 0])
    triangles = np.concatenate((triangles[~hole], patch.reshape(-1, 3) + len(positions)))
    return np.concatenate((positions, second)), triangles


def part_of(positions: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(T,) what each triangle is made of; eyes share the charts of the skin."""
    parts = shape.distances(positions[triangles].mean(axis=1)).argmin(axis=0)
    return np.where(parts == shape.EYE, shape.SKIN, parts)


def painted(positions: np.ndarray, triangles: np.ndarray, atlas: bust_atlas.Atlas) -> bytes:
    """The texture, JPEG. Gutters repeat the nearest texel, so that mipmaps and filters show no seam."""
    owner = np.full((TEXTURE, TEXTURE), -1, np.int32)
    weights = np.zeros((TEXTURE, TEXTURE, 2))
    bust_atlas.fill_texels(atlas.uv, atlas.corner_uv, TEXTURE, owner, weights)
    shown = owner >= 0
    share = np.concatenate((1 - weights[shown].sum(axis=1, keepdims=True), weights[shown]), axis=1)
    corners = triangles[owner[shown]]
    normals = smooth_normals(positions, triangles)
    points = (positions[corners] * share[:, :, None]).sum(axis=1)
    directions = (normals[corners] * share[:, :, None]).sum(axis=1)
    directions /= np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-12)
    batches = len(points) // _BATCH + 1
    colors = [
        bust_paint.paint(some, ways)
        for some, ways in zip(np.array_split(points, batches), np.array_split(directions, batches), strict=True)
    ]
    image = np.zeros((TEXTURE, TEXTURE, 3), np.uint8)
    image[shown] = np.concatenate(colors).round()
    nearest = distance_transform_edt(~shown, return_distances=False, return_indices=True)
    encoded = io.BytesIO()
    Image.fromarray(image[tuple(nearest)]).save(encoded, "JPEG", quality=JPEG_QUALITY, subsampling=1, optimize=True)
    return encoded.getvalue()


def smooth_normals(positions: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    corners = positions[triangles]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(positions)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], faces)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def placed(positions: np.ndarray) -> np.ndarray:
    """Metres, standing around the origin as generators deliver it."""
    lower, upper = positions.min(axis=0), positions.max(axis=0)
    return ((positions - (lower + upper) / 2) * (HEIGHT / (upper[1] - lower[1]))).astype(np.float32)


def write_glb(path: Path, positions: np.ndarray, triangles: np.ndarray, uv: np.ndarray, jpeg: bytes) -> None:
    """Binary glTF 2.0, one primitive, as the services write it."""
    flipped = np.stack((uv[:, 0], 1 - uv[:, 1]), axis=1).astype(np.float32)
    short = len(positions) <= np.iinfo(np.uint16).max
    indices = triangles.astype(np.uint16 if short else np.uint32)
    blobs = [indices.tobytes(), positions.tobytes(), flipped.tobytes(), jpeg]
    views, body = [], b""
    for blob, target in zip(blobs, (34963, 34962, 34962, None), strict=True):
        views.append(
            {"buffer": 0, "byteOffset": len(body), "byteLength": len(blob)} | ({"target": target} if target else {})
        )
        body += blob + b"\0" * (-len(blob) % 4)
    document = {
        "asset": {"version": "2.0", "generator": "Likeness sample bust", "copyright": "CC0-1.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "bust"}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 1, "TEXCOORD_0": 2}, "indices": 0, "material": 0}]}],
        "materials": [
            {"name": "bust", "pbrMetallicRoughness": {"baseColorTexture": {"index": 0}, "metallicFactor": 0}}
        ],
        "textures": [{"source": 0, "sampler": 0}],
        "samplers": [{"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}],
        "images": [{"bufferView": 3, "mimeType": "image/jpeg"}],
        "accessors": [
            {"bufferView": 0, "componentType": 5123 if short else 5125, "count": indices.size, "type": "SCALAR"},
            {"bufferView": 1, "componentType": 5126, "count": len(positions), "type": "VEC3"}
            | {"min": positions.min(axis=0).tolist(), "max": positions.max(axis=0).tolist()},
            {"bufferView": 2, "componentType": 5126, "count": len(flipped), "type": "VEC2"},
        ],
        "bufferViews": views,
        "buffers": [{"byteLength": len(body)}],
    }
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    length = 12 + 8 + len(text) + 8 + len(body)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(body), b"BIN\0") + body
    path.write_bytes(struct.pack("<4sII", b"glTF", 2, length) + chunks)


if __name__ == "__main__":
    main()
