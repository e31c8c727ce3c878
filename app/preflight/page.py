"""The QA report as one HTML file that holds everything: pictures, numbers against limits, and the files' hashes.

No scripts and nothing from the network, so that it opens anywhere and for years. What is in it is decided elsewhere:
`batch` gives a sheet per file.
"""

from __future__ import annotations

import base64
from datetime import datetime
from html import escape
from os.path import commonpath
from pathlib import Path
from typing import Any

from app import __version__
from app.preflight.batch import Sheet
from app.preflight.heat import limits_mm, stops
from app.preflight.profiles import PrinterProfile
from app.resources import resource

_MARKS = {"pass": "✓", "warn": "!", "fail": "✕", "unreadable": "?"}
_WORDS = {"pass": "Ready to print", "fail": "Not ready to print", "unreadable": "Cannot be read"}
_CAPTIONS = {"front": "Front", "back": "Back", "left": "Left", "right": "Right"}
_WALL_CAPTIONS = {"walls-front": "Walls, front", "walls-back": "Walls, back"}
_ORDER = ("fail", "warn", "pass")


def html_page(sheets: list[Sheet], profile: PrinterProfile, made_at: datetime) -> str:
    """The whole report. made_at: with its time zone."""
    folder = _folder(sheets)
    title = _name(sheets[0], folder) if len(sheets) == 1 else f"{len(sheets)} files"
    where = f"<dt>Folder</dt><dd>{escape(folder)}</dd>" if len(sheets) > 1 and folder else ""
    program = f"<dt>Program</dt><dd>Likeness {__version__}</dd>"
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Preflight: {escape(title)}</title>",
        f"<style>{resource('report/page.css').read_text('utf-8')}</style></head><body>",
        f"<header><div><p class=over>Preflight report</p><h1>{escape(title)}</h1></div>",
        f"<dl><dt>Printer</dt><dd>{escape(profile.label)}</dd>",
        f"<dt>Checked</dt><dd>{made_at:%Y-%m-%d %H:%M %Z}</dd>{where}{program}</dl></header>",
    ]
    if len(sheets) > 1:
        parts.append(_overview(sheets, folder))
    for number, sheet in enumerate(sheets, 1):
        heading = f"<h1>{_breakable(_name(sheet, folder))}</h1>" if len(sheets) > 1 else ""
        parts.append(_section(sheet, profile, number, heading))
    parts.append("</body></html>\n")
    return "\n".join(parts)


def _folder(sheets: list[Sheet]) -> str:
    """The folder that all files are in, "" where there is none; their names are shown from there."""
    try:
        return commonpath([Path(sheet.answer["file"]).parent for sheet in sheets])
    except ValueError:  # relative and full names, or several drives
        return ""


def _overview(sheets: list[Sheet], folder: str) -> str:
    counts = {word: sum(sheet.answer["verdict"] == word for sheet in sheets) for word in _WORDS}
    tally = ", ".join(f"{count} {_WORDS[word].lower()}" for word, count in counts.items() if count)
    rows = [
        f"<tr><td>{_mark(sheet.answer['verdict'])}</td>"
        f'<td><a href="#file-{number}">{_breakable(_name(sheet, folder))}</a></td>'
        f"<td class=num>{_number(sheet.answer['triangles'])}</td><td class=num>{_size(sheet.answer)}</td>"
        f"<td>{escape(sheet.answer['message'])}</td></tr>"
        for number, sheet in enumerate(sheets, 1)
    ]
    head = "<tr><th></th><th>File</th><th class=num>Triangles</th><th class=num>Size in mm</th><th>Result</th></tr>"
    return f"<section class=overview><h2>{escape(tally)}</h2><table>{head}{''.join(rows)}</table></section>"


def _section(sheet: Sheet, profile: PrinterProfile, number: int, heading: str) -> str:
    answer = sheet.answer
    verdict = answer["verdict"]
    return "\n".join(
        [
            f'<section class="file" id="file-{number}">',
            heading,
            f'<div class="verdict {verdict}">{_mark(verdict)}<div><h2>{_WORDS[verdict]}</h2>',
            f"<p>{_sentence(answer)}</p></div></div>",
            _gallery(sheet, profile),
            _checks(answer),
            _facts(sheet),
            "</section>",
        ]
    )


def _gallery(sheet: Sheet, profile: PrinterProfile) -> str:
    if not sheet.pictures:
        return f"<p class=note>{escape(sheet.no_pictures)}</p>" if sheet.no_pictures else ""
    sides = [_figure(sheet, name, caption) for name, caption in _CAPTIONS.items()]
    walls = [_figure(sheet, name, caption) for name, caption in _WALL_CAPTIONS.items()]
    scale = _legend(profile, sheet.walls_up_to_mm) if any(walls) else ""
    return f"<div class=pictures>{''.join(sides)}</div><div class='pictures walls'>{''.join(walls)}{scale}</div>"


