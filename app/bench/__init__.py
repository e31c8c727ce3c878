"""What the user feels, timed: brushes, upload, files, memory. `likeness bench` and the table in the README.

The mesh and the dab paths are fixed, so that figures of different versions, machines and programs can be compared.
Nothing here is imported by the program itself.
"""

from app.bench.running import run_bench

__all__ = ["run_bench"]
