"""Numbers in text files, as kernels over bytes: reading decimals and whole numbers, writing fixed-point ones.

What lives here: the characters of one number, blanks and line ends. What does not: any file's grammar.
"""

from __future__ import annotations

import mmap

import numpy as np

from app.mesh.jit import kernel

SPACE, TAB, NEWLINE, RETURN, HASH, QUOTE, COMMA = 32, 9, 10, 13, 35, 34, 44
_FORM_FEED, _PLUS, _MINUS, _POINT, _ZERO, _NINE = 12, 43, 45, 46, 48, 57
_LOWER = 0x20  # bit that turns an ASCII capital into its small letter
_E, _I, _N = 101, 105, 110
# Nineteen digits would not fit a signed 64-bit mantissa; further digits cannot change a float32.
_MANTISSA_DIGITS = 18
_LARGEST_POWER = 340
_POWERS_OF_TEN = np.array([float(f"1e{k}") for k in range(309)])
_WHOLE_LIMIT = 1 << 60


@kernel
def is_blank(byte):
    """Space, tab, vertical tab or form feed: what separates words within a line."""
    return byte == SPACE or (TAB <= byte <= _FORM_FEED and byte != NEWLINE)


@kernel
def is_line_end(byte):
    """Newline or carriage return, so that Unix, Windows and old Mac files read the same."""
    return byte in (NEWLINE, RETURN)


@kernel
def skip_blanks(data, i, end):
    """Index of the first byte from i that is not blank within the line."""
    while i < end and is_blank(data[i]):
        i += 1
    return i


@kernel
def skip_gaps(data, i, end):
    """Index of the first byte from i that is neither blank nor a line end."""
    while i < end and (is_blank(data[i]) or is_line_end(data[i])):
        i += 1
    return i


@kernel
def skip_line(data, i, end):
    """Index just after the line that i is in."""
    while i < end and not is_line_end(data[i]):
        i += 1
    return i + 1 if i < end else end


@kernel
def skip_word(data, i, end):
    """Index just after the word that starts at i."""
    while i < end and not is_blank(data[i]) and not is_line_end(data[i]):
        i += 1
    return i


@kernel
def _scaled(mantissa, power):
    value = np.float64(mantissa)
    if power == 0 or mantissa == 0:
        return value
    if power > 0:
        return np.inf if power > 308 else value * _POWERS_OF_TEN[power]
    if power < -308:
        value /= _POWERS_OF_TEN[min(-power - 308, 308)]
        return value / _POWERS_OF_TEN[308]
    return value / _POWERS_OF_TEN[-power]


@kernel
def read_real(data, i, end):
    """One decimal number at i. Returns its float64 value and the index after it; the index i where there is none.

    Within one unit in the last place of a float64, so exact after rounding to float32 but for ties. The words that
    C libraries print for values that are not numbers (nan, inf, 1.#QNAN, -nan(ind)) give NaN.
    """
    start = i
    negative = False
    if i < end and (data[i] == _MINUS or data[i] == _PLUS):
        negative = data[i] == _MINUS
        i += 1
    if i < end and ((data[i] | _LOWER) == _N or (data[i] | _LOWER) == _I):
        word = skip_word(data, i, end)
        return (np.nan, word) if word - i >= 3 else (np.nan, start)
    mantissa = np.int64(0)
    digits = 0
    power = np.int64(0)
    seen = False
    while i < end and _ZERO <= data[i] <= _NINE:
        seen = True
        if digits < _MANTISSA_DIGITS:
            mantissa = mantissa * 10 + (np.int64(data[i]) - _ZERO)
            if mantissa > 0:
                digits += 1
        else:
            power += 1
        i += 1
    if i < end and data[i] == _POINT:
        i += 1
        if seen and i < end and data[i] == HASH:
            return np.nan, skip_word(data, i, end)
        while i < end and _ZERO <= data[i] <= _NINE:
            seen = True
            if digits < _MANTISSA_DIGITS:
                mantissa = mantissa * 10 + (np.int64(data[i]) - _ZERO)
                power -= 1
                if mantissa > 0:
                    digits += 1
            i += 1
    if not seen:
        return 0.0, start
    if i < end and (data[i] | _LOWER) == _E:
        j = i + 1
        down = False
        if j < end and (data[j] == _MINUS or data[j] == _PLUS):
            down = data[j] == _MINUS
            j += 1
        exponent = np.int64(0)
        first = j
        while j < end and _ZERO <= data[j] <= _NINE:
            if exponent < 10_000:
                exponent = exponent * 10 + (np.int64(data[j]) - _ZERO)
            j += 1
        if j > first:
            power += -exponent if down else exponent
            i = j
    value = _scaled(mantissa, max(-2 * _LARGEST_POWER, min(_LARGEST_POWER, power)))
    return (-value if negative else value), i


@kernel
def read_whole(data, i, end):
    """One whole number at i. Returns its int64 value and the index after it; the index i where there is none."""
    start = i
    negative = False
    if i < end and (data[i] == _MINUS or data[i] == _PLUS):
        negative = data[i] == _MINUS
        i += 1
    value = np.int64(0)
    first = i
    while i < end and _ZERO <= data[i] <= _NINE:
        if value < _WHOLE_LIMIT // 16:
            value = value * 10 + (np.int64(data[i]) - _ZERO)
        i += 1
    if i == first:
        return np.int64(0), start
    return (-value if negative else value), i


@kernel
def put_whole(out, i, value):
    """Write a whole number at i. Returns the index after it. At most 20 bytes."""
    if value < 0:
        out[i] = _MINUS
        i += 1
        value = -value
    first = i
    while True:
        out[i] = _ZERO + value % 10
        i += 1
        value //= 10
        if value == 0:
            break
    last = i - 1
    while first < last:
        out[first], out[last] = out[last], out[first]
        first += 1
        last -= 1
    return i


@kernel
def put_fixed(out, i, value, decimals):
    """Write a real number at i with so many decimals, without trailing zeros. Returns the index after it.

    At most 24 bytes. Values beyond 9e18 / 10**decimals are cut to that; a caller has checked its numbers before.
    """
    scaled = np.float64(value) * _POWERS_OF_TEN[decimals]
    scaled = min(max(scaled, -9.0e18), 9.0e18)
    number = np.int64(np.floor(np.abs(scaled) + 0.5))
    if scaled < 0.0 and number != 0:
        out[i] = _MINUS
        i += 1
    unit = np.int64(1)
    for _ in range(decimals):
        unit *= 10
    i = put_whole(out, i, number // unit)
    rest = number % unit
    if rest == 0:
        return i
    out[i] = _POINT
    i += 1
    while rest != 0:
        unit //= 10
        out[i] = _ZERO + rest // unit
        rest %= unit
        i += 1
    return i


def line_number(data: bytes | mmap.mmap, offset: int) -> int:
    """Line, counted from 1, in which a byte stands: for messages only."""
    return 1 + int(_line_ends(np.frombuffer(data, np.uint8), min(offset, len(data))))


@kernel
def _line_ends(data, stop):
    count = 0
    for i in range(stop):
        if data[i] == NEWLINE or (data[i] == RETURN and (i + 1 >= stop or data[i + 1] != NEWLINE)):
            count += 1
    return count
