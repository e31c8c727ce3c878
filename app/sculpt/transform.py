"""The transform of the free part: what neither the mask protects nor is hidden is moved, turned and scaled.

    p' = pivot + w move + Rz(w z) Ry(w y) Rx(w x) S(w) (p - pivot),   S(w) = 1 + w (scale - 1),   w = 1 - mask

Each angle, length and factor is taken by the share w that a vertex is free, so a soft edge of the mask bends on an arc
instead of being sheared along a chord, and angles may go on past a full turn. Mirror planes play no part.
What does not live here: the gizmo (`app.viewport.gizmo`), the mode (`app.widgets.transform_mode`).
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from app.errors import InvalidInput
from app.mesh.jit import parallel_kernel, prange, scaling_kernel
from app.mesh.mesh import Mesh
from app.sculpt.history import History

Vector = tuple[float, float, float]

SMALLEST_SCALE, LARGEST_SCALE = 0.01, 100.0
# Ten metres either way are nonsense for a figurine, but finite.
FARTHEST_MM = 1e4
_BLOCK = 4096


@dataclass(frozen=True)
class Transform:
    """move: mm. turn: degrees about X, then Y, then Z, right-handed. scale: factors along X, Y, Z, before the turn.

    Raises InvalidInput for a number that is not finite, a move past ten metres, or a scale out of range.
    """

    move: Vector = (0.0, 0.0, 0.0)
    turn: Vector = (0.0, 0.0, 0.0)
    scale: Vector = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        if not np.isfinite((*self.move, *self.turn, *self.scale)).all() or max(map(abs, self.move)) > FARTHEST_MM:
            raise InvalidInput("the transform leaves all bounds", advice="Give smaller numbers")
        if not all(SMALLEST_SCALE <= factor <= LARGEST_SCALE for factor in self.scale):
            raise InvalidInput(
                "the part cannot be scaled so",
                advice=f"Give a scale from {100 * SMALLEST_SCALE:.0f} to {100 * LARGEST_SCALE:,.0f} %",
            )

    @property
    def identity(self) -> bool:
        """Whether it leaves everything where it is."""
        return self == Transform()

    @property
    def label(self) -> str:
        """What the history calls it."""
        only = {
            "Move": Transform(move=self.move),
            "Rotate": Transform(turn=self.turn),
            "Scale": Transform(scale=self.scale),
        }
        return next((name for name, part in only.items() if part == self), "Transform")

    @property
    def size(self) -> float:
        """The one factor that makes the part as large, by volume, as the three of `scale` do."""
        return float(np.prod(self.scale)) ** (1 / 3)

    def resized(self, size: float) -> Transform:
        """The same with another `size`; factors that differ keep their ratios, within what is allowed."""
        x, y, z = (min(max(part * size / self.size, SMALLEST_SCALE), LARGEST_SCALE) for part in self.scale)
        return replace(self, scale=(x, y, z))

    def about(self, pivot: np.ndarray, other: np.ndarray) -> Transform:
        """What takes all that is wholly free to the same place, but about another pivot, (3,) mm."""
        if self.turn == Transform().turn and self.scale == Transform().scale:
            return self
        matrix, step = self.rotation() * np.array(self.scale), np.asarray(other) - pivot
        x, y, z = (np.array(self.move) + matrix @ step - step).clip(-FARTHEST_MM, FARTHEST_MM).tolist()
        return replace(self, move=(x, y, z))

    def origin_of(self, place: np.ndarray, pivot: np.ndarray) -> np.ndarray:
        """(3,) float64, mm: where something wholly free was that is now at a place, (3,) mm."""
        matrix = self.rotation() * np.array(self.scale)
        return pivot + np.linalg.solve(matrix, np.asarray(place, np.float64) - pivot - self.move)

    def rotation(self) -> np.ndarray:
        """(3, 3) float64, for column vectors: the whole turn. Its columns are where the part's own axes point."""
        x, y, z = (_about(axis, degrees) for axis, degrees in enumerate(self.turn))
        return z @ y @ x

    def turn_axes(self) -> np.ndarray:
        """(3, 3) float64: rows are the axes about which a little more of each angle turns the part as it is now."""
        _, y, z = (_about(axis, degrees) for axis, degrees in enumerate(self.turn))
        return np.array([(z @ y)[:, 0], z[:, 1], (0.0, 0.0, 1.0)])


