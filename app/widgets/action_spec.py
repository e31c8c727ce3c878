"""What an entry of the action tables is: text, key, tooltip, and what it does.

What does not live here: the entries (`actions_model`, `actions_view`, `actions`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ActionSpec:
    """One entry.

    run: called with the window, and with the new state where the entry is checkable.
    needs: "mesh", "undo", "redo", "texture", "report": what must be there for the entry to be enabled.
    changes: it changes the document, so it waits while a job runs. repeats: holding the key repeats it.
    """

    id: str
    text: str
    tooltip: str
    run: Callable[..., Any]
    key: str = ""
    icon: str = ""
    checkable: bool = False
    needs: str = ""
    changes: bool = False
    repeats: bool = False


# Menus by title; the letter after & opens one together with Alt, so M stays free for Alt+M.
# "-" is a line, "+id" shows an entry of another menu again, "@name" stands for entries that `menus` generates.
Entry = ActionSpec | str
