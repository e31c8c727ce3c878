"""The check for places where a surface goes through itself; the search lives with the mesh, repair uses it too."""

from app.mesh.self_intersection import self_intersections

__all__ = ["self_intersections"]
