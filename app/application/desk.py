"""What the commands share: the document, the settings, and the window to ask, tell and work in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.document import Document
from app.errors import Cancelled
from app.settings import Settings
from app.widgets.error_box import show_error
from app.widgets.faults import log
from app.widgets.main_window import MainWindow

Done = Callable[[Any], None]
Failed = Callable[[BaseException], object]


class Desk:
    """`window` is there before any command can be asked for; the composition sets it."""

    window: MainWindow

    def __init__(self, document: Document, settings: Settings) -> None:
        self.document, self.settings = document, settings

    @property
    def idle(self) -> bool:
        """Whether the document may change: no stroke in hand, and no job that needs it as it is."""
        return not self.window.controller.busy and not self.window.jobs.blocking

    def ready(self) -> bool:
        """`idle`, with a transform in hand applied: for all that changes, saves or exports the model."""
        return self.idle and self.window.transform.apply()

    def run(
        self,
        label: str,
        work: Callable[..., Any],
        done: Done,
        failed: Failed | None = None,
        *,
        blocking: bool = True,
    ) -> bool:
        """Start a job; False, after saying so, while another one runs. Errors are shown unless `failed` takes them."""
        started = self.window.jobs.start(label, work, done, failed or self.show, blocking=blocking)
        if not started:
            self.say("Wait for the running job, or cancel it, then try again")
        return started

    def say(self, text: str) -> None:
        """Say something without stopping the hand."""
        self.window.show_message(text)

    def show(self, error: BaseException) -> None:
        """Show an error; what the user cancelled is only noted."""
        if isinstance(error, Cancelled):
            self.say("Cancelled; nothing changed")
            return
        log.warning("%s", error)
        show_error(self.window, error)
