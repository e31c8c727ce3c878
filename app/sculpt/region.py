"""The region of a dab: the vertices it can reach, ascending, and the factor of each.

chunk query -> vertices in reach, without hidden ones -> factor = falloff x hardness x mask x front faces x automask x
alpha. Buffers are made once per mesh, so nothing the size of the mesh is allocated inside a stroke.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.mesh.jit import kernel, prange, scaling_kernel
from app.mesh.mesh import Mesh
from app.sculpt.alpha import multiply_by_image, stamp_frame
from app.sculpt.automask import Protection
from app.sculpt.dabs import Dab
from app.sculpt.symmetry import feather

# Sums run over blocks of this many vertices of the region and then over the blocks in order: the same for any number
# of threads and any chunk size.
_SUM_BLOCK = 2048
# What is one thing or another: a vertex takes the goal whole, or not at all.
WHOLE = ("face_sets", "hidden")
# A face counts in full from this cosine between its normal and the view, so that the edge of sight leaves no step.
_FRONT_RAMP = 0.2


@dataclass(frozen=True, eq=False)
class Area:
    """Area centre (3,) float64, mm, and area normal (3,) float64, unit; zeros where there is none."""

    center: np.ndarray
    normal: np.ndarray


class Region:
    """The vertices of one dab. The arrays are views of buffers and hold until the next dab.

    vertices (k,) int32, ascending    factors (k,) float32, 0 to 1
    delta    (k, 3) or (k, 1) float32, for the brush to fill
    start    (V, 3) or (V, 1) float32, values of the edited attribute at the start of the stroke; valid at `vertices`
    start_normals  (V, 3) float32, unit, at the start of the stroke; valid at `vertices`, for brushes that declare it
    saved_at (V,) int32: `start` is valid where this equals `saving`; elsewhere the stroke has changed nothing yet
    begun    the area under the stroke's first dab on the surface
    """

    def __init__(self, vertex_count: int) -> None:
        self._vertices = np.empty(vertex_count, np.int32)
        self._factors = np.empty(vertex_count, np.float32)
        self._delta = np.empty(3 * vertex_count, np.float32)
        self.resize(0, 3)
        self.start = self.start_normals = np.empty((0, 3), np.float32)
        self.saved_at, self.saving = np.empty(0, np.int32), 0
        self.begun = Area(np.zeros(3), np.zeros(3))

    def resize(self, count: int, columns: int) -> None:
        """Make the views `count` vertices long."""
        self.vertices = self._vertices[:count]
        self.factors = self._factors[:count]
        self.delta = self._delta[: count * columns].reshape(count, columns)

    def area(
        self, mesh: Mesh, dab: Dab, positions: np.ndarray | None = None, normals: np.ndarray | None = None
    ) -> Area:
        """Averages under the dab, weighted by the factors; of what faces the viewer, unless nothing does.

        positions, normals: (V, 3), where others than the mesh's own are wanted, such as `start`.
        """
        positions = mesh.positions if positions is None else positions
        normals = mesh.normals if normals is None else normals
        blocks = (len(self.vertices) + _SUM_BLOCK - 1) // _SUM_BLOCK
        sums = np.zeros((blocks, 2, 7))
        _area_sums(self.vertices, self.factors, positions, normals, dab.view, sums)
        away, facing = sums.sum(axis=0)
        chosen = facing if facing[6] > 0 else away
        if not chosen[6] > 0:
            return Area(dab.center, np.zeros(3))
        length = float(np.linalg.norm(chosen[:3]))
        return Area(chosen[3:6] / chosen[6], chosen[:3] / length if length > 0 else dab.view)


class RegionFinder:
    """Finds regions on one mesh and owns their buffers."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._regions: list[Region] = []
        self._weight = np.zeros(mesh.vertex_count, np.float32)
        self._found = np.empty(mesh.vertex_count, np.int32)
        self._found_factors = np.empty(mesh.vertex_count, np.float32)
        self._chunks = np.empty(mesh.chunks.count, np.int64)
        self._starts = np.empty(mesh.chunks.count, np.int64)
        self._counts = np.empty(mesh.chunks.count, np.int64)

    @classmethod
    def of(cls, mesh: Mesh, dabs: int) -> RegionFinder:
        """The mesh's finder, with buffers for groups of so many mirrored dabs."""
        finder = mesh.scratch.get("regions")
        if finder is None:
            finder = mesh.scratch["regions"] = cls(mesh)
        while len(finder._regions) < dabs:
            finder._regions.append(Region(mesh.vertex_count))
        return finder

    def find(self, dabs: list[Dab], table: np.ndarray, attribute: str, protection: Protection) -> list[Region]:
        """Regions of a group of mirrored dabs, with the factors shared where they overlap.

        table: the falloff's table. The mask protects every attribute but itself.
        """
        columns = 1 if self._mesh.attribute(attribute).ndim == 1 else 3
        regions = self._regions[: len(dabs)]
        for region, dab in zip(regions, dabs, strict=True):
            self._find(region, dab, table, columns, attribute != "mask")
        if protection.active:
            if protection.waits:
                protection.begin([_nearest(region, self._mesh, dab) for region, dab in zip(regions, dabs, strict=True)])
            for image, (region, dab) in enumerate(zip(regions, dabs, strict=True)):
                protection.apply(image, region.vertices, region.factors, dab.view)
        if dabs[0].settings.alpha is not None:
            for region, dab in zip(regions, dabs, strict=True):
                self._stamp(region, dab, dabs[0].settings.alpha.image)
        if len(dabs) > 1 and attribute not in WHOLE:
            self._share(regions, dabs)
        return regions

    def _find(self, region: Region, dab: Dab, table: np.ndarray, columns: int, masked: bool) -> None:
        mesh, chunks = self._mesh, self._mesh.chunks
        count, candidates = _chunks_in_reach(
            dab.center, dab.radius, chunks.lower, chunks.upper, chunks.vertex_offsets, self._chunks, self._starts
        )
        ids, starts, counts = self._chunks[:count], self._starts[:count], self._counts[:count]
        front = dab.settings.front_faces_only and bool(dab.view.any())
        _reach.pick(candidates)(
            ids,
            starts,
            counts,
            chunks.vertex_offsets,
            mesh.positions,
            dab.center,
            dab.radius,
            table,
            mesh.mask,
            masked,
            mesh.hidden,
            mesh.normals,
            dab.view,
            front,
            self._found,
            self._found_factors,
        )
        region.resize(int(counts.sum()), columns)
        _pack.pick(candidates)(starts, counts, self._found, self._found_factors, region.vertices, region.factors)

    def _stamp(self, region: Region, dab: Dab, image: np.ndarray) -> None:
        area = region.area(self._mesh, dab)
        travel = dab.travel if dab.settings.alpha_rake or dab.alone else None
        right, top = stamp_frame(area.normal, dab.up, travel, dab.angle, dab.handed)
        multiply_by_image(
            region.vertices, region.factors, self._mesh.positions, dab.center, right, top, dab.radius, image
        )

    def _share(self, regions: list[Region], dabs: list[Dab]) -> None:
        """Weigh mirrored dabs that overlap: `feather` for each, and where their factors still sum to more than 1,
        divided by the sum. So no vertex is taken beyond the (mean) goal, and neither side comes first."""
        centers = np.array([dab.center for dab in dabs])
        if np.linalg.norm(centers[1:] - centers[0], axis=1).min() >= 2 * dabs[0].radius:
            return
        weight = feather(centers, dabs[0].radius)
        for region in regions:
            _add_weight(region.vertices, region.factors, np.float32(weight), self._weight)
        for region in regions:
            _limit(region.vertices, region.factors, self._weight)
        for region in regions:
            self._weight[region.vertices] = 0


