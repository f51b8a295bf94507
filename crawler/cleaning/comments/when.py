"""A comment's time in words, in many languages: `December 23, 2024 at 10:00 am`, `19. Juni 2018 um 15:28 Uhr`.

Machine-written forms are read by `crawler.moments`. A date whose day and month cannot be told apart is not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from unicodedata import normalize

from crawler import limits
from crawler.cleaning.dates import MONTH_OF, ZONES
from crawler.items import Moment
from crawler.moments import as_iso, machine_time

MORE_MONTHS = (
    "sty január ianuarie янв січня январа ιανουαρίου tammikuu tammikuuta januára siječnja yanvar",
    "fevrier február februarie фев лютого φεβρουαρίου helmikuu helmikuuta februára veljače",
    "maerz marco március martie мар березня μαρτίου maaliskuu maaliskuuta maret ožujka",
    "kwi április aprilie апр квітня απριλίου huhtikuu huhtikuuta apríla travnja",
    "május травня μαΐου toukokuu toukokuuta mája svibnja",
    "cze június iunie июн червня ιουνίου kesäkuu kesäkuuta júna lipnja",
    "lip július iulie июл липня ιουλίου heinäkuu heinäkuuta júla srpnja",
    "aout sie augusztus авг серпня αυγούστου elokuu elokuuta agustus augusta kolovoza",
    "wrz szeptember septembrie сен вересня σεπτεμβρίου syyskuu syyskuuta septembra rujna",
    "paź octombrie окт жовтня οκτωβρίου lokakuu lokakuuta októbra",
    "lis listopadu noiembrie ноя листопада νοεμβρίου marraskuu marraskuuta novembra studenoga",
    "decembre gru decembrie дек грудня δεκεμβρίου joulukuu joulukuuta decembra prosinca des",
)
"""Names by month that `crawler.cleaning.dates` has no need of: comments carry the short forms and more languages."""
MONTHS = {**{name: n for n, names in enumerate(MORE_MONTHS, 1) for name in names.split()}, **MONTH_OF}

_MONTH = "(?P<month>" + "|".join(sorted(map(re.escape, MONTHS), key=len, reverse=True)) + r")(?![^\W\d_])\.?"
_YEAR = r"(?P<year>(?:19|20)\d\d)(?!\d)"
_DAY = r"(?<!\d)(?P<day>[0-3]?\d)(?:st|nd|rd|th|er|º|ª)?(?!\d)"
_SEP = r"[\s,./\-|]{0,3}(?:de|of|del|d')?[\s,./\-|]{0,3}"
DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<!\d)(?P<year>(?:19|20)\d\d)[-/.](?P<number>0?[1-9]|1[0-2])[-/.](?P<day>[0-3]?\d)(?!\d)",
        r"(?<!\d)(?P<year>(?:19|20)\d\d)\s?[年년]\s?(?P<number>\d{1,2})\s?[月월]\s?(?P<day>\d{1,2})\s?[日일]",
        rf"(?<![^\W\d_]){_MONTH}[\s,.-]{{0,3}}{_DAY}{_SEP}{_YEAR}",
        rf"{_DAY}{_SEP}{_MONTH}{_SEP}{_YEAR}",
        r"(?<!\d)(?P<first>[0-3]?\d)(?P<mark>[./-])(?P<second>[0-3]?\d)[./-](?P<year>(?:19|20)\d\d|\d\d)(?!\d)",
        r"(?<!\d)(?P<day>[0-3]?\d)\.(?P<number>[01]?\d),\s(?P<year>(?:19|20)\d\d)(?!\d)",
    )
)
MACHINE = re.compile(r"\s*(?:\d{4}-\d\d-\d\d|[A-Z][a-z]{2}, \d\d? [A-Z][a-z]{2} \d{4})", re.ASCII)
"""The beginnings of ISO 8601 and RFC 5322; the parser of the latter would read `8:44 pm` as the morning."""
CLOCK = re.compile(
    r"(?<![\d:.])(?P<hour>[0-2]?\d)(?:\s?[:h]\s?|\.)(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?![\d:])"
    r"(?:\s?(?P<half>[ap])\.?\s?m\b)?",
    re.IGNORECASE,
)
ZONE = re.compile(
    r"\s?\(?(?P<name>Z|UTC|GMT"
    r"|[A-Z]{3,4})?\s?(?P<sign>[+-])?(?:(?<=[+-])(?P<hours>\d\d?)(?::?(?P<minutes>\d\d))?)?(?!\w)"
)
CLOCK_REACH = 24
"""Characters between a date and its clock time: ` um `, ` at `, ` – `, ` @ `."""


class Order(Enum):
    """Which comes first in a date of figures."""

    UNKNOWN = "unknown"
    DAY = "day"
    MONTH = "month"
    ANY = "any"
    """For finding where a date stands, not which one it is."""


ANY_ORDER = Order.ANY
FIGURES = re.compile(r"(?<![\d/.-])([0-3]?\d)[./-]([0-3]?\d)[./-](?:(?:19|20)\d\d|\d\d)(?!\d)")


def order_of(texts: Iterable[str]) -> Order:
    """The order that the dates of one page show: a single 12/24 settles it for all. UNKNOWN without, or with both."""
    day = month = False
    for text in texts:
        for first, second in FIGURES.findall(text[: 4 * limits.DATE_CHARACTERS]):
            day |= int(first) > 12 >= int(second)
            month |= int(second) > 12 >= int(first)
    if day == month:
        return Order.UNKNOWN
    return Order.DAY if day else Order.MONTH


def best_time(texts: Iterable[str], finer: Iterable[str], order: Order) -> Moment | None:
    """The first moment that one of the texts names. A bare day gains its clock time from another text of that day."""
    first = next((found[0] for text in texts if (found := find_time(text, order))), None)
    if first is None or len(first.iso) > len("2000-01-01"):
        return first
    for text in (*texts, *finer):
        found = find_time(text, order)
        if found and found[0].iso.startswith(first.iso) and len(found[0].iso) > len(first.iso):
            return found[0]
    return first


def find_time(text: str, order: Order) -> tuple[Moment, int, int] | None:
    """The first moment that a text names, and its span."""
    text = normalize("NFC", text[: 4 * limits.DATE_CHARACTERS])
    if not any(map(str.isdigit, text)):
        return None
    if MACHINE.match(text) and (moment := machine_time(text)):
        return moment, 0, len(text)
    for pattern in DATES:
        if (found := pattern.search(text)) and (day := _day(found, order)):
            return _with_clock(text, found, day)
    return None


def _day(found: re.Match[str], order: Order) -> tuple[int, int, int] | None:
    parts = found.groupdict()
    year = int(parts["year"])
    if parts.get("first"):
        return _numbers(int(parts["first"]), int(parts["second"]), year, Order.DAY if parts["mark"] == "." else order)
    name = parts.get("month")
    month = MONTHS[name.lower()] if name else int(parts["number"])
    return year, month, int(parts["day"])


def _numbers(first: int, second: int, year: int, order: Order) -> tuple[int, int, int] | None:
    """Day and month in figures: told apart by a number above twelve, or by the order known; points say day first."""
    if year < 100:
        year += 2000
    if second > 12 >= first:
        return year, first, second
    if first > 12 >= second or order in (Order.DAY, Order.ANY) or first == second:
        return year, second, first
    return (year, first, second) if order is Order.MONTH else None


def _with_clock(text: str, found: re.Match[str], day: tuple[int, int, int]) -> tuple[Moment, int, int] | None:
    start, end = found.span()
    clock = _clock_near(text, start, end)
    try:
        if clock is None:
            return Moment(iso=as_iso(datetime(*day), day_only=True), raw=text[start:end]), start, end
        zone, ends = _zone_at(text, clock.end())
        start, end = min(start, clock.start()), max(end, ends)
        return Moment(iso=as_iso(datetime(*day, *_hours(clock), tzinfo=zone)), raw=text[start:end]), start, end
    except (ValueError, OverflowError):
        return None


def _zone_at(text: str, at: int) -> tuple[timezone | None, int]:
    """The zone that stands right behind a clock time, and where it ends."""
    found = ZONE.match(text, at)
    if not found or not (found["hours"] or (found["name"] or "").lower() in ZONES):
        return None, at
    if found["hours"]:
        east = int(found["hours"]) * 60 + int(found["minutes"] or 0)
        east = -east if found["sign"] == "-" else east
    else:
        east = ZONES[found["name"].lower()]
    return (UTC if not east else timezone(timedelta(minutes=east))), found.end()


def _clock_near(text: str, start: int, end: int) -> re.Match[str] | None:
    after = CLOCK.search(text, end, end + CLOCK_REACH + 12)
    if after and after.start() - end <= CLOCK_REACH:
        return after
    before = list(CLOCK.finditer(text, max(0, start - CLOCK_REACH - 12), start))
    return before[-1] if before else None


def _hours(clock: re.Match[str]) -> tuple[int, int, int]:
    hour, half = int(clock["hour"]), (clock["half"] or "").lower()
    if half == "p" and hour < 12:
        hour += 12
    elif half == "a" and hour == 12:
        hour = 0
    return hour, int(clock["minute"]), int(clock["second"] or 0)
