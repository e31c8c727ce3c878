"""The mesh as a structure of arrays, and the geometry on it. numpy and numba only; no files, no Qt, no VTK."""
