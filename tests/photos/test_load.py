"""Photos from files: limits, names, worker processes and their memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app import worker
from app.errors import Cancelled, LimitExceeded, UnreadableFile
from app.photos import load
from app.photos.load import is_photo, load_display, load_photo
from app.photos.photo import Photo
from tests.photos.pictures import encoded, quarters


def test_a_photo_keeps_the_bytes_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "Käthe von vorn.jpg"
    path.write_bytes(encoded(quarters(), "JPEG"))
    photo = load_photo(path)
    assert photo.name == "Käthe von vorn.jpg"
    assert photo.path == path
    assert photo.encoded == path.read_bytes()
    assert (photo.width, photo.height) == (60, 40)
    assert photo.display is not None
    assert photo.display.pixels.shape == (40, 60, 3)
    assert photo.thumbnail is not None


def test_the_content_decides_and_not_the_suffix(tmp_path: Path) -> None:
    path = tmp_path / "from-a-phone.jpg"
    path.write_bytes(encoded(quarters(), "WEBP", lossless=True))
    photo = load_photo(path)  # a WebP file goes through a worker process
    assert photo.display is not None
    np.testing.assert_array_equal(photo.display.pixels, quarters())


def test_what_cannot_be_opened_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnreadableFile, match="not there any more"):
        load_photo(tmp_path / "gone.jpg")
    with pytest.raises(UnreadableFile, match="folder"):
        load_photo(tmp_path)
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(UnreadableFile, match=r"empty\.jpg: is empty"):
        load_photo(tmp_path / "empty.jpg")
    with pytest.raises(UnreadableFile, match="is empty"):
        load_photo(b"")
    monkeypatch.setattr(load, "MAX_BYTES", 1 << 20)
    (tmp_path / "huge.jpg").write_bytes(bytes((1 << 20) + 1))
    with pytest.raises(LimitExceeded, match="1 MB"):
        load_photo(tmp_path / "huge.jpg")


def test_a_crashing_decoder_ends_as_an_error_of_that_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "decode", _crash)
    with pytest.raises(UnreadableFile, match=r"^evil\.tif: cannot be read: the work crashed") as caught:
        load_photo(encoded(quarters(), "TIFF"), "evil.tif")
    assert "Save it again as JPEG or PNG" in str(caught.value)


def test_reading_can_be_cancelled() -> None:
    with pytest.raises(Cancelled):
        load_photo(encoded(quarters(), "TIFF"), "photo", cancelled=lambda: True)


def test_a_plain_photo_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "run", _never)
    assert load_photo(encoded(quarters(), "JPEG")).display is not None


def test_a_dropped_display_copy_comes_back() -> None:
    photo = load_photo(encoded(quarters()), "photo")
    photo.display = None
    load_display(photo)
    assert photo.display is not None
    np.testing.assert_array_equal(photo.display.pixels, quarters())


def test_a_photo_from_a_project_is_read_from_its_bytes() -> None:
    original = load_photo(encoded(quarters()), "photo")
    photo = Photo.from_dict(original.to_dict(), original.encoded)
    assert photo.thumbnail is None
    load_display(photo)
    assert photo.thumbnail is not None
    assert photo.to_dict() == original.to_dict()


def test_names_that_are_photos() -> None:
    assert all(is_photo(Path(name)) for name in ("a.JPG", "b.heic", "c.tiff", "d.webp", "e.png"))
    assert not any(is_photo(Path(name)) for name in ("a.glb", "b.txt", "jpg"))


_MEASURE = """
import resource, sys
from pathlib import Path
from app.photos.decode import decode
encoded = Path(sys.argv[1]).read_bytes()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
decoded = decode(encoded, "100 megapixels")
assert (decoded.width, decoded.height) == (10000, 10000)
assert decoded.pixels.shape == (4898, 4898, 3)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has other units elsewhere")
@pytest.mark.parametrize(("kind", "most_mib"), [("JPEG", 450), ("PNG", 800)])
def test_a_hundred_megapixels_stay_within_memory(tmp_path: Path, kind: str, most_mib: int) -> None:
    path = tmp_path / f"large.{kind}"
    row = np.linspace(0, 255, 10_000).astype(np.uint8)
    path.write_bytes(encoded(np.repeat(row[None, :, None], 3, axis=2).repeat(10_000, axis=0), kind))
    measured = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(path)], capture_output=True, text=True, check=True, timeout=120
    )
    assert int(measured.stdout) / 1024 < most_mib  # in full it is 400 MiB as Pillow holds it, and 300 more as an array


def test_a_worker_that_needs_too_much_memory_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux limits a worker's memory")
    monkeypatch.setattr(load, "_LIMITS", worker.WorkerLimits(seconds=60, memory_bytes=100 << 20))
    file = encoded(np.zeros((6000, 6000, 3), np.uint8), "TIFF", compression="tiff_lzw")
    with pytest.raises(UnreadableFile, match=r"large\.tif: cannot be read: needs more than"):
        load_photo(file, "large.tif")


def _crash(encoded: bytes, name: str) -> None:
    os.abort()


def _never(*args: object, **options: object) -> None:
    raise AssertionError("a worker was started")
