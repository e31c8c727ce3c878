"""Damage that knows nothing of a file but that it is bytes, and perhaps that numbers are in it."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from random import Random

from tests.fuzzing.case import escapes

WHOLE_NUMBERS = (
    *(0, 1, 2, 3, 4, 7, 8, 16, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 1_000_000, 40_000_000),
    *(1 << 24, 1 << 30, (1 << 31) - 1, 1 << 31, (1 << 32) - 2, (1 << 32) - 1, 1 << 32, 1 << 53, (1 << 63) - 1, 1 << 63),
    (1 << 64) - 1,
)
REALS = (0.0, -0.0, 1e-45, 1e-320, 1e15, 1e30, 3.5e38, 1e308, -1e308, float("inf"), float("-inf"), float("nan"))
NUMBER_WORDS = (
    *(b"0", b"-0", b"-1", b"1", b"2", b"255", b"65536", b"2147483647", b"2147483648", b"-2147483649", b"4294967295"),
    *(b"4294967296", b"9223372036854775808", b"18446744073709551616", b"40000000", b"99999999", b"0.0000001", b"1e15"),
    *(b"1e39", b"1e308", b"-1e308", b"1e999", b"1e-400", b"nan", b"NaN", b"inf", b"-Infinity", b"1.#QNAN", b"0x7f"),
    *(b"9" * 40, b"9" * 400, b"1" + b"0" * 5000, b"1.", b".", b"-", b"+", b"1e", b"1e+", b"0.5.5", b"1,5", b"\xb2"),
)
_NUMBER = re.compile(rb"[-+]?\d[\d.]*(?:[eE][-+]?\d+)?")
_HEAD = 512
_LARGEST = 1 << 20  # an input does not grow beyond this by blind damage

Change = Callable[[bytearray, Random, bytes], None]


def _place(data: bytearray, rng: Random) -> int:
    """A byte of the data; often near the beginning, where the headers are."""
    return rng.randrange(min(len(data), _HEAD) if rng.random() < 0.4 else len(data))


def _length(rng: Random) -> int:
    return 1 << rng.randrange(11) if rng.random() < 0.5 else rng.randrange(1, 24)


def _flip(data: bytearray, rng: Random, other: bytes) -> None:
    data[_place(data, rng)] ^= 1 << rng.randrange(8)


def _byte(data: bytearray, rng: Random, other: bytes) -> None:
    data[_place(data, rng)] = rng.choice((0, 0xFF, 0x7F, 0x80, 0x20, 0x0A, 0x22, 0x2F, 0x7B, 0x5B, rng.randrange(256)))


def _noise(data: bytearray, rng: Random, other: bytes) -> None:
    at = _place(data, rng)
    data[at : at + 16] = rng.randbytes(rng.randrange(1, 16))


def _cut(data: bytearray, rng: Random, other: bytes) -> None:
    del data[_place(data, rng) :]


def _remove(data: bytearray, rng: Random, other: bytes) -> None:
    at = _place(data, rng)
    del data[at : at + _length(rng)]


def _double(data: bytearray, rng: Random, other: bytes) -> None:
    at, length = _place(data, rng), _length(rng)
    times = rng.choice((1, 1, 1, 2, 50))
    data[at:at] = data[at : at + length] * times


def _swap(data: bytearray, rng: Random, other: bytes) -> None:
    at, to, length = _place(data, rng), _place(data, rng), _length(rng)
    data[at : at + length], data[to : to + length] = data[to : to + length], data[at : at + length]


def _splice(data: bytearray, rng: Random, other: bytes) -> None:
    """A piece of another whole file."""
    if other:
        start, at = rng.randrange(len(other)), _place(data, rng)
        piece = other[start : start + _length(rng)]
        data[at : at + rng.choice((0, len(piece)))] = piece


def _whole(data: bytearray, rng: Random, other: bytes) -> None:
    """A number of two, four or eight bytes, often where such numbers stand."""
    size = rng.choice((2, 4, 4, 4, 8))
    at = _place(data, rng)
    if rng.random() < 0.7:
        at -= at % size
    value = rng.choice(WHOLE_NUMBERS) & ((1 << (8 * size)) - 1)
    data[at : at + size] = value.to_bytes(size, rng.choice(("little", "little", "big")))


def _near(data: bytearray, rng: Random, other: bytes) -> None:
    """A number changed by a little: counts and sizes that are off by one."""
    size = rng.choice((1, 2, 4, 4, 8))
    at = _place(data, rng)
    order = rng.choice(("little", "little", "big"))
    value = int.from_bytes(data[at : at + size], order) + rng.choice((-16, -2, -1, 1, 2, 16))
    data[at : at + size] = (value & ((1 << (8 * size)) - 1)).to_bytes(size, order)


def _real(data: bytearray, rng: Random, other: bytes) -> None:
    at, value = _place(data, rng), rng.choice(REALS)
    single = rng.random() < 0.7
    at -= at % 4
    try:
        packed = struct.pack("<f" if single else "<d", value)
    except OverflowError:
        packed = struct.pack("<f", float("inf"))
    data[at : at + len(packed)] = packed


def change_number(data: bytearray, rng: Random, other: bytes) -> None:
    """A number in text becomes an extreme one."""
    start = _place(data, rng)
    found = _NUMBER.search(data, start) or _NUMBER.search(data)
    if found:
        data[found.start() : found.end()] = number_word(found.group(), rng)


def number_word(old: bytes, rng: Random) -> bytes:
    """A number for another: half of them ones that a file may well hold."""
    match rng.randrange(6):
        case 0:
            return b"%d" % rng.randrange(20)
        case 1 if old.lstrip(b"-").isdigit() and len(old) < 16:
            return b"%d" % (int(old) + rng.choice((-2, -1, 1, 2, 5)))
        case 2:
            return b"%.3f" % rng.uniform(-3, 3)
        case _:
            return rng.choice(NUMBER_WORDS)


def _word(data: bytearray, rng: Random, other: bytes) -> None:
    """A hostile name where a text in quotes or after a blank stands."""
    at = _place(data, rng)
    begin = max(data.find(b'"', at), data.find(b" ", at))
    ends = [end for end in (data.find(b'"', begin + 1), data.find(b"\n", begin + 1)) if end > begin]
    if begin >= 0 and ends:
        data[begin + 1 : min(ends)] = rng.choice(_ESCAPES)


_ESCAPES = escapes()
CHANGES: tuple[Change, ...] = (
    *(_flip, _flip, _byte, _noise, _cut, _remove, _double, _swap, _splice, _splice, _whole, _whole, _near, _near),
    *(_real, change_number, change_number, _word),
)


def damaged(content: bytes, rng: Random, other: bytes = b"") -> bytes:
    """A damaged copy: one to four changes, or now and then a great many. other: a file to take pieces from."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4, 40))):
        if not data:
            break
        rng.choice(CHANGES)(data, rng, other)
        del data[_LARGEST:]
    return bytes(data)
