"""Wall thickness for the checks and the heat map; the measuring lives with the mesh, thickening uses it too."""

from app.mesh.thickness import thickness

__all__ = ["thickness"]
