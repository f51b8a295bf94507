"""A date as a site writes it, as a `Moment`. Only forms that can be read in one way; nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from crawler import limits
from crawler.items import Moment
from crawler.text import line

MONTHS = (
    (
        "jan january januar janvier janv enero ene gennaio gen janeiro januari styczeń stycznia ocak январь "
        "января jänner jän janúar leden ledna"
    ),
    (
        "feb february februar février févr fév febrero febbraio fevereiro fev februari luty lutego şubat "
        "февраль февраля feber únor února"
    ),
    "mar march märz mär mars marzo março maart mrt marzec marca mart март марта mrz březen března",
    "apr april avril avr abril abr aprile kwiecień kwietnia nisan апрель апреля apríl duben dubna",
    "may mai mayo maggio mag maio mei maj maja mayıs май мая maí květen května",
    "jun june juni juin junio giugno giu junho czerwiec czerwca haziran июнь июня júní červen června",
    ("jul july juli juillet juil julio luglio lug julho lipiec lipca temmuz июль июля júlí červenec července"),
    ("aug august août agosto ago augustus sierpień sierpnia ağustos август августа ágúst srpen srpna augusti"),
    (
        "sep sept september septembre septiembre settembre set setembro wrzesień września eylül сентябрь "
        "сентября september září"
    ),
    (
        "oct october oktober okt octobre octubre ottobre ott outubro out październik października ekim "
        "октябрь октября október říjen října"
    ),
    "nov november novembre noviembre novembro listopad listopada kasım ноябрь ноября nóvember",
    (
        "dec december dezember dez décembre déc diciembre dic dicembre dezembro grudzień grudnia aralık "
        "декабрь декабря desember prosinec prosince"
    ),
)
"""Month names and short forms by month, from the languages of the sites watched. `listopad` is Polish November; the
Czech October of the same name cannot be told from it and is read as November nowhere but in Polish order of words."""
MONTH_OF = {name: number for number, names in reversed(list(enumerate(MONTHS, 1))) for name in names.split()}
ZONES = {
    "z": 0, "utc": 0, "gmt": 0, "ut": 0, "est": -300, "edt": -240, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480,
    "pdt": -420, "cet": 60, "cest": 120, "mez": 60, "mesz": 120, "eet": 120, "eest": 180, "msk": 180, "jst": 540,
    "kst": 540, "aest": 600, "aedt": 660, "wib": 420, "sgt": 480, "hkt": 480, "pkt": 300,
}  # fmt: skip
"""Minutes east of Greenwich for names that mean one zone. `IST`, `CST` and `BST` mean several and are left out."""
CLOCK = (
    r"(?P<hour>[01]?\d|2[0-4])[:.h](?P<minute>[0-5]\d)(?:[:.](?P<second>[0-5]\d)(?:[.,]\d{1,9})?)?"
    r"\s*(?P<half>[ap]\.?m\b\.?)?"
)
HALF_CLOCK = r"(?P<hour>1[0-2]|0?[1-9])\s*(?P<half>[ap]\.?m\b\.?)"
ZONE = r"\s*\(?(?P<zone>Z\b|(?:UTC|GMT)?\s?[+-]\d\d?:?(?:\d\d)?(?!\d)|[A-Za-z]{2,4}\b)?"
JOIN = r"(?:\s*(?:T|,|\||at|um|à|-|–|—|•|·|kl\.?|ore|o|v|da|saat)?\s*(?:at|um|à|–|-)?\s*)"
NUMBERS = r"(?P<year>\d{4})[-/.](?P<month>\d\d?)[-/.](?P<day>\d\d?)"
DAY_FIRST = r"(?P<day>\d\d?)(?P<mark>[./-])(?P<month>\d\d?)(?P=mark)(?P<year>\d{4})"
NAMED = (
    r"(?P<day>\d\d?)(?:st|nd|rd|th|er|\.|º)?(?:\s+de|\s+of)?[\s-]+"
    r"(?P<name>[^\W\d_]{3,12})\.?,?(?:\s+del?)?[\s,-]+(?P<year>\d{4})"
)
NAME_FIRST = r"(?P<name>[^\W\d_]{3,12})\.?\s+(?P<day>\d\d?)(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})"
CHINESE = r"(?P<year>\d{4})\s*[年년]\s*(?P<month>\d\d?)\s*[月월]\s*(?P<day>\d\d?)\s*[日일]"
COMPACT = r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)(?:T?(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?)?"
JS_DATE = r"(?P<name>[A-Z][a-z]{2}) (?P<day>\d\d?) (?P<clock>\d\d:\d\d:\d\d) (?P<year>\d{4})"
WEEKDAY = re.compile(r"^[^\W\d_]{2,12}\.?,?\s+(?=\S)")
DAYS = (NUMBERS, NAMED, NAME_FIRST, DAY_FIRST, CHINESE)
FORMS = (
    *(re.compile(rf"{day}(?:{JOIN}(?:{clock}){ZONE})?", re.I) for day in DAYS for clock in (CLOCK, HALF_CLOCK)),
    re.compile(COMPACT + ZONE, re.I),
)
EPOCH = re.compile(r"1\d{9}(?:\d{3})?")
LEADS = re.compile(
    r"^(?:published|posted|updated|last updated|last modified|modified|created|date|on|at|veröffentlicht|"
    r"erstellt|erschienen|"
    r"stand|publié|le|mis à jour|"
    r"publicado|el|pubblicato|il|aktualisiert|am|vom|den)\b[\s:.]*(?:(?:on|am|le|at|el)\b)?[\s:]*",
    re.I,
)
LAST_YEAR = 2100
"""Later years are mistakes. The clock is not read here: whoever stores a time compares it with now."""


def moment(raw: str) -> Moment | None:
    """The time that a text states, or None where it states none that can be read in one way only.

    With a zone it becomes UTC; without one it stays as written, and says so by lacking the `Z`.
    """
    return _moment(raw) if raw and len(raw) <= limits.DATE_CHARACTERS * 2 else None


@lru_cache(maxsize=1024)
def _moment(raw: str) -> Moment | None:
    """Kept for a while: a page states one time in many places, and a listing's pages share many."""
    if not any(c in "0123456789" for c in raw):
        return None
    text = line(raw)
    foreign = any(c.isdigit() and not c.isascii() for c in text)
    if not text or foreign or len(text) > limits.DATE_CHARACTERS:
        return None
    iso = _iso(text)
    return Moment(iso=iso, raw=text) if iso else None