def _nearest(region: Region, mesh: Mesh, dab: Dab) -> int:
    """The vertex of a region that is nearest to the dab's centre; -1 where there is none."""
    if not len(region.vertices):
        return -1
    away = mesh.positions[region.vertices] - dab.center
    return int(region.vertices[np.argmin(np.einsum("ij,ij->i", away, away))])


@kernel
def _chunks_in_reach(center, radius, lower, upper, offsets, chunks, starts):
    """Chunks whose box meets the ball, ascending, and where each writes its finds. Returns how many, and their size."""
    count = 0
    vertices = 0
    for c in range(len(lower)):
        distance = 0.0
        for k in range(3):
            outside = max(lower[c, k] - center[k], center[k] - upper[c, k], 0.0)
            distance += outside * outside
        if distance <= radius * radius:
            chunks[count] = c
            starts[count] = vertices
            count += 1
            vertices += offsets[c + 1] - offsets[c]
    return count, vertices


@scaling_kernel
def _reach(
    chunks,
    starts,
    counts,
    offsets,
    positions,
    center,
    radius,
    table,
    mask,
    masked,
    hidden,
    normals,
    view,
    front,
    found,
    found_factors,
):
    cx, cy, cz = np.float32(center[0]), np.float32(center[1]), np.float32(center[2])
    reach = np.float32(radius * radius)
    scale = np.float32((len(table) - 2) / radius)
    for i in prange(len(chunks)):
        place = starts[i]
        for index in range(offsets[chunks[i]], offsets[chunks[i] + 1]):
            vertex = np.uint32(index)
            dx = positions[vertex, 0] - cx
            dy = positions[vertex, 1] - cy
            dz = positions[vertex, 2] - cz
            distance = dx * dx + dy * dy + dz * dz
            if not distance <= reach:  # also where a vertex is nowhere: its cell in the table would be, too
                continue
            if hidden[vertex] != 0:
                continue
            cell = np.sqrt(distance) * scale
            left = min(np.int32(cell), np.int32(len(table) - 2))
            factor = table[left] + (table[left + 1] - table[left]) * (cell - np.float32(left))
            if masked:
                factor *= np.float32(1) - mask[vertex]
            if front:
                facing = normals[vertex, 0] * view[0] + normals[vertex, 1] * view[1] + normals[vertex, 2] * view[2]
                factor *= np.float32(min(max(facing / _FRONT_RAMP, 0.0), 1.0))
            if factor > 0:
                found[place] = index
                found_factors[place] = factor
                place += 1
        counts[i] = place - starts[i]


