"""The menus of the mask and of the face sets.

What does not live here: what the entries do (`mask_verbs`), how they become menus (`actions`, `menus`).
"""

from __future__ import annotations

from functools import partial

from app.widgets import mask_verbs
from app.widgets.action_spec import ActionSpec, Entry


def _change(action_id: str, text: str, tooltip: str, key: str = "") -> ActionSpec:
    """An entry that changes the whole model without a question; what it does is in `mask_verbs.CHANGES`."""
    run = partial(mask_verbs.make, action_id)
    return ActionSpec(action_id, text, tooltip, lambda w: run(w), key=key, needs="mesh", changes=True)


MASK: dict[str, tuple[Entry, ...]] = {
    "Mas&k": (
        "@mask-brush",
        ActionSpec(
            "mask-box",
            "&Box Mask",
            "Drag a box over what to protect, as far as it is in sight; Shift goes through all, Ctrl frees",
            lambda w: mask_verbs.start_outline(w, "box"),
            key="Ctrl+B",
            needs="mesh",
            changes=True,
        ),
        ActionSpec(
            "mask-lasso",
            "&Lasso Mask",
            "Draw a line around what to protect, as far as it is in sight; Shift goes through all, Ctrl frees",
            lambda w: mask_verbs.start_outline(w, "lasso"),
            key="Ctrl+L",
            needs="mesh",
            changes=True,
        ),
        "-",
        ActionSpec(
            "clear-mask",
            "&Clear Mask",
            "Protect nothing any more",
            lambda w: w.commands.model.clear_mask(),
            key="Alt+M",
            needs="mesh",
            changes=True,
        ),
        ActionSpec(
            "invert-mask",
            "&Invert Mask",
            "Protect what is free and free what is protected",
            lambda w: w.commands.model.invert_mask(),
            key="Ctrl+I",
            needs="mesh",
            changes=True,
        ),
        _change("grow-mask", "&Grow Mask", "Make the protected part one ring of vertices larger", "Ctrl+Alt+G"),
        _change("shrink-mask", "S&hrink Mask", "Make the protected part one ring of vertices smaller", "Ctrl+Alt+S"),
        _change("blur-mask", "Bl&ur Mask", "Soften the edge of the protected part", "Ctrl+Alt+B"),
        _change("sharpen-mask", "Shar&pen Mask", "Harden the edge of the protected part"),
        "-",
        _change("mask-cavity", "Mask Ca&vities", "Protect hollows as well: folds, pores, corners of the mouth"),
        _change("mask-ridges", "Mask &Ridges", "Protect what stands out as well: edges, hairs, lids"),
        ActionSpec(
            "mask-color",
            "Mask by C&olour…",
            "Protect what has the colour under the pointer, or that of the brush, as well",
            lambda w: mask_verbs.ask_color(w),
            needs="mesh",
            changes=True,
        ),
        ActionSpec(
            "mask-normal",
            "Mask by &Direction…",
            "Protect what faces you, or up or down, as well",
            lambda w: mask_verbs.ask_normal(w),
            needs="mesh",
            changes=True,
        ),
        ActionSpec(
            "mask-connected",
            "Mask Connected Par&t",
            "Protect all that hangs together with the place under the pointer as well",
            lambda w: mask_verbs.at_pointer(w, "mask-connected"),
            key="Ctrl+Alt+C",
            needs="mesh",
            changes=True,
        ),
        "-",
        ActionSpec(
            "transform",
            "Trans&form",
            "Move, rotate and scale what is not masked or hidden, whatever mirrors are on; "
            "Enter or a brush applies it, Esc cancels it",
            lambda w, on: w.transform.start() if on else w.transform.finish(),
            key="T",
            icon="transform",
            checkable=True,
            needs="mesh",
            changes=True,
        ),
        "-",
        ActionSpec(
            "mask-visible",
            "&Show Mask",
            "Darken what the mask protects",
            lambda w, on: w.viewport.set_mask_visible(on),
            icon="mask",
            checkable=True,
        ),
    ),
    "Face Se&ts": (
        _change("sets-from-mask", "From &Mask", "Make what the mask protects a new face set", "Ctrl+W"),
        _change("sets-from-shells", "From &Shells", "Make each connected part a face set"),
        _change("sets-from-materials", "From Ma&terials", "Make what has one material a face set"),
        ActionSpec(
            "grow-set",
            "&Grow Set",
            "Make the face set under the pointer one ring of vertices larger",
            lambda w: mask_verbs.at_pointer(w, "grow-set"),
            key="Ctrl+Alt+W",
            needs="mesh",
            changes=True,
        ),
        ActionSpec(
            "shrink-set",
            "Sh&rink Set",
            "Make the face set under the pointer one ring of vertices smaller",
            lambda w: mask_verbs.at_pointer(w, "shrink-set"),
            key="Ctrl+Shift+W",
            needs="mesh",
            changes=True,
        ),
        _change("clear-sets", "&Clear Face Sets", "Take all face sets off the model; its shape stays"),
        "-",
        ActionSpec(
            "hide-set",
            "&Hide Set",
            "Hide the face set under the pointer: it is neither drawn nor sculpted",
            lambda w: mask_verbs.at_pointer(w, "hide-set"),
            key="H",
            needs="mesh",
            changes=True,
        ),
        ActionSpec(
            "isolate-set",
            "&Isolate Set",
            "Hide all but the face set under the pointer",
            lambda w: mask_verbs.at_pointer(w, "isolate-set"),
            key="Shift+H",
            needs="mesh",
            changes=True,
        ),
        _change("hide-masked", "Hide Mas&ked", "Hide what the mask protects by half or more", "Ctrl+Alt+H"),
        _change("invert-visible", "In&vert Visibility", "Show what is hidden and hide what is shown", "Ctrl+Shift+I"),
        _change("show-all", "Show &All", "Show all that was hidden", "Ctrl+Shift+H"),
    ),
}
