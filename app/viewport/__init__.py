"""The only place that imports VTK, PyVista or OpenGL."""
