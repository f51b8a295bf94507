"""What was typed into a search, as a value: words, phrases, beginnings, and filters. Pure; any text gives one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

Place = Literal["text", "headline", "author"]

WORDS = 32
"""More words than this are a pasted text, not a search."""
CHARACTERS = 10_000
"""What comes behind them is not looked at."""
FILTERS = 100
"""Values of filters; more are no person's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Words that stand next to each other in one place."""

    words: tuple[str, ...]
    """Letters and digits alone, as typed; never empty."""
    beginning: bool = False
    """Whether the last word may go on."""
    place: Place = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to look for: every term, none of `without`, and all of the filters."""

    terms: tuple[Term, ...] = ()
    without: tuple[Term, ...] = ()
    sources: tuple[str, ...] = ()
    """Any of these; empty for all."""
    not_sources: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    """Any of these, in lower case; `en` is also `en-GB`."""
    not_languages: tuple[str, ...] = ()
    since: str = ""
    """The first day, `2026-11-01`; empty for any."""
    until: str = ""
    """The day after the last one; empty for any."""
    notes: tuple[str, ...] = ()
    """What of it was not understood, in lines for a person."""

    @property
    def filtered(self) -> bool:
        """True when it names sources, languages or a time."""
        return bool(
            self.sources or self.not_sources or self.languages or self.not_languages or self.since or self.until
        )

    @property
    def nothing(self) -> bool:
        """True when there is nothing to look for: no words, no filters, or only words that must not occur."""
        return not (self.terms or self.filtered)


@dataclass(slots=True)
class _Parts:
    """An `Asked` while it is read."""

    today: date
    keys: Mapping[str, str]
    terms: dict[bool, list[Term]] = field(default_factory=lambda: {True: [], False: []})
    named: dict[str, list[str]] = field(default_factory=dict)
    since: str = ""
    until: str = ""
    notes: list[str] = field(default_factory=list)
    words: int = 0


KEYS = {
    "source": "source",
    "lang": "lang",
    "language": "lang",
    "since": "since",
    "until": "until",
    "by": "author",
    "author": "author",
    "title": "headline",
    "headline": "headline",
}
"""What may stand before a colon; anything else there is a word."""

_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂「」", '"'))
_PART = re.compile(r'(-?)(?:([A-Za-z]{1,12}):)?(?:"([^"]*)(?:"(\*?)|$)|([^\s"]+))')
_WORD = re.compile(r"[^\W_](?:[^\W_]|[\u0300-\u036f])*")
"""As the index divides text: letters and digits with the accents that follow them."""
_UNDIVIDED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Scripts without spaces between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese. The index has whole runs of them,
so that a word of theirs can only be found where a run begins with it."""
_DAY = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", re.ASCII)
_AGO = re.compile(r"(\d{1,6})([dw])", re.ASCII | re.IGNORECASE)
_DAYS = {"d": 1, "w": 7}


def parse(text: str, today: date, keys: Mapping[str, str] = KEYS) -> Asked:
    """What was typed as a value. Without `keys` a colon means nothing.

    `-` before a part excludes what it names. A filter whose value is no time is looked for as words, and noted.
    """
    parts = _Parts(today, keys)
    clean = unicodedata.normalize("NFC", text[:CHARACTERS].replace("\0", " ")).translate(_QUOTES)
    for match in _PART.finditer(clean):
        minus, key, phrase, star, word = match.groups()
        value = word if phrase is None else phrase + (star or "")
        _take(parts, bool(minus), key or "", value)
    if parts.words > WORDS:
        parts.notes.append(f"only the first {WORDS} words are looked for")
    return Asked(
        terms=tuple(parts.terms[False]),
        without=tuple(parts.terms[True]),
        sources=tuple(parts.named.get("source", ())),
        not_sources=tuple(parts.named.get("-source", ())),
        languages=tuple(parts.named.get("lang", ())),
        not_languages=tuple(parts.named.get("-lang", ())),
        since=parts.since,
        until=parts.until,
        notes=tuple(parts.notes),
    )


def _take(parts: _Parts, minus: bool, key: str, value: str) -> None:
    meant = parts.keys.get(key.lower(), "")
    if meant in ("since", "until"):
        days = period(value, parts.today)
        if days:
            return _bound(parts, (meant == "since") != minus, days[(meant == "until")])
        parts.notes.append(f"{key}:{value[:40]} is no time (2026-11-01, 2026-11, 7d, 2w, yesterday): taken as words")
    elif meant in ("source", "lang"):
        listed = parts.named.setdefault(("-" if minus else "") + meant, [])
        found = [each.strip().lower() for each in value.split(",") if each.strip()]
        if found:
            return listed.extend(found[: FILTERS - len(listed)])
    elif meant in ("author", "headline"):
        return _add(parts, minus, value, "author" if meant == "author" else "headline")
    _add(parts, minus, f"{key} {value}" if key else value, "text")


def _bound(parts: _Parts, first: bool, day: str) -> None:
    """The narrower of two bounds holds. `-since:` is a last day, `-until:` a first."""
    if first:
        parts.since = max(parts.since, day)
    else:
        parts.until = min(parts.until or day, day)


def _add(parts: _Parts, minus: bool, value: str, place: Place) -> None:
    words = _WORD.findall(value)
    kept = tuple(words[: max(0, WORDS - parts.words)])
    parts.words += len(words)
    if kept:
        beginning = len(kept) == len(words) and (value.rstrip().endswith("*") or bool(_UNDIVIDED.search(kept[-1])))
        parts.terms[minus].append(Term(words=kept, beginning=beginning, place=place))


def period(value: str, today: date) -> tuple[str, str] | None:
    """The days that a value names, as its first day and the day after its last; None when it names none.

    A day, a month, a year, `today`, `yesterday`, or the day so many days or weeks ago: `7d`, `2w`.
    """
    named = {"today": 0, "yesterday": 1}.get(value.lower())
    ago = _AGO.fullmatch(value)
    if ago:
        named = int(ago[1]) * _DAYS[ago[2].lower()]
    try:
        if named is not None:
            start = max(today - timedelta(days=named), date.min) if named < today.toordinal() else date.min
            return str(start), str(start + timedelta(days=1))
        stated = _DAY.fullmatch(value)
        return _stated(*(int(part) if part else 0 for part in stated.groups())) if stated else None
    except (ValueError, OverflowError):
        return None


def _stated(year: int, month: int, day: int) -> tuple[str, str]:
    start = date(year, month or 1, day or 1)
    if day:
        return str(start), str(start + timedelta(days=1))
    later = date(year + (not month or month == 12), month % 12 + 1 if month else 1, 1)
    return str(start), str(later)
