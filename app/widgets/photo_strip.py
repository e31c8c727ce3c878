"""The row of thumbnails: choose one photo or several, drag to reorder, remove one by its cross.

It knows ids, names and thumbnails; the photos themselves belong to `photo_panel`.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPen, QPixmap, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QListView,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.widgets import theme
from app.widgets.icons import icon

THUMBNAIL = 56
_CELL = 64
_CROSS = 18
_ID = int(Qt.ItemDataRole.UserRole)
_PIXMAP = _ID + 1


class PhotoStrip(QListWidget):
    """Signals: chosen() when the selection or the current photo changed, reordered(), remove_requested(id),
    menu_requested(global position)."""

    chosen = Signal()
    reordered = Signal()
    remove_requested = Signal(str)
    menu_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Photos")
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setFrameShape(QListWidget.Shape.NoFrame)
        self.setStyleSheet("QListWidget { background: transparent; border: 0; }")
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setItemDelegate(_ThumbnailDelegate(self))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(lambda at: self.menu_requested.emit(self.viewport().mapToGlobal(at)))
        self.itemSelectionChanged.connect(self.chosen)
        self.currentItemChanged.connect(lambda *_: self.chosen.emit())
        self._pressed: QPoint | None = None
        self._moved = False
        theme.events.changed.connect(self.viewport().update)

    # Contents

    def ids(self) -> list[str]:
        """All ids from left to right."""
        return [self.item(row).data(_ID) for row in range(self.count())]

    def add(self, photo_id: str, name: str, thumbnail: np.ndarray | None, row: int | None = None) -> None:
        """Append a photo, or insert it. Without a thumbnail it shows as being read."""
        item = QListWidgetItem()
        item.setData(_ID, photo_id)
        item.setSizeHint(QSize(_CELL, _CELL))
        self.insertItem(self.count() if row is None else row, item)
        self.set_thumbnail(photo_id, name, thumbnail)
        self.updateGeometry()

    def set_thumbnail(self, photo_id: str, name: str, thumbnail: np.ndarray | None) -> None:
        """thumbnail: (h, w, 3) uint8 sRGB, or None while the photo is read."""
        item = self._item(photo_id)
        if item is None:
            return
        item.setToolTip(
            f"{name}\nDrag to reorder, Ctrl-click to show it beside the others" if thumbnail is not None else name
        )
        item.setData(Qt.ItemDataRole.AccessibleTextRole, name)
        if thumbnail is not None:
            height, width = thumbnail.shape[:2]
            pixels = np.ascontiguousarray(thumbnail)
            image = QImage(pixels.data, width, height, pixels.strides[0], QImage.Format.Format_RGB888)
            item.setData(_PIXMAP, QPixmap.fromImage(image.copy()))

    def remove(self, photo_id: str) -> int:
        """Take a photo out; returns the row it had, -1 if it was not there."""
        item = self._item(photo_id)
        row = self.row(item) if item is not None else -1
        if item is not None:
            self.takeItem(row)
            self.updateGeometry()
        return row

    def _item(self, photo_id: str) -> QListWidgetItem | None:
        return next((self.item(row) for row in range(self.count()) if self.item(row).data(_ID) == photo_id), None)

    # Choice

    def current_id(self) -> str | None:
        """The active photo."""
        item = self.currentItem()
        return item.data(_ID) if item is not None else None

    def selected_ids(self) -> list[str]:
        """The photos to show, from left to right."""
        return [self.item(row).data(_ID) for row in range(self.count()) if self.item(row).isSelected()]

    def choose(self, photo_ids: list[str], current: str | None = None) -> None:
        """Select these and make one of them the active one."""
        self.blockSignals(True)
        for row in range(self.count()):
            self.item(row).setSelected(self.item(row).data(_ID) in photo_ids)
        active = self._item(current or photo_ids[0]) if photo_ids or current else None
        if active is not None:
            self.selectionModel().setCurrentIndex(
                self.indexFromItem(active), self.selectionModel().SelectionFlag.NoUpdate
            )
            self.scrollToItem(active)
        self.blockSignals(False)
        self.viewport().update()
        self.chosen.emit()

    # Events

    def mousePressEvent(self, event: QMouseEvent) -> None:
        item = self.itemAt(event.position().toPoint())
        left = event.button() == Qt.MouseButton.LeftButton
        if left and item is not None and _cross(self.visualItemRect(item)).contains(event.position().toPoint()):
            self.remove_requested.emit(item.data(_ID))
            return
        self._pressed, self._moved = (event.position().toPoint() if left and item else None), False
        if item is None and left:
            return  # a click beside the thumbnails would deselect all and show nothing
        if event.button() == Qt.MouseButton.RightButton and item is not None and item.isSelected():
            return
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        if self._pressed is None:
            super().mouseMoveEvent(event)
        elif self._moved or (at - self._pressed).manhattanLength() >= QApplication.startDragDistance():
            self._moved = True
            self._drag_to(at.x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        moved, self._pressed, self._moved = self._moved, None, False
        self.viewport().unsetCursor()
        if moved:
            self.reordered.emit()
        else:
            super().mouseReleaseEvent(event)

    def _drag_to(self, x: int) -> None:
        """Move the active thumbnail to where the pointer is; the others make room at once."""
        self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
        row = self.currentRow()
        target = min(max((x + self.horizontalOffset()) // _CELL, 0), self.count() - 1)
        if row >= 0 and target != row:
            self.move(row, target)

    def move(self, row: int, target: int) -> None:  # type: ignore[override]
        """Put the photo of one row at another."""
        selected, current = self.selected_ids(), self.current_id()
        self.blockSignals(True)
        self.insertItem(target, self.takeItem(row))
        self.blockSignals(False)
        self.choose(selected, current)

    def wheelEvent(self, event: QWheelEvent) -> None:
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() - (event.angleDelta().y() or event.angleDelta().x()) // 2)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # The list would take every letter for a search; letters are brushes.
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Space) and not (
            event.modifiers() & Qt.KeyboardModifier.ControlModifier and event.key() != Qt.Key.Key_Space
        ):
            super().keyPressEvent(event)
        else:
            event.ignore()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.viewport().update()

    def sizeHint(self) -> QSize:
        return QSize(self.count() * _CELL, _CELL)

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self.count(), 2) * _CELL, _CELL)


def _cross(cell: QRect) -> QRect:
    """Where the cross of a thumbnail is."""
    inset = (_CELL - THUMBNAIL) // 2
    return QRect(cell.right() - inset - _CROSS, cell.top() + inset + 1, _CROSS, _CROSS)


class _ThumbnailDelegate(QStyledItemDelegate):
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        colors, view = theme.theme(), self.parent()
        assert isinstance(view, PhotoStrip)
        cell: QRect = option.rect
        state: QStyle.StateFlag = option.state
        inset = (_CELL - THUMBNAIL) / 2
        frame = QRectF(cell).adjusted(inset, inset, -inset, -inset)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        path = QPainterPath()
        path.addRoundedRect(frame, 4, 4)
        painter.setClipPath(path)
        painter.fillRect(frame, colors.color("base"))
        pixmap: QPixmap | None = index.data(_PIXMAP)
        if pixmap is None:
            painter.setPen(colors.color("dim"))
            painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, "…")
        else:
            painter.drawPixmap(frame, pixmap, _middle(pixmap))
        painter.setClipping(False)
        _frame(painter, frame, state, index == view.currentIndex(), view.hasFocus())
        if state & QStyle.StateFlag.State_MouseOver:
            box = _cross(cell)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(20, 20, 20, 190))
            painter.drawEllipse(box)
            icon("close").paint(painter, box.adjusted(3, 3, -3, -3), mode=icon("close").Mode.Selected)
        painter.restore()


def _middle(pixmap: QPixmap) -> QRectF:
    """The largest square in the middle; of an upright photo the part a third from the top, where the face is."""
    side = min(pixmap.width(), pixmap.height())
    return QRectF((pixmap.width() - side) / 2, (pixmap.height() - side) / 3, side, side)


def _frame(painter: QPainter, frame: QRectF, state: QStyle.StateFlag, current: bool, focused: bool) -> None:
    colors = theme.theme()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if state & QStyle.StateFlag.State_Selected:
        painter.setPen(QPen(colors.color("focus" if current and focused else "accent"), 3 if current else 2))
    else:
        painter.setPen(QPen(colors.color("border"), 1))
    painter.drawRoundedRect(frame, 4, 4)
