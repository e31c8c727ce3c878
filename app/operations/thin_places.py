"""Where walls are too thin, and balls that make them thick enough.

What does not live here: measuring walls (`app.mesh.thickness`), making a surface of the balls (`thicken`).

Balls that just fit into the model, touching it at places all over the thin parts, are made larger by what is missing
on that side: so the surface moves outward by that, on any shape, and no farther at edges and rims. If this ended where
walls are thick enough, its underside would stand out there like a knob, and make new thin walls with the surface beside
it. So it ebbs away: beside a place where the surface has to move by g, it moves by g less a part of the distance, until
it lies a little below the old surface.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from app.mesh.mesh import Mesh
from app.mesh.thickness import Walls
from app.operations.operation import Progress, part_of

# Of the thickness: distance between the places where it is measured, and balls that count as one.
_APART, _SAME = 0.22, 0.06
# Of the thickness: places so near to each other make one patch.
_TOGETHER = 0.5
# Growth ebbs away by so much per distance, down to this part of the thickness below the surface.
_SLOPE, _BELOW = 0.4, 0.12
# Growths that are told apart there.
_GROWTHS = 8
# Balls fit into the model if they meet nothing but what faces their way, give or take 20 degrees.
_ANY_SIDE = -0.94
# No more places than this at once; a large coarse model that is thin all over is measured a little less closely.
_MOST_PLACES = 8_000_000
# Splinters, less high than this part of the thickness, face anywhere.
_SPLINTER = 0.005


class ThinPlaces:
    """Places of a mesh where walls are thinner than `minimum`, mm.

    points, normals: (n, 3) float32. walls: (n,) float32, mm, thickness. area: (n,) float64, mm2 that each stands for.
    """

    def __init__(self, mesh: Mesh, minimum: float, progress: Progress) -> None:
        progress(0.0, "Measuring walls")
        self._mesh, self._minimum, self._walls = mesh, minimum, Walls(mesh)
        points, normals, area = self._places(self._walls.may_be_thin(minimum))
        walls = self._walls.at(points, normals, minimum, progress)
        thin = walls < minimum
        self.points, self.normals, self.area, self.walls = points[thin], normals[thin], area[thin], walls[thin]

    def without_specks(self, least: float) -> None:
        """Forget places that together with those beside them, on either side of a wall, make less than `least` mm2."""
        pairs = cKDTree(self.points).query_pairs(_TOGETHER * self._minimum, output_type="ndarray")
        count = len(self.points)
        joined = coo_matrix((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
        patch = connected_components(joined, directed=False)[1]
        chosen = np.bincount(patch, self.area)[patch] >= least
        self.points, self.normals = self.points[chosen], self.normals[chosen]
        self.area, self.walls = self.area[chosen], self.walls[chosen]

    def balls(self, progress: Progress, margin: float) -> tuple[np.ndarray, np.ndarray]:
        """(n, 3) float64 centres and (n,) float64 radii, mm, of the balls to be united with the model.

        margin: how much thicker than the minimum walls become.
        """
        growth = margin * self._minimum / 2 - self.walls / 2
        points, normals, _ = self._places(self._beside(growth.max()))
        progress(0.2, "Measuring walls")
        ebbing = self._ebbing(points, growth)
        near = ebbing > -_BELOW * self._minimum
        points, normals, ebbing = points[near], normals[near], ebbing[near]
        depth = self._walls.at(points, normals, self._minimum, part_of(progress, 0.5, 1.0), _ANY_SIDE) / 2
        return self._different(points - normals * depth[:, None].astype(np.float64), depth + ebbing)

    def _beside(self, most_growth: float) -> np.ndarray:
        """(T,) bool: triangles that growth can reach."""
        corners = self._mesh.positions[self._mesh.triangles].astype(np.float64)
        centre = corners.mean(axis=1)
        size = np.linalg.norm(corners - centre[:, None], axis=2).max(axis=1)
        reach = (most_growth + _BELOW * self._minimum) / _SLOPE
        distance, _ = cKDTree(self.points).query(centre, distance_upper_bound=reach + size.max(), workers=-1)
        return np.asarray(distance <= reach + size)

    def _ebbing(self, points: np.ndarray, growth: np.ndarray) -> np.ndarray:
        """(n,) mm by which the surface moves outward at points, for the thin places' growth."""
        out = np.full(len(points), -np.inf)
        for least in np.linspace(growth.min(), growth.max(), _GROWTHS, endpoint=False):
            reach = (least + _BELOW * self._minimum) / _SLOPE
            tree = cKDTree(self.points[growth >= least])
            distance, _ = tree.query(points, distance_upper_bound=reach, workers=-1)
            out = np.maximum(out, least - _SLOPE * distance)
        return out

    def _different(self, centres: np.ndarray, radii: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Without balls that are nearly others, and without those that are nothing."""
        grid = _SAME * self._minimum
        some = radii > grid
        centres, radii = centres[some], radii[some]
        cells = np.floor(np.column_stack((centres, radii)) / grid).astype(np.int64)
        _, first = np.unique(cells, axis=0, return_index=True)
        first.sort()
        return centres[first], radii[first]

    def _places(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(n, 3) float32 points on some triangles, their normals and (n,) mm2. chosen: (T,) bool.

        They lie in rows along the longest edge, none on an edge: at the edge of a blade its thickness is nothing, and a
        ball there would make the model larger.
        """
        corners = self._mesh.positions[self._mesh.triangles[chosen]].astype(np.float64)
        edges = corners[:, [1, 2, 0]] - corners
        normals = np.cross(edges[:, 0], edges[:, 1])
        twice = np.linalg.norm(normals, axis=1)
        length = np.linalg.norm(edges, axis=2)
        whole = twice > _SPLINTER * self._minimum * length.max(axis=1, initial=0.0)
        corners, twice, length = corners[whole], twice[whole], length[whole]
        normals = normals[whole] / twice[:, None]
        at = np.arange(len(corners))
        longest = length.argmax(axis=1)
        base = length[at, longest]
        apart = max(_APART * self._minimum, float(np.sqrt(twice.sum() / 2 / _MOST_PLACES)))
        rows = np.ceil(twice / base / apart).astype(np.int64)
        triangle, row = _counted_out(rows)
        up = (row + 0.5) / rows[triangle]
        columns = np.ceil(base[triangle] * (1 - up) / apart).astype(np.int64)
        of_row, column = _counted_out(columns)
        triangle, up = triangle[of_row], up[of_row]
        along = (1 - up) * (column + 0.5) / columns[of_row]
        start, end, top = (corners[at, (longest + k) % 3][triangle] for k in range(3))
        points = start + along[:, None] * (end - start) + up[:, None] * (top - start)
        area = twice[triangle] * (1 - up) / (rows[triangle] * columns[of_row])
        return points.astype(np.float32), normals[triangle].astype(np.float32), area


def _counted_out(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each index as often as its count says, and with it 0, 1, 2 ... up to its count."""
    index = np.repeat(np.arange(len(counts)), counts)
    return index, np.arange(len(index)) - np.repeat(np.cumsum(counts) - counts, counts)
