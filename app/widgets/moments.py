"""Times in the words that one would use: "3 s ago", "today 14:32". No Qt."""

from __future__ import annotations

from datetime import datetime, timedelta

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_WEEK_DAYS = 7


def ago(then: float, now: float) -> str:
    """How long ago, for something that goes on: seconds since the epoch, both of them."""
    seconds = max(0.0, now - then)
    if seconds < _MINUTE:
        return f"{seconds:.0f} s ago"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min ago"
    if seconds < _DAY:
        return f"{seconds // _HOUR:.0f} h ago"
    return moment(then, now)


def moment(then: float, now: float) -> str:
    """When it was, for something that is over: seconds since the epoch, both of them, in local time."""
    try:
        at, today = datetime.fromtimestamp(then), datetime.fromtimestamp(now)
    except (ValueError, OverflowError, OSError):  # a file, or who wrote one, can claim any time
        return "an unknown time"
    clock = f"{at:%H:%M}"
    days = (today.date() - at.date()) // timedelta(days=1)
    if days == 0:
        return f"today {clock}"
    if days == 1:
        return f"yesterday {clock}"
    if 1 < days < _WEEK_DAYS:
        return f"{at:%A} {clock}"
    return f"{at.day} {at:%B}{'' if at.year == today.year else f' {at.year}'}, {clock}"
