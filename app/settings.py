"""What the user prefers, kept in one JSON file; and the folders that belong to the user.

Reading never fails: a damaged file is set aside and the defaults serve. Unknown keys are kept, so that an older
version does not erase what a newer one stored.
"""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path
from typing import Any, TypeVar

import platformdirs
from psygnal import Signal

_APP = "likeness"
T = TypeVar("T")


def _home(kind: str, default: str) -> Path:
    """LIKENESS_HOME moves all below one folder but compiled kernels: for tests, and a portable installation."""
    home = os.environ.get("LIKENESS_HOME")
    return Path(home) / kind if home else Path(default)


def config_folder() -> Path:
    """Settings and the user's own printer profiles."""
    return _home("config", platformdirs.user_config_dir(_APP))


def state_folder() -> Path:
    """Logs, window geometry, working copies."""
    return _home("state", platformdirs.user_state_dir(_APP))


class Settings:
    """A dictionary of JSON values with defaults given at the call, written through on each change."""

    changed = Signal(str, object)  # key, new value

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or config_folder() / "settings.json"
        self._values: dict[str, Any] = self._read()

    def get(self, key: str, default: T) -> T:
        """The stored value, or `default` where nothing, or something of another type, is stored."""
        value = self._values.get(key, default)
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value) if abs(value) <= sys.float_info.max else default
        if isinstance(value, float) and not math.isfinite(value):  # Python's JSON has NaN and Infinity
            return default
        return value if default is None or isinstance(value, type(default)) else default

    def set(self, key: str, value: Any) -> None:
        """Store a JSON value and write the file. A folder that cannot be written keeps the value for this session."""
        if self._values.get(key, object()) == value:
            return
        self._values[key] = value
        self._write()
        self.changed.emit(key, value)

    def _read(self) -> dict[str, Any]:
        try:
            values = json.loads(self.path.read_text("utf-8"))
            if isinstance(values, dict):
                return values
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError):
            pass
        try:
            self.path.replace(self.path.with_suffix(".damaged"))
        except OSError:
            return {}
        return {}

    def _write(self) -> None:
        temporary = self.path.with_suffix(f".{os.getpid()}.tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(self._values, indent=1, sort_keys=True), "utf-8")
            temporary.replace(self.path)
        except OSError:
            temporary.unlink(missing_ok=True)
