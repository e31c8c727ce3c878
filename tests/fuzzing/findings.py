"""Findings on disk: the input, a smaller one that still does it, what was said. A folder for each kind of fault."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzzing.case import Case

_MOST_KEPT = 3
_TRIALS, _SECONDS = 400, 40.0


@dataclass
class Finding:
    """A kind of fault. key: reader, kind and place, which tell it from others. count: inputs that showed it."""

    subject: str
    kind: str
    where: str
    count: int = 0
    examples: list[Path] = field(default_factory=list)

    @property
    def title(self) -> str:
        return f"{self.subject}: {self.kind} at {self.where}"


class Findings:
    """All findings of a run, by kind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._found: dict[tuple[str, str, str], Finding] = {}

    def __len__(self) -> int:
        return len(self._found)

    def all(self) -> list[Finding]:
        """Most frequent first."""
        return sorted(self._found.values(), key=lambda finding: -finding.count)

    def add(self, subject: str, kind: str, where: str, text: str, case: Case, number: int) -> Path | None:
        """Count a finding and keep its input, of each kind the first few. Returns the new folder, if there is one."""
        finding = self._found.setdefault((subject, kind, where), Finding(subject, kind, where))
        finding.count += 1
        if len(finding.examples) >= _MOST_KEPT:
            return None
        name = re.sub(r"[^A-Za-z0-9.]+", "-", f"{subject}-{kind}-{where}")[:90].strip("-")
        folder = self.folder / f"{name}-{number}"
        (folder / "input").mkdir(parents=True, exist_ok=True)
        case.write(folder / "input")
        (folder / "what.txt").write_text(text, "utf-8", errors="replace")
        (folder / "case.json").write_text(json.dumps({"subject": subject, "main": case.main, "where": where}), "utf-8")
        finding.examples.append(folder)
        return folder


def smaller(case: Case, still: Callable[[Case], bool]) -> Case:
    """A smaller case for which `still` holds: files left out, then pieces of files, halves first."""
    trials, deadline = 0, time.monotonic() + _SECONDS
    for name in [name for name in case.files if name != case.main]:
        less = Case(case.main, {key: content for key, content in case.files.items() if key != name})
        if still(less):
            case = less
    for name in list(case.files):
        content = case.files[name]
        size = max(1, len(content) // 2)
        while size >= 1:
            at = 0
            while at < len(content):
                trials += 1
                if trials > _TRIALS or time.monotonic() > deadline:
                    return case
                less = case.with_file(name, content[:at] + content[at + size :])
                if still(less):
                    case, content = less, less.files[name]
                else:
                    at += size
            size //= 2
    return case