class FreePart:
    """What a transform takes along. vertices: (k,) int32, ascending; weights: (k,) float32, above 0 to 1."""

    def __init__(self, mesh: Mesh) -> None:
        weights = np.where(mesh.hidden != 0, np.float32(0), np.float32(1) - mesh.mask).astype(np.float32)
        self._mesh = mesh
        self.vertices = np.flatnonzero(weights > 0).astype(np.int32)
        self.weights = weights[self.vertices]

    @property
    def whole(self) -> bool:
        """Whether it is all of the model."""
        return len(self.vertices) == self._mesh.vertex_count and bool((self.weights == 1).all())

    def middle(self) -> np.ndarray:
        """(3,) float64, mm: the mean of its vertices by weight. Zeros where it is empty."""
        if not len(self.vertices):
            return np.zeros(3)
        total = np.einsum("i,ij->j", self.weights, self._mesh.positions[self.vertices], dtype=np.float64)
        return total / self.weights.sum(dtype=np.float64)

    def border(self) -> np.ndarray | None:
        """(3,) float64, mm: the mean of where visible edges go from protected to free; None where none does.

        An edge counts by how much the mask changes along it, so a hard and a soft border lie in the same place.
        """
        mesh, topology = self._mesh, self._mesh.topology
        sums = np.zeros(((mesh.vertex_count + _BLOCK - 1) // _BLOCK, 4))
        _border_sums(mesh.positions, mesh.mask, mesh.hidden, topology.ring_offsets, topology.ring, sums)
        total = sums.sum(axis=0)
        return total[:3] / total[3] if total[3] > 0 else None


class TransformInHand:
    """A transform that can still be changed: set it as often as wanted, then finish or cancel it.

    From the first that is no identity to the end the history records, so nothing else may change the mesh meanwhile.
    """

    def __init__(self, mesh: Mesh, history: History, part: FreePart) -> None:
        self._mesh, self._history, self._part = mesh, history, part
        self._run: Generator[None, tuple[Transform, np.ndarray] | None, None] | None = None

    @property
    def open(self) -> bool:
        """Whether anything is away from where it was."""
        return self._run is not None

    def set(self, transform: Transform, pivot: np.ndarray) -> None:
        """Put the part where a transform about a pivot, (3,) mm, takes it from where it was at first."""
        if transform.identity:
            self.cancel()
            return
        if self._run is None:
            self._run = self._recorded()
            next(self._run)
        try:
            self._run.send((transform, np.asarray(pivot, np.float64)))
        except BaseException:
            self._run = None  # it has rolled itself back
            raise

    def finish(self) -> None:
        """Make what was set one step of the history; nothing where no vertex moved."""
        run, self._run = self._run, None
        if run is not None:
            with suppress(StopIteration):
                run.send(None)

    def cancel(self) -> None:
        """Put everything back to the bit."""
        run, self._run = self._run, None
        if run is not None:
            run.close()

    def _recorded(self) -> Generator[None, tuple[Transform, np.ndarray] | None, None]:
        mesh, part = self._mesh, self._part
        with self._history.record("Transform") as recorder:
            recorder.capture("positions", part.vertices)
            start = recorder.start("positions")
            while (wanted := (yield)) is not None:
                transform, pivot = wanted
                recorder.label = transform.label
                move_part(part, start, transform, pivot, mesh.positions)
                mesh.touched("positions", part.vertices)


def move_part(
    part: FreePart, start: np.ndarray, transform: Transform, pivot: np.ndarray, positions: np.ndarray
) -> None:
    """Write where the vertices of a part go. start, positions: (V, 3) float32, mm; pivot: (3,) float64, mm."""
    _transform(
        part.vertices,
        part.weights,
        start,
        pivot,
        np.array(transform.move),
        np.radians(transform.turn),
        np.array(transform.scale),
        transform.rotation() * np.array(transform.scale),
        positions,
    )


def _about(axis: int, degrees: float) -> np.ndarray:
    """(3, 3) float64: right-handed rotation about a coordinate axis."""
    first, second = (axis + 1) % 3, (axis + 2) % 3
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.eye(3)
    matrix[[first, second], [first, second]] = cos
    matrix[second, first], matrix[first, second] = sin, -sin
    return matrix


@scaling_kernel
def _transform(vertices, weights, start, pivot, move, radians, scale, matrix, positions):
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        w = np.float64(weights[i])
        x = start[v, 0] - pivot[0]
        y = start[v, 1] - pivot[1]
        z = start[v, 2] - pivot[2]
        if w == 1.0:
            positions[v, 0] = pivot[0] + (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z + move[0])
            positions[v, 1] = pivot[1] + (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z + move[1])
            positions[v, 2] = pivot[2] + (matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z + move[2])
            continue
        x *= 1.0 + w * (scale[0] - 1.0)
        y *= 1.0 + w * (scale[1] - 1.0)
        z *= 1.0 + w * (scale[2] - 1.0)
        if radians[0] != 0.0:
            cos, sin = np.cos(w * radians[0]), np.sin(w * radians[0])
            y, z = cos * y - sin * z, sin * y + cos * z
        if radians[1] != 0.0:
            cos, sin = np.cos(w * radians[1]), np.sin(w * radians[1])
            z, x = cos * z - sin * x, sin * z + cos * x
        if radians[2] != 0.0:
            cos, sin = np.cos(w * radians[2]), np.sin(w * radians[2])
            x, y = cos * x - sin * y, sin * x + cos * y
        positions[v, 0] = pivot[0] + (x + w * move[0])
        positions[v, 1] = pivot[1] + (y + w * move[1])
        positions[v, 2] = pivot[2] + (z + w * move[2])


@parallel_kernel
def _border_sums(positions, mask, hidden, offsets, ring, sums):
    for block in prange(len(sums)):
        for v in range(block * _BLOCK, min(len(positions), (block + 1) * _BLOCK)):
            if hidden[v] != 0:
                continue
            for k in range(offsets[v], offsets[v + 1]):
                other = ring[k]
                change = abs(mask[other] - mask[v])
                if change == 0 or hidden[other] != 0:
                    continue
                for axis in range(3):
                    sums[block, axis] += change * 0.5 * (np.float64(positions[v, axis]) + positions[other, axis])
                sums[block, 3] += change
