"""Printer profiles: the built-in ones hold, a user's own win, mistakes are told and harm nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import InvalidInput
from app.formats.registry import formats
from app.preflight import profiles as module
from app.preflight.profiles import PrinterProfile, mistakes, profile, profiles, read_profile
from app.resources import resource

MINIMAL = 'label = "Mine"\nformat = "stl"\nsuffix = ".stl"\n'


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of profiles, empty."""
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path))
    folder = tmp_path / "config" / "printers"
    folder.mkdir(parents=True)
    assert module.user_folder() == folder
    return folder


def test_built_in_profiles_name_formats_that_can_be_written(own: Path) -> None:
    assert {"wjp", "grabcad-vrml", "grabcad-obj", "mimaki", "obj-zip", "ply", "stl", "glb"} == set(profiles())
    assert not mistakes()
    for known in profiles().values():
        assert known.format in formats(), known.id
        assert formats()[known.format].write is not None
        assert known.suffix in formats()[known.format].suffixes


def test_default_is_the_house_printer(own: Path) -> None:
    assert next(iter(profiles())) == "wjp"
    house = profile()
    assert (house.id, house.format, house.target_triangles) == ("wjp", "3mf", 1_600_000)
    assert house.products == {"figures": (100, 150, 200), "pets": (100, 120, 150), "busts": (60, 80, 100)}
    assert house.heights_mm == (60, 80, 100, 120, 150, 200)
    assert set(house.unverified) <= set(vars(house))


def test_a_users_profile_is_added_and_replaces_by_name(own: Path) -> None:
    (own / "mine.toml").write_text(MINIMAL)
    (own / "wjp.toml").write_text(MINIMAL + "target_triangles = 900_000\n")
    assert profile("mine") == PrinterProfile(id="mine", label="Mine", format="stl", suffix=".stl")
    assert profile().target_triangles == 900_000
    assert profile().products == {}


def test_a_damaged_profile_is_told_and_the_others_stay(own: Path) -> None:
    (own / "bad.toml").write_text("label = \n")
    (own / "wjp.toml").write_text("also = bad\n")
    assert "bad" not in profiles()
    assert profiles()["wjp"].target_triangles == 1_600_000  # the window still has a printer
    assert {Path(mistake.where).name for mistake in mistakes()} == {"bad.toml", "wjp.toml"}
    with pytest.raises(InvalidInput, match=r"wjp\.toml"):  # whoever asks for it by name is told
        profile("wjp")


def test_an_unknown_name_lists_the_known_ones(own: Path) -> None:
    with pytest.raises(InvalidInput, match=r'no printer profile "xyz".*wjp.*grabcad-obj'):
        profile("xyz")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("colour = true", 'unknown key "colour"'),
        ('unit_mm = "mm"', '"unit_mm" must be a number above 0'),
        ("unit_mm = 0", '"unit_mm" must be a number above 0'),
        ("unit_mm = nan", '"unit_mm" must be a number above 0'),
        ("target_triangles = -1", '"target_triangles" must be a whole number'),
        ("target_triangles = 1.5", '"target_triangles" must be a whole number'),
        ("target_triangles = true", '"target_triangles" must be a whole number'),
        ('up = "x"', '"up" must be one of "y", "z"'),
        ("up = []", '"up" must be one of "y", "z"'),
        ("watertight_required = 1", '"watertight_required" must be true or false'),
        ("max_size_mm = [1, 2]", '"max_size_mm" must be a list of three numbers'),
        ("max_size_mm = [1, 2, 0]", '"max_size_mm" must be a list of three numbers'),
        ("products = [100]", '"products" must be a table of lists'),
        ("[products]\npets = [0]", '"products" must be a table of lists'),
        ('unverified = ["colour"]', '"unverified" must be a list of this file'),
        ("max_file_mb = inf", '"max_file_mb" must be a number, 0 or more'),
    ],
)
def test_a_mistake_names_file_key_and_what_is_wanted(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f"{MINIMAL}{line}\n")
    with pytest.raises(InvalidInput) as caught:
        read_profile(path)
    assert told in str(caught.value)
    assert str(path) in str(caught.value)
    assert caught.value.advice


@pytest.mark.parametrize("key", ["label", "format", "suffix"])
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("\n".join(line for line in MINIMAL.splitlines() if not line.startswith(key)))
    with pytest.raises(InvalidInput, match=f'the key "{key}" is missing'):
        read_profile(path)


def test_a_copy_of_a_built_in_file_is_the_same_profile(tmp_path: Path) -> None:
    for built_in in resource("printers").glob("*.toml"):
        copy = tmp_path / built_in.name
        copy.write_bytes(built_in.read_bytes())
        assert read_profile(copy) == read_profile(built_in)