@scaling_kernel
def _pack(starts, counts, found, found_factors, vertices, factors):
    ends = np.cumsum(counts)
    for i in prange(len(starts)):
        shift = starts[i] - (ends[i] - counts[i])
        for k in range(ends[i] - counts[i], ends[i]):
            vertices[k] = found[k + shift]
            factors[k] = found_factors[k + shift]


@kernel
def _add_weight(vertices, factors, weight, total):
    for i in range(len(vertices)):
        factors[i] *= weight
        total[vertices[i]] += factors[i]


@kernel
def _limit(vertices, factors, total):
    for i in range(len(vertices)):
        factors[i] /= max(np.float32(1), total[vertices[i]])


@scaling_kernel
def _area_sums(vertices, factors, positions, normals, view, sums):
    """Per block and side (0 away from the view, 1 facing it): weighted normal, weighted position, weight."""
    for block in prange(len(sums)):
        # Summed in registers: seven sums in memory would wait for each other's stores.
        nx = ny = nz = px = py = pz = total = 0.0
        fnx = fny = fnz = fpx = fpy = fpz = facing = 0.0
        for i in range(block * _SUM_BLOCK, min(len(vertices), (block + 1) * _SUM_BLOCK)):
            v = np.uint32(vertices[i])
            weight = np.float64(factors[i])
            x, y, z = normals[v, 0], normals[v, 1], normals[v, 2]
            if x * view[0] + y * view[1] + z * view[2] > 0:
                fnx += weight * x
                fny += weight * y
                fnz += weight * z
                fpx += weight * positions[v, 0]
                fpy += weight * positions[v, 1]
                fpz += weight * positions[v, 2]
                facing += weight
            else:
                nx += weight * x
                ny += weight * y
                nz += weight * z
                px += weight * positions[v, 0]
                py += weight * positions[v, 1]
                pz += weight * positions[v, 2]
                total += weight
        sums[block, 0, 0], sums[block, 0, 1], sums[block, 0, 2] = nx, ny, nz
        sums[block, 0, 3], sums[block, 0, 4], sums[block, 0, 5], sums[block, 0, 6] = px, py, pz, total
        sums[block, 1, 0], sums[block, 1, 1], sums[block, 1, 2] = fnx, fny, fnz
        sums[block, 1, 3], sums[block, 1, 4], sums[block, 1, 5], sums[block, 1, 6] = fpx, fpy, fpz, facing
