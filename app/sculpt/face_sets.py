"""Face sets and visibility over the whole mesh: numbered groups of vertices, and which of them are hidden.

Functions take a mesh and return new values of `face_sets` (whole numbers, 0 for no set) or `hidden` (0 or 1), both
(V,) float32; `masking.write` makes them one undo step. A triangle hides with any of its corners.
What does not live here: drawing a face set (`app.tools.face_set`), drawing only what is visible (`app.viewport`).
"""

from __future__ import annotations

import numpy as np

from app.mesh.jit import kernel, parallel_kernel, prange
from app.mesh.mesh import Mesh
from app.sculpt.automask import parts
from app.sculpt.dabs import Dab
from app.sculpt.masking import MASKED_FROM
from app.sculpt.region import Region

# Up to here float32 holds every whole number.
LARGEST_SET = 1 << 24
_BLOCK = 4096
_IN_HAND = "face set in hand"


def new_set(mesh: Mesh) -> int:
    """A number that no face set has; when the largest one is in use, that one."""
    return min(int(mesh.face_sets.max(initial=0)) + 1, LARGEST_SET)


def number_in_hand(mesh: Mesh, region: Region, dab: Dab) -> float:
    """The set that a stroke draws: a new one, or inverted that of the vertex nearest to where it began.

    Decided by the first dab that reaches a vertex, for all dabs of the stroke and their mirror images.
    """
    kept = mesh.scratch.get(_IN_HAND)
    if kept is not None and kept[0] == region.saving:
        return kept[1]
    if not len(region.vertices):
        return 0.0
    number = float(new_set(mesh))
    if dab.sign < 0:
        away = mesh.positions[region.vertices] - dab.center
        number = float(mesh.face_sets[region.vertices[np.argmin(np.einsum("ij,ij->i", away, away))]])
    mesh.scratch[_IN_HAND] = (region.saving, number)
    return number


def from_mask(mesh: Mesh) -> np.ndarray:
    """What is masked by half or more becomes a new set; the rest keeps its own."""
    return np.where(mesh.mask >= MASKED_FROM, np.float32(new_set(mesh)), mesh.face_sets)


def from_shells(mesh: Mesh) -> np.ndarray:
    """A set for each connected part, numbered from 1 in the order of the vertices."""
    return _ranks(parts(mesh))


def from_materials(mesh: Mesh) -> np.ndarray:
    """A set for each material, numbered from 1; a vertex between several takes that of its first triangle."""
    out = np.zeros(mesh.vertex_count, np.float32)
    _first_material(mesh.triangles, mesh.triangle_material, out)
    return out


def cleared(mesh: Mesh) -> np.ndarray:
    """No sets."""
    return np.zeros_like(mesh.face_sets)


def grown(mesh: Mesh, number: float) -> np.ndarray:
    """A set one ring larger, at the cost of its neighbours."""
    out = np.empty(mesh.vertex_count, np.float32)
    _grown(mesh.face_sets, np.float32(number), mesh.topology.ring_offsets, mesh.topology.ring, out)
    return out


def shrunk(mesh: Mesh, number: float) -> np.ndarray:
    """A set one ring smaller: what it gives up goes to the neighbouring set with the highest number."""
    out = np.empty(mesh.vertex_count, np.float32)
    _shrunk(mesh.face_sets, np.float32(number), mesh.topology.ring_offsets, mesh.topology.ring, out)
    return out


def hide(mesh: Mesh, number: float) -> np.ndarray:
    """This set is hidden as well; 0 hides all that is in no set."""
    return np.maximum(mesh.hidden, mesh.face_sets == np.float32(number))


def isolate(mesh: Mesh, number: float) -> np.ndarray:
    """All other sets are hidden as well."""
    return np.maximum(mesh.hidden, mesh.face_sets != np.float32(number))


def hide_masked(mesh: Mesh) -> np.ndarray:
    """What is masked by half or more is hidden as well."""
    return np.maximum(mesh.hidden, mesh.mask >= MASKED_FROM)


def show_all(mesh: Mesh) -> np.ndarray:
    """Nothing is hidden."""
    return np.zeros_like(mesh.hidden)


def invert_visibility(mesh: Mesh) -> np.ndarray:
    """What was hidden is visible, and the other way round."""
    return np.float32(1) - mesh.hidden


def shows_anything(mesh: Mesh, hidden: np.ndarray) -> bool:
    """Whether any triangle stays visible."""
    return bool(_any_visible(mesh.triangles, hidden))


def hidden_part(mesh: Mesh | None) -> str:
    """How much of a model is hidden, in words: "12 %", "less than 1 %"; empty where nothing is."""
    count = 0 if mesh is None else int(np.count_nonzero(mesh.hidden))
    if mesh is None or not count:
        return ""
    percent = 100 * count / mesh.vertex_count
    return f"{percent:.0f} %" if percent >= 1 else "less than 1 %"


@kernel
def _ranks(labels):
    """Numbers from 1 for labels, each of which is the smallest vertex that has it."""
    out = np.empty(len(labels), np.float32)
    count = np.float32(0)
    for v in range(len(labels)):
        if labels[v] == v:
            count += np.float32(1)
            out[v] = count
        else:
            out[v] = out[labels[v]]
    return out


@kernel
def _first_material(triangles, material, out):
    for t in range(len(triangles)):
        for k in range(3):
            if out[triangles[t, k]] == 0:
                out[triangles[t, k]] = np.float32(material[t] + 1)


@parallel_kernel
def _grown(sets, number, offsets, ring, out):
    for block in prange((len(sets) + _BLOCK - 1) // _BLOCK):
        for v in range(block * _BLOCK, min(len(sets), (block + 1) * _BLOCK)):
            out[v] = sets[v]
            for k in range(offsets[v], offsets[v + 1]):
                if sets[ring[k]] == number:
                    out[v] = number
                    break


@parallel_kernel
def _shrunk(sets, number, offsets, ring, out):
    for block in prange((len(sets) + _BLOCK - 1) // _BLOCK):
        for v in range(block * _BLOCK, min(len(sets), (block + 1) * _BLOCK)):
            out[v] = sets[v]
            if sets[v] != number:
                continue
            most = np.float32(-1)
            for k in range(offsets[v], offsets[v + 1]):
                if sets[ring[k]] != number:
                    most = max(most, sets[ring[k]])
            if most >= 0:
                out[v] = most


@kernel
def _any_visible(triangles, hidden):
    for t in range(len(triangles)):
        if hidden[triangles[t, 0]] == 0 and hidden[triangles[t, 1]] == 0 and hidden[triangles[t, 2]] == 0:
            return True
    return False
