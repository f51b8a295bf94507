"""Times in the two forms that machines write: ISO 8601 and RFC 5322. What is not certain is not guessed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from crawler import limits
from crawler.items import Moment

ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d{1,9})?)?\s*(Z|z|UTC|GMT|[+-]\d\d:?(?:\d\d)?)?)?",
    re.ASCII,
)

RFC = re.compile(
    r"(?:[A-Za-z]{3,9},?\s+)?\d{1,2}\s+[A-Za-z]{3,9}\s+(?:\d{2}|\d{4})\s+\d{1,2}:\d\d(?::\d\d)?"
    r"(?:\s+(?:[A-Z]{1,5}|[+-]\d{4}|[+-]\d\d:\d\d)(?:\s*\([A-Za-z ]{1,20}\))?)?",
    re.ASCII,
)
"""Day, month, year, time, zone. The library's own parser also takes `December 14, 2019 8:44 pm`, and drops the `pm`."""


def machine_time(text: str) -> Moment | None:
    """The moment that an ISO 8601 or RFC 5322 text names; None for anything else, and for impossible dates.

    The zone is known only where the text states it; RFC 5322's `-0000` states that it does not.
    """
    text = text.strip()
    if not text or len(text) > limits.DATE_CHARACTERS:
        return None
    found = ISO.fullmatch(text)
    try:
        if found:
            return _iso(found, text)
        return _rfc(text) if RFC.fullmatch(text) else None
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def as_iso(when: datetime, *, day_only: bool = False) -> str:
    """A datetime in the spelling of `Moment.iso`; raises ValueError before `FIRST_YEAR`."""
    if when.year < limits.FIRST_YEAR:
        raise ValueError(f"year {when.year}")
    if day_only:
        return f"{when:%Y-%m-%d}"
    if when.tzinfo is None:
        return f"{when:%Y-%m-%dT%H:%M:%S}"
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _iso(found: re.Match[str], raw: str) -> Moment:
    year, month, day, hour, minute, second, zone = found.groups()
    if hour is None:
        return Moment(iso=as_iso(datetime(int(year), int(month), int(day)), day_only=True), raw=raw)
    text = f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}"
    if zone:
        text += "+00:00" if zone.upper() in ("Z", "UTC", "GMT") else _offset(zone)
    return Moment(iso=as_iso(datetime.fromisoformat(text)), raw=raw)


def _offset(zone: str) -> str:
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return f"{zone[0]}{digits[:2]}:{digits[2:]}"


def _rfc(text: str) -> Moment:
    return Moment(iso=as_iso(parsedate_to_datetime(text)), raw=text)
