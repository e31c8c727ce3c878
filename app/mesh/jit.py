"""How this project compiles kernels: one place for numba's options, cache folder and threading layer.

A kernel takes arrays and scalars, never a Mesh, and holds no state. Parallel kernels give the same bits for any
number of threads: work is split over independent elements or over blocks of a fixed size, never by thread.
"""

from __future__ import annotations

import os
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import platformdirs

# numba reads both when it is first imported; the default workqueue layer aborts the process when two Python
# threads enter parallel kernels at once, OpenMP does not. Threads of OpenMP that wait must sleep, not spin: a spinning
# thread uses up its time slice and then keeps all others waiting for a whole one. Measured on 2 cores with other work
# going on, dab of 20 k vertices: 0.5 ms with sleeping, 50 ms with spinning threads; on an idle machine 0.4 and 0.3 ms.
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(platformdirs.user_cache_dir("likeness")) / "numba"))
os.environ.setdefault("NUMBA_THREADING_LAYER", "omp")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numba
import numpy as np

prange = numba.prange

# Contraction and reciprocals only: reassociation would let the compiler change a result between builds of one kernel,
# and "no NaN" would break the checks for bad input.
_FAST_MATH = {"contract", "arcp", "nsz"}


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a single-threaded kernel that releases the GIL and is cached on disk."""
    return _compiled(function)


def parallel_kernel(function: Callable[..., Any]) -> Any:
    """Compile a kernel whose `prange` loops use all cores, cached on disk."""
    return _compiled(function, parallel=True)


def inline_kernel(function: Callable[..., Any]) -> Any:
    """Compile a small helper that is inlined into the kernels that call it."""
    return _compiled(function, inline="always")


def _compiled(function: Callable[..., Any], **options: Any) -> Any:
    dispatcher = numba.njit(nogil=True, cache=True, error_model="numpy", fastmath=_FAST_MATH, **options)(function)
    # numba compiles callees and constants of other modules in, but looks only at the age of a kernel's own file: it
    # would go on serving the old code of a callee that has changed. So what a kernel uses is part of its stamp.
    file = dispatcher._cache._cache_file
    file._source_stamp = (file._source_stamp, _stamps(function.__code__, function.__globals__))
    dispatcher.stamp = file._source_stamp
    save = dispatcher._cache.save_overload

    def save_if_it_can(*compiled: Any) -> None:
        with suppress(OSError):  # a full disk: the kernel is there all the same, only not at the next start
            save(*compiled)

    dispatcher._cache.save_overload = save_if_it_can
    return dispatcher


def _stamps(code: types.CodeType, names: dict[str, Any]) -> tuple[Any, ...]:
    """What tells other versions of the kernels and constants apart that code uses, in the order of their names."""
    used = [(name, names[name]) for name in sorted(set(code.co_names) & names.keys())]
    own = [(name, getattr(value, "stamp", None)) for name, value in used if hasattr(value, "py_func")]
    constants = [(name, repr(value)) for name, value in used if isinstance(value, (int, float, tuple, np.generic))]
    nested = [_stamps(const, names) for const in code.co_consts if isinstance(const, types.CodeType)]
    return (*own, *constants, *nested)


# Elements from which two threads win against the tens of microseconds that waking them costs.
_PARALLEL_FROM = 32_768


class ScalingKernel:
    """One function compiled twice, with and without threads; the length of the first argument decides which runs.

    The choice depends on the amount of work only, never on the number of cores, so results do not either.
    """

    parallel_from = _PARALLEL_FROM

    def __init__(self, function: Callable[..., Any]) -> None:
        self.parallel = parallel_kernel(function)
        # numba's disk cache tells kernels apart by name, so the second one needs another.
        serial = types.FunctionType(function.__code__, function.__globals__, f"{function.__name__}_serial")
        serial.__qualname__ = f"{function.__qualname__}_serial"
        serial.__module__ = function.__module__
        self.serial = kernel(serial)
        self.__doc__ = function.__doc__

    def __call__(self, first: Any, *arguments: Any) -> Any:
        return self.pick(len(first))(first, *arguments)

    def pick(self, work: int) -> Any:
        """The compiled function for so many elements."""
        return self.parallel if work >= self.parallel_from else self.serial


def scaling_kernel(function: Callable[..., Any]) -> ScalingKernel:
    """Compile a kernel over few or many elements; its `prange` loops use threads where that pays."""
    return ScalingKernel(function)


@contextmanager
def threads_from(work: int) -> Iterator[None]:
    """Let scaling kernels use threads from so many elements on: to compile both kinds, and for tests."""
    before = ScalingKernel.parallel_from
    ScalingKernel.parallel_from = work
    try:
        yield
    finally:
        ScalingKernel.parallel_from = before
