"""What strace saw: files outside the sandbox that were opened, changed or run, and connections.

Only what happens between the first input and the end of a child counts; starting up reads half of Python's library.
Looking whether a file exists (stat, access, readlink) is no escape: nothing of its content is seen.
"""

from __future__ import annotations

import re
import sys
import sysconfig
import tempfile
from pathlib import Path

_CALL = re.compile(r"^\d+ +(\w+)\((.*)$")
_PATH = re.compile(r'"((?:[^"\\]|\\.)*)"')
_HARMLESS = ("stat", "lstat", "newfstatat", "statx", "access", "faccessat", "faccessat2", "readlink", "getcwd", "chdir")
# What the sandbox itself does; of a reader that did it, the audit hook would tell.
_OURS = ("symlink", "utimensat")
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
        begun = False
        for line in trace.open("r", encoding="utf-8", errors="replace"):
            begun = (begun or BEGIN in line) and END not in line
            call = _CALL.match(line)
            if not begun or call is None or call[1] in _HARMLESS + _OURS:
                continue
            paths = [path for path in _PATH.findall(call[2]) if path.startswith("/")]
            bad = [path for path in paths if not (path.startswith(allowed) or sandbox.match(path))]
            if "O_DIRECTORY" in line:
                bad = [path for path in bad if not listed.match(path)]
            bad += [path for path in paths if any(path.startswith(str(folder)) for folder in forbidden)]
            if call[1] in _NETWORK or (bad and " = -1 ENOENT" not in line):
                found[f"{call[1]} {bad[0] if bad else call[2][:160]}"] = None
    return list(found)
