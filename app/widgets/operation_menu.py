"""Menu entries of the operations, made from their declarations: a submenu for each group, greyed with the reason.

What does not live here: the forms (`operation_dialog`), running them (`app.application.operating`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from app.operations.operation import GROUPS, Operation, operations
from app.widgets import verbs
from app.widgets.actions import tooltip_text

if TYPE_CHECKING:
    from app.widgets.main_window import MainWindow


class OperationMenu(QObject):
    """Fills a menu with one submenu for each group, and keeps what its entries say up to date."""

    def __init__(self, window: MainWindow, menu: QMenu) -> None:
        super().__init__(menu)
        self._window = window
        self._actions: dict[str, QAction] = {}
        for group in GROUPS:
            of_group = [operation for operation in operations().values() if operation.group == group]
            submenu = menu.addMenu(f"&{group}")
            submenu.setToolTipsVisible(True)
            for operation in of_group:
                submenu.addAction(self._action(operation))
        menu.aboutToShow.connect(self.refresh)
        window.document.profile_changed.connect(self._name_target)
        self._name_target()
        self.refresh()

    def refresh(self) -> None:
        """Grey what cannot run on the model as it is; the tooltip says why."""
        mesh, waits = self._window.document.mesh, self._window.jobs.blocking
        for operation_id, action in self._actions.items():
            operation = operations()[operation_id]
            reason = "Open a model first." if mesh is None else operation.reason_against(mesh)
            if reason is None and waits:
                reason = "Another job is running. Wait for it, or cancel it."
            action.setEnabled(reason is None)
            action.setToolTip(tooltip_text(operation.label, action.shortcut(), reason or operation.tooltip))

    def _action(self, operation: Operation) -> QAction:
        action = QAction(operation.label + ("…" if operation.parameters else ""), self)
        action.setObjectName(f"operation-{operation.id}")
        action.triggered.connect(partial(self._run, operation))
        self._actions[operation.id] = action
        return action

    def _run(self, operation: Operation, _checked: bool = False) -> None:
        verbs.run_operation(self._window, operation)

    def _name_target(self) -> None:
        """The one-click entry says how many triangles the printer wants."""
        target = verbs.target_triangles(self._window)
        action = self._window.actions_by_id["retarget"]
        action.setText(f"&Retarget to {target:,}")
        action.setToolTip(tooltip_text(action.iconText(), action.shortcut(), action.whatsThis()))
