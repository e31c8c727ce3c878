"""The disk cache of compiled kernels, in processes of their own with a cache of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_CALLEE = """
from app.mesh.jit import kernel

FACTOR = {factor}

@kernel
def change(x):
    return x + {added}
"""
_CALLER = """
import sys
from app.mesh.jit import kernel
from callee import FACTOR, change

@kernel
def middle(x):
    return change(x)

@kernel
def outer(x):
    return FACTOR * middle(x)

print(outer(1), sum(outer.stats.cache_hits.values()))
"""


def _run(folder: Path, factor: int, added: int) -> list[str]:
    """What the kernels give for 1, and how many of them came from the cache."""
    (folder / "callee.py").write_text(_CALLEE.format(factor=factor, added=added), "utf-8")
    caller = folder / "caller.py"
    if not caller.exists():
        caller.write_text(_CALLER, "utf-8")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache"), "PYTHONPATH": str(Path(__file__).parents[2])}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    done = subprocess.run(
        [sys.executable, caller], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_a_kernel_is_cached_until_what_it_calls_in_another_module_changes(tmp_path: Path) -> None:
    assert _run(tmp_path, 1, 10) == ["11", "0"]
    assert _run(tmp_path, 1, 10) == ["11", "1"]
    assert _run(tmp_path, 1, 200) == ["201", "0"]


def test_a_kernel_is_compiled_again_when_a_constant_of_another_module_changes(tmp_path: Path) -> None:
    assert _run(tmp_path, 3, 10) == ["33", "0"]
    assert _run(tmp_path, 5, 10) == ["55", "0"]
    assert _run(tmp_path, 5, 10) == ["55", "1"]


_ON_A_FULL_DISK = """
import resource
from app.mesh.jit import parallel_kernel, prange

@parallel_kernel
def total(x):
    sum = 0
    for i in prange(x):
        sum += i
    return sum

resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
print(total(5), end="")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit to the size of files")
def test_a_kernel_that_cannot_be_cached_works(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    environment |= {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONDONTWRITEBYTECODE": "1"}
    (tmp_path / "full.py").write_text(_ON_A_FULL_DISK, "utf-8")
    done = subprocess.run(
        [sys.executable, tmp_path / "full.py"], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "10"), done.stderr
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file() and path.stat().st_size]
