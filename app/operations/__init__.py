"""Operations on the whole mesh: cleaning, density, shape, print. One per file; a declaration makes form, menu and test.

What an operation is stands in `operation`, how it is run in `running`, how colour follows the surface in `carry`.
What does not live here: brushes (`app.tools`), and judging whether a mesh can be printed (`app.preflight`).
"""
