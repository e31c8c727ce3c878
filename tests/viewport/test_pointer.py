"""From Qt's pointer events to samples: one for each movement of the hand, camera gestures kept apart."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QInputDevice, QMouseEvent, QPointingDevice, QTabletEvent, QWheelEvent
from PySide6.QtTest import QTest

from tests.meshes import sphere

LEFT, MIDDLE, RIGHT, NONE = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.MiddleButton,
    Qt.MouseButton.RightButton,
    Qt.MouseButton.NoButton,
)
PRESS, MOVE, RELEASE = QEvent.Type.TabletPress, QEvent.Type.TabletMove, QEvent.Type.TabletRelease
PLAIN = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def seen(viewport):
    """(signal, sample) in the order they came."""
    events = []
    for name in ("pressed", "dragged", "released", "hovered"):
        getattr(viewport, name).connect(lambda sample, name=name: events.append((name, sample)))
    viewport.cancelled.connect(lambda: events.append(("cancelled", None)))
    viewport.left.connect(lambda: events.append(("left", None)))
    return events


def names(seen):
    return [name for name, _ in seen]


def stylus(pointer=QPointingDevice.PointerType.Pen):
    kind = QInputDevice.DeviceType.Stylus
    return QPointingDevice("pen", 7, kind, pointer, QInputDevice.Capability.Pressure, 1, 3)


PEN, ERASER = stylus(), stylus(QPointingDevice.PointerType.Eraser)


def pen(viewport, kind, x, y, pressure=0.5, tilt=(0.0, 0.0), button=None, buttons=None, device=PEN, keys=PLAIN):
    """Send a tablet event, and as Qt does the mouse event made from it where nobody accepted it."""
    button = (LEFT if kind != MOVE else NONE) if button is None else button
    buttons = (NONE if kind == RELEASE else LEFT) if buttons is None else buttons
    place = QPointF(x, y)
    event = QTabletEvent(kind, device, place, place, pressure, *tilt, 0.0, 0.0, 0.0, keys, button, buttons)
    QCoreApplication.sendEvent(viewport, event)
    if not event.isAccepted():
        mouse(
            viewport, kind, x, y, button, buttons, device=device, source=Qt.MouseEventSource.MouseEventSynthesizedByQt
        )
    return event.isAccepted()


def mouse(
    viewport,
    kind,
    x,
    y,
    button=LEFT,
    buttons=LEFT,
    keys=PLAIN,
    device=None,
    source=Qt.MouseEventSource.MouseEventNotSynthesized,
):
    kinds = {
        PRESS: QEvent.Type.MouseButtonPress,
        MOVE: QEvent.Type.MouseMove,
        RELEASE: QEvent.Type.MouseButtonRelease,
    }
    place = QPointF(x, y)
    device = device or QPointingDevice.primaryPointingDevice()
    event = QMouseEvent(kinds[kind], place, place, place, button, buttons, keys, source, device)
    QCoreApplication.sendEvent(viewport, event)
    return event.isAccepted()


def test_mouse_stroke_gives_one_sample_per_event(viewport, seen):
    viewport.set_mesh(sphere(3))
    QTest.mousePress(viewport, LEFT, PLAIN, QPoint(100, 100))
    for x in (110, 120, 130):
        mouse(viewport, MOVE, x, 100, NONE)
    QTest.mouseRelease(viewport, LEFT, PLAIN, QPoint(130, 100))
    assert names(seen) == ["pressed", "dragged", "dragged", "dragged", "released"]
    assert [sample.x for _, sample in seen] == [100, 110, 120, 130, 130]
    assert all(sample.pressure == 1 and not sample.pen for _, sample in seen)
    times = [sample.time for _, sample in seen]
    assert times == sorted(times)


def test_real_mouse_events_reach_the_viewport_through_overlay_and_canvas(viewport, seen):
    window = viewport.windowHandle()
    QTest.mousePress(window, LEFT, PLAIN, QPoint(50, 60))
    QTest.mouseMove(window, QPoint(70, 60))
    QTest.mouseRelease(window, LEFT, PLAIN, QPoint(70, 60))
    assert [name for name in names(seen) if name != "hovered"] == ["pressed", "dragged", "released"]


def test_pen_stroke_has_pressure_and_tilt_and_no_doubles(viewport, seen):
    pen(viewport, MOVE, 90, 90, 0.0, buttons=NONE)
    pen(viewport, PRESS, 100, 100, 0.2)
    # Some systems send their own mouse events beside the tablet events.
    mouse(viewport, PRESS, 100, 100, source=Qt.MouseEventSource.MouseEventSynthesizedBySystem)
    for step in range(1, 4):
        assert pen(viewport, MOVE, 100 + 10 * step, 100, 0.2 * step, (10.0 * step, -5.0))
        mouse(viewport, MOVE, 100 + 10 * step, 100, NONE)
    pen(viewport, RELEASE, 130, 100, 0.0)
    mouse(viewport, RELEASE, 130, 100, source=Qt.MouseEventSource.MouseEventSynthesizedBySystem)
    assert names(seen) == ["hovered", "pressed", "dragged", "dragged", "dragged", "released"]
    assert [round(sample.pressure, 3) for _, sample in seen[1:-1]] == [0.2, 0.2, 0.4, 0.6]
    assert [sample.tilt_x for _, sample in seen[2:-1]] == [10, 20, 30]
    assert all(sample.pen and not sample.eraser for _, sample in seen)


def test_the_mouse_works_again_after_the_pen(viewport, seen):
    pen(viewport, PRESS, 10, 10)
    pen(viewport, RELEASE, 10, 10)
    mouse(viewport, PRESS, 20, 20)
    mouse(viewport, RELEASE, 20, 20)
    assert names(seen) == ["pressed", "released"] * 2
    assert [sample.pen for _, sample in seen] == [True, True, False, False]


def test_the_other_end_of_the_pen_is_an_eraser(viewport, seen):
    pen(viewport, PRESS, 10, 10, device=ERASER)
    pen(viewport, RELEASE, 10, 10, device=ERASER)
    assert all(sample.eraser for _, sample in seen)


def test_the_pens_right_button_is_left_to_qt_for_the_menu(viewport, seen):
    assert not pen(viewport, PRESS, 10, 10, button=RIGHT, buttons=RIGHT)
    assert set(names(seen)) <= {"hovered"}


def test_a_quick_second_press_is_a_press(viewport, seen):
    mouse(viewport, PRESS, 10, 10)
    mouse(viewport, RELEASE, 10, 10)
    QTest.mouseDClick(viewport, LEFT, PLAIN, QPoint(10, 10))  # what Qt sends in place of the second press
    assert names(seen) == ["pressed", "released", "pressed"]


def test_a_pen_that_leaves_ends_the_stroke_where_it_was(viewport, seen):
    pen(viewport, PRESS, 10, 10)
    pen(viewport, MOVE, 20, 10)
    leave = QTabletEvent(
        QEvent.Type.TabletLeaveProximity,
        PEN,
        QPointF(),
        QPointF(),
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        PLAIN,
        NONE,
        NONE,
    )
    QCoreApplication.sendEvent(QCoreApplication.instance(), leave)
    assert names(seen) == ["pressed", "dragged", "released"]
    assert seen[-1][1].x == 20
    mouse(viewport, PRESS, 30, 30)
    assert names(seen)[-1] == "pressed"


@pytest.mark.parametrize("kind", [QEvent.Type.WindowDeactivate, QEvent.Type.UngrabMouse])
def test_losing_the_window_in_mid_stroke_releases(viewport, seen, kind):
    mouse(viewport, PRESS, 10, 10)
    QCoreApplication.sendEvent(viewport, QEvent(kind))
    assert names(seen) == ["pressed", "released"]
    mouse(viewport, RELEASE, 10, 10)
    assert names(seen) == ["pressed", "released"]


def test_a_release_that_went_astray_is_made_good(viewport, seen):
    mouse(viewport, PRESS, 10, 10)
    mouse(viewport, MOVE, 30, 10, NONE, NONE)
    assert names(seen) == ["pressed", "released", "hovered"]


def test_a_new_mesh_in_mid_stroke_cancels(viewport, seen):
    viewport.set_mesh(sphere(2))
    mouse(viewport, PRESS, 10, 10)
    viewport.set_mesh(sphere(2))
    mouse(viewport, RELEASE, 10, 10)
    assert names(seen) == ["pressed", "cancelled"]


def test_leaving_is_told_but_not_in_mid_stroke(viewport, seen):
    mouse(viewport, PRESS, 10, 10)
    QCoreApplication.sendEvent(viewport, QEvent(QEvent.Type.Leave))
    mouse(viewport, RELEASE, 10, 10)
    QCoreApplication.sendEvent(viewport, QEvent(QEvent.Type.Leave))
    assert names(seen) == ["pressed", "released", "left"]


ALT, SHIFT, CONTROL = (
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)


@pytest.mark.parametrize(
    ("button", "keys", "gesture"),
    [
        (MIDDLE, PLAIN, "orbit"),
        (MIDDLE, SHIFT, "pan"),
        (MIDDLE, CONTROL, "dolly"),
        (LEFT, ALT, "orbit"),
        (LEFT, ALT | SHIFT, "pan"),
    ],
)
def test_camera_gestures_move_the_camera_and_no_brush(viewport, seen, button, keys, gesture):
    viewport.set_mesh(sphere(4))
    before, held = viewport.camera, viewport.ray(200, 150)
    surface = held[0] + held[1] * (np.linalg.norm(held[0]) - 10)  # the sphere's nearest point, radius 10
    mouse(viewport, PRESS, 200, 150, button, button, keys)
    mouse(viewport, MOVE, 230, 140, NONE, button, keys)
    mouse(viewport, RELEASE, 230, 140, button, NONE, keys)
    after = viewport.camera
    assert set(names(seen)) <= {"hovered"}
    changed = {
        "orbit": after.azimuth != before.azimuth and after.elevation != before.elevation,
        "dolly": after.distance < before.distance and after.azimuth == before.azimuth,
        "pan": after.azimuth == before.azimuth and after.distance == before.distance,
    }
    assert [name for name, is_so in changed.items() if is_so] == [gesture]
    moved = viewport.project(surface)
    assert moved == pytest.approx((230, 140) if gesture == "pan" else (200, 150), abs=0.5)


def test_the_pen_turns_with_alt_too(viewport, seen):
    viewport.set_mesh(sphere(3))
    before = viewport.camera
    pen(viewport, PRESS, 100, 100, keys=ALT)
    pen(viewport, MOVE, 140, 100, keys=ALT)
    pen(viewport, RELEASE, 140, 100, keys=ALT)
    assert set(names(seen)) <= {"hovered"}
    assert viewport.camera.azimuth != before.azimuth


def wheel(viewport, x, y, units):
    place = QPointF(x, y)
    event = QWheelEvent(place, place, QPoint(), QPoint(0, units), NONE, PLAIN, Qt.ScrollPhase.NoScrollPhase, False)
    QCoreApplication.sendEvent(viewport, event)


@pytest.mark.parametrize("parallel", [True, False])
def test_the_wheel_zooms_to_the_surface_under_the_pointer(viewport, parallel):
    viewport.set_parallel(parallel)
    viewport.set_mesh(sphere(5))
    origin, direction = viewport.ray(230, 120)
    reach = -(origin @ direction)
    surface = origin + direction * (reach - np.sqrt(reach**2 - origin @ origin + 100))
    assert np.linalg.norm(surface) == pytest.approx(10)
    scale = viewport.mm_per_pixel(surface)
    wheel(viewport, 230, 120, 120)
    assert viewport.project(surface) == pytest.approx((230, 120), abs=1.0)
    assert viewport.mm_per_pixel(surface) < 0.95 * scale
    wheel(viewport, 230, 120, -120)
    assert viewport.mm_per_pixel(surface) == pytest.approx(scale, rel=0.01)


def test_the_wheel_leaves_a_stroke_in_hand_alone(viewport, seen):
    viewport.set_mesh(sphere(3))
    before = viewport.camera
    mouse(viewport, PRESS, 10, 10)
    wheel(viewport, 10, 10, 120)
    assert viewport.camera is before
