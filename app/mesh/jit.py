"""How this project compiles kernels: one place for numba's options, cache folder and threading layer.

A kernel takes arrays and scalars, never a Mesh, and holds no state. Parallel kernels give the same bits for any
number of threads: work is split over independent elements or over blocks of a fixed size, never by thread.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import platformdirs

# numba reads both when it is first imported; the default workqueue layer aborts the process when two Python
# threads enter parallel kernels at once, OpenMP does not.
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(platformdirs.user_cache_dir("likeness")) / "numba"))
os.environ.setdefault("NUMBA_THREADING_LAYER", "omp")

import numba

prange = numba.prange

# Contraction and reciprocals only: reassociation would let the compiler change a result between builds of one kernel,
# and "no NaN" would break the checks for bad input.
_FAST_MATH = {"contract", "arcp", "nsz"}


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a single-threaded kernel that releases the GIL and is cached on disk."""
    return numba.njit(nogil=True, cache=True, error_model="numpy", fastmath=_FAST_MATH)(function)


def parallel_kernel(function: Callable[..., Any]) -> Any:
    """Compile a kernel whose `prange` loops use all cores, cached on disk."""
    return numba.njit(nogil=True, cache=True, error_model="numpy", fastmath=_FAST_MATH, parallel=True)(function)


def inline_kernel(function: Callable[..., Any]) -> Any:
    """Compile a small helper that is inlined into the kernels that call it."""
    return numba.njit(nogil=True, cache=True, error_model="numpy", fastmath=_FAST_MATH, inline="always")(function)
