"""What strace saw: files outside the sandbox that were opened, changed or run, and connections.

Only what happens between the first input and the end of a child counts; starting up reads half of Python's library.
Looking whether a file exists (stat, access, readlink) is no escape: nothing of its content is seen.
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

_CALL = re.compile(r"^\d+ +(\w+)\((.*)$")
_RELATIVE = re.compile(r'<(/[^>]*)>, "([^/"][^"]*)"')
_PATH = re.compile(r'"((?:[^"\\]|\\.)*)"')
_HARMLESS = ("stat", "lstat", "newfstatat", "statx", "access", "faccessat", "faccessat2", "readlink", "getcwd", "chdir")
# What the sandbox itself does; of a reader that did it, the audit hook would tell.
_OURS = ("symlink", "utimensat")
_KERNELS = (".nbi", ".nbc")  # in the cache of compiled kernels
_NETWORK = ("connect", "bind", "sendto", "sendmsg", "listen", "accept")
# A child asks for files of these names, which never exist, before and after it reads inputs.
BEGIN, END = "/likeness-fuzzing-begins", "/likeness-fuzzing-ends"


def outside(folder: Path, forbidden: list[Path]) -> list[str]:
    """Lines of all traces in a folder that lead out of what a reader may touch, each once."""
    repository = Path(__file__).resolve().parents[2]
    code = [sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), sys.prefix, sys.base_prefix, str(repository)]
    allowed = (*code, "/proc/self/", "/proc/sys/", "/sys/", "/lib", "/usr/lib", "/etc/ld.so", "/usr/share/zoneinfo")
    temporary = re.escape(tempfile.gettempdir())
    sandbox = re.compile(rf"{temporary}/(likeness-fuzzing-\w+/child\d+/(chosen|temporary)|likeness-fuzzing-kernels)")
    listed = re.compile(rf"{temporary}/likeness-fuzzing-\w+/child\d+(/home|/elsewhere)?$")  # by the snapshots
    found: dict[str, None] = {}
    for trace in sorted(folder.glob("*.txt")):
        for name, call in _calls(trace):
            paths = [path for path in _paths(call) if not path.endswith(_KERNELS)]
            bad = [path for path in paths if not (path.startswith(allowed) or sandbox.match(path))]
            if "O_DIRECTORY" in call:
                bad = [path for path in bad if not listed.match(path)]
            bad += [path for path in paths if any(path.startswith(str(folder)) for folder in forbidden)]
            if name in _NETWORK or bad:
                found[f"{name} {bad[0] if bad else call[:160]}"] = None
    return list(found)


def _calls(trace: Path) -> Iterator[tuple[str, str]]:
    """Name and arguments of each call that was made while inputs were read, but for harmless ones."""
    reading = False
    with trace.open("r", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            reading = (reading or BEGIN in line) and END not in line
            call = _CALL.match(line)
            if reading and call is not None and call[1] not in _HARMLESS + _OURS:
                yield call[1], call[2]


def _paths(call: str) -> list[str]:
    """Absolute names in a call, also of what is named relative to an open folder."""
    relative = [os.path.normpath(f"{found[1]}/{found[2]}") for found in _RELATIVE.finditer(call)]
    return [*relative, *(path for path in _PATH.findall(call) if path.startswith("/"))]
