"""Random triangle soups for properties: few distinct places, so that seams, doubles and non-manifold edges occur."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from app.mesh.soup import Soup


@st.composite
def soups(draw: st.DrawFn, *, textured: bool = False) -> Soup:
    """Up to 40 vertices on a small lattice (-0.0 included) and up to 60 triangles between any of them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    vertex_count, triangle_count = draw(st.integers(3, 40)), draw(st.integers(0, 60))
    positions = rng.integers(-1, 3, (vertex_count, 3)).astype(np.float32)
    positions[rng.random((vertex_count, 3)) < 0.2] = -0.0
    triangles = rng.integers(0, vertex_count, (triangle_count, 3)).astype(np.int32)
    soup = Soup(positions, triangles, colors=rng.random((vertex_count, 3)).astype(np.float32))
    if textured:
        soup.uv = (rng.integers(0, 4, (12, 2)) / 4).astype(np.float32)
        soup.corner_uv = rng.integers(0, 12, (triangle_count, 3)).astype(np.int32)
    return soup