def _figure(sheet: Sheet, name: str, caption: str) -> str:
    if name not in sheet.pictures:
        return ""
    data = base64.b64encode(sheet.pictures[name]).decode("ascii")
    picture = f'<img alt="{caption}" src="data:image/jpeg;base64,{data}">'
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"


def _legend(profile: PrinterProfile, up_to_mm: float) -> str:
    """The scale of walls. Limits lie close to its thin end, so the bands get equal shares, not millimetres."""
    breaks, shifts = limits_mm(profile)
    # A profile without limits has the bands all the same, but nothing is claimed about them.
    words = {shifts: "colour shifts below" if profile.color_wall_mm else ""}
    words[breaks] = "breaks below" if profile.wall_mm else words.get(breaks, "")
    table = stops(profile, up_to_mm)
    bands = []
    for (low, first), (high, last) in zip(table[::2], table[1::2], strict=True):
        colors = ", ".join(f"rgb({r} {g} {b})" for r, g, b in (last, first))
        limit = f"<b>{high:g} mm</b> {words[high]}" if high in words and high < up_to_mm else f"{high:g} mm and more"
        bands.append(f'<li><i style="background: linear-gradient({colors})"></i><span>{limit}</span></li>')
        assert low <= high
    return f"<ol class=scale><li class=title>Wall thickness</li>{''.join(reversed(bands))}</ol>"


def _checks(answer: dict[str, Any]) -> str:
    if not answer["checks"]:
        return ""
    rows = []
    for check in sorted(answer["checks"], key=lambda check: _ORDER.index(check["status"])):
        fix = f"<span class=fix>{escape(check['fix'].replace('_', ' '))}</span>" if check["status"] != "pass" else ""
        point = check["point_mm"]
        place = " ".join(f"{value:,.1f}" for value in point) if point else ""
        rows.append(
            f'<tr class="{check["status"]}"><td>{_mark(check["status"])}</td><td>{escape(check["label"])}</td>'
            f"<td>{escape(check['message'])} {fix if check['fix'] else ''}</td>"
            f"<td class=num>{_measure(check['value'], check['unit'])}</td>"
            f"<td class=num>{_measure(check['limit'], check['unit'])}</td><td class='num place'>{place}</td></tr>"
        )
    head = (
        "<tr><th></th><th>Check</th><th>Result</th><th class=num>Value</th><th class=num>Limit</th>"
        "<th class=num>Place x y z, mm</th></tr>"
    )
    return f"<table class=checks>{head}{''.join(rows)}</table>"


def _facts(sheet: Sheet) -> str:
    answer = sheet.answer
    facts = {
        "File": _breakable(answer["file"]),
        "SHA-256": f"<code>{sheet.sha256 or 'the file cannot be read'}</code>",
        "Bytes": f"{sheet.file_bytes:,}",
        "Triangles": _number(answer["triangles"]),
        "Vertices": _number(answer["vertices"]),
        "Size": f"{_size(answer)} mm" if answer["size_mm"] else "–",
        "Volume": f"{answer['volume_ml']:,.1f} ml" if answer["volume_ml"] is not None else "–",
        "Checked in": f"{sheet.seconds:.1f} s",
    }
    rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts.items())
    notes = "".join(f"<li>{escape(note)}</li>" for note in answer["notes"])
    return f"<dl class=facts>{rows}</dl>" + (f"<ul class=note>{notes}</ul>" if notes else "")


def _mark(status: str) -> str:
    return f'<span class="mark {status}" title="{status}">{_MARKS[status]}</span>'


def _sentence(answer: dict[str, Any]) -> str:
    text = answer["message"]
    return escape(text[:1].upper() + text[1:])


def _name(sheet: Sheet, folder: str) -> str:
    path = Path(sheet.answer["file"])
    return str(path.relative_to(folder) if folder else path)


def _breakable(path: str) -> str:
    """A path as HTML whose lines break between words, not within."""
    text = escape(path)
    for end in ("/", "\\", "_"):
        text = text.replace(end, f"{end}<wbr>")
    return text


def _number(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _size(answer: dict[str, Any]) -> str:
    return "–" if answer["size_mm"] is None else " × ".join(f"{extent:,.1f}" for extent in answer["size_mm"])


def _measure(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    text = f"{value:,.0f}" if isinstance(value, int) or abs(value) >= 1000 or value == int(value) else f"{value:,.2f}"
    return f"{text} {escape(unit)}".strip()
