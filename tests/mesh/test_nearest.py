"""The nearest vertex, against looking at all."""

from __future__ import annotations

import numpy as np

from app.mesh.nearest import nearest_vertex
from tests.meshes import sphere


def test_it_is_the_nearest_of_all():
    mesh = sphere(5)
    for point in np.random.default_rng(4).normal(size=(200, 3)) * 8:
        distance = np.linalg.norm(mesh.positions - point, axis=1)
        assert distance[nearest_vertex(mesh, point)] == distance.min()