def _iso(text: str) -> str:
    if EPOCH.fullmatch(text):
        return _stamp(datetime.fromtimestamp(int(text[:10]), UTC))
    for candidate in _spellings(text):
        for form in FORMS:
            if match := form.fullmatch(candidate):
                return _from(match)
    return ""


def _spellings(text: str) -> Iterator[str]:
    """The text itself, and without what may stand before a date: `Published on`, a weekday."""
    text = re.sub(r"\s*\([^()]*\)$", "", text)
    text = re.sub(r"(?<=\d\d:\d\d) ?(?:Uhr|hrs?|h)\b\.?$", "", text)
    yield text
    if (bare := LEADS.sub("", text)) != text:
        yield bare
    if (later := WEEKDAY.sub("", bare)) != bare:
        yield later
    if (js := re.sub(JS_DATE, r"\g<day> \g<name> \g<year> \g<clock>", later)) != later:
        yield js


def _from(match: re.Match[str]) -> str:
    parts = match.groupdict()
    month = _month(parts)
    try:
        day = datetime(int(parts["year"]), month, int(parts["day"]))
    except (ValueError, OverflowError):
        return ""
    if not limits.FIRST_YEAR <= day.year <= LAST_YEAR:
        return ""
    if parts.get("hour") is None:
        return day.strftime("%Y-%m-%d")
    return _with_clock(day, parts)


def _month(parts: dict[str, str | None]) -> int:
    """The month's number, 0 where it cannot be told: `03/04/2024` is March in one country and April in the next."""
    if name := parts.get("name"):
        return MONTH_OF.get(name.lower(), 0)
    month, day = int(parts["month"] or 0), int(parts["day"] or 0)
    if parts.get("mark") in ("/", "-") and day <= 12 and day != month:
        return 0
    return month


def _with_clock(day: datetime, parts: dict[str, str | None]) -> str:
    hour, half = int(parts["hour"] or 0), (parts.get("half") or "").lower()
    if half and hour <= 12:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    local = day + timedelta(hours=hour, minutes=int(parts.get("minute") or 0), seconds=int(parts.get("second") or 0))
    offset = _offset(parts.get("zone") or "")
    if offset is None:
        return local.strftime("%Y-%m-%dT%H:%M:%S")
    try:
        return _stamp(local.replace(tzinfo=timezone(timedelta(minutes=offset))))
    except (ValueError, OverflowError):
        return ""


def _offset(zone: str) -> int | None:
    """Minutes east of Greenwich; None where the zone is missing or means several."""
    name = zone.strip().lower()
    if name in ZONES:
        return ZONES[name]
    match = re.fullmatch(r"(?:utc|gmt)?\s?([+-])(\d\d?):?(\d\d)?", name)
    if not match:
        return None
    minutes = int(match[2]) * 60 + int(match[3] or 0)
    return minutes if match[1] == "+" else -minutes


def _stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
