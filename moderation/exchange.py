"""People's decisions and domain rules as lines of JSON, and how those from elsewhere settle among those here. Pure.

A word is what a person said of a comment's version (`spam`, `ok`, `undo`) or of a domain (`allow`, `deny`, `none`). It
is known again by its `Mark`: what was said, by whom, when, and which time it was where all that happened twice. So a
file may be imported twice, overlap with another, or come back to where it was written.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from crawler import limits
from crawler.text import tidy
from moderation.hosts import HOST_CHARACTERS, ascii_host, suffixes

Row = dict[str, Any]

FORMAT = 1
"""Of the lines. A higher one is a newer watchfloor's."""
DECISION, RULE = "decision", "rule"
COMMENT_WORDS, DOMAIN_WORDS = ("spam", "ok", "undo"), ("allow", "deny", "none")
LINE_BYTES = 8 * 1024 * 1024
"""Of a line: the longest comment with all its links, each character escaped, stays below 6 MB."""
LINES = 1_000_000
"""Of a file: no group of people decides as often, and they are all held in memory, half a kilobyte each."""
NAME_CHARACTERS = limits.AUTHOR_CHARACTERS
NOTE_CHARACTERS = limits.COMMENT_CHARACTERS
REFERENCE_CHARACTERS = 2 * limits.URL_CHARACTERS
"""Of what a comment is found by: its article's address, its key."""
AHEAD = timedelta(days=1)
"""A clock may be wrong by a zone; who decides next week would outrank everybody until then."""
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_SPELLED = "%Y-%m-%dT%H:%M:%SZ"
_AROUND = re.compile(r"^(?:[a-z]+://)?(?:\*\.)?|[/:?#].*$", re.DOTALL)
_DOMAIN = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+")


class BrokenLine(ValueError):
    """A line that cannot be imported. The message names its number and what is wrong."""


class Mark(NamedTuple):
    """What a word is known by, on one version of a comment or on one domain under one source."""

    said: str
    by: str
    at: str
    """UTC, as the database has times."""
    nth: int = 1
    """Above 1 for one who said the same again within the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a person said."""

    mark: Mark
    note: str = ""
    undoes: Mark | None = None
    """For an undo: the decision that it takes back."""
    line: int = 0
    """Where it stands in the file it came in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A word on a comment, with what finds the comment, and the very version of it, in another database."""

    word: Word
    article_url: str
    key: str
    content: str
    """The fingerprint of the version: author, text and links."""
    revision: int
    """Which version it was where the word was said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A word on a domain."""

    word: Word
    domain: str
    source: str
    """The source under which it holds; empty for all."""


# ---- writing


def marked(rows: Iterable[Row], *place: str) -> Iterator[tuple[Row, Mark]]:
    """Each row {said, judge, at} with its mark. They come in the order in which they were said; each value of the
    columns `place` is counted apart."""
    times: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        said = (row["said"], row["judge"], row["at"])
        kind = (*said, *(row[name] for name in place))
        times[kind] += 1
        yield row, Mark(*said, times[kind])


def decision_row(row: Mapping[str, Any], mark: Mark, undoes: Mark | None) -> Row:
    """A line for a row of `db.judging.people_said`. An undo needs no evidence; its decision has it."""
    told = {"type": DECISION, "format": FORMAT, **_word(mark, row["note"])}
    found = {name: row[name] for name in ("source", "article_url", "key", "revision", "content")}
    if undoes is not None:
        return {**told, "undoes": _told(undoes), **found}
    evidence = ("site_id", "author", "author_url", "posted_at", "text", "links", "judged_by", "score", "signals")
    return {**told, "stands": bool(row["stands"]), **found, **{name: row[name] for name in evidence}}


def rule_row(row: Mapping[str, Any], mark: Mark) -> Row:
    """A line for a row of `domain_rules`."""
    told = {"type": RULE, "format": FORMAT, **_word(mark, row["note"])}
    return {**told, "domain": row["domain"], "source": row["source_id"]}


def _word(mark: Mark, note: str) -> Row:
    return {**_told(mark), "note": note}


def _told(mark: Mark) -> Row:
    return {"said": mark.said, "by": mark.by, "at": mark.at, **({"nth": mark.nth} if mark.nth > 1 else {})}


# ---- reading


def numbered(read: Callable[[int], bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not empty, with their numbers from 1. `read` is its `readline`. Raises
    `BrokenLine`."""
    for number in range(1, LINES + 1):
        line = read(LINE_BYTES + 1)
        if not line:
            return
        if len(line) > LINE_BYTES:
            raise BrokenLine(f"line {number}: longer than {LINE_BYTES >> 20} MB")
        if line.strip():
            yield number, line
    if read(1):
        raise BrokenLine(f"line {LINES + 1}: more than {LINES:,} lines; import the file in parts")


def read_decision(number: int, line: bytes, now: str) -> Decision:
    """The decision of a line. `now` is this moment, as the database has times. Raises `BrokenLine`."""
    row = _opened(number, line, DECISION)
    word = row.word(COMMENT_WORDS, now)
    return Decision(
        word=word,
        article_url=row.text("article_url", REFERENCE_CHARACTERS),
        key=row.text("key", REFERENCE_CHARACTERS),
        content=row.text("content", REFERENCE_CHARACTERS),
        revision=row.count("revision"),
    )


def read_rule(number: int, line: bytes, now: str) -> Rule:
    """The domain rule of a line. Raises `BrokenLine`."""
    row = _opened(number, line, RULE)
    word, named = row.word(DOMAIN_WORDS, now), row.text("domain", REFERENCE_CHARACTERS)
    domain = domain_of(named)
    if domain != named:
        raise row.broken("domain", "is no domain as the network knows it: small letters, others as xn--")
    if word.mark.said == "allow" and open_to_all(domain):
        raise row.broken("domain", "may not be allowed: anybody can register below it")
    return Rule(word=word, domain=domain, source=row.text("source", NAME_CHARACTERS, empty=True))


def domain_of(text: str) -> str:
    """The domain that a person names, also inside an address, as the network knows it; empty when it is none."""
    if len(text) > REFERENCE_CHARACTERS:
        return ""
    host = ascii_host(_AROUND.sub("", text.strip().lower()))
    return host if len(host) <= HOST_CHARACTERS and _DOMAIN.fullmatch(host) else ""


def open_to_all(domain: str) -> bool:
    """Is it a suffix below which anybody can register? It may be denied; allowing it would let everything pass."""
    return domain in suffixes()


def _opened(number: int, line: bytes, kind: str) -> _Fields:
    """The object on a line, when it is of this kind and of a format that is known."""
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except json.JSONDecodeError as e:
        raise BrokenLine(f"line {number}: not JSON: {e.msg} at character {e.pos + 1}") from None
    except UnicodeDecodeError as e:
        raise BrokenLine(f"line {number}: not UTF-8 at byte {e.start + 1}") from None
    except (ValueError, RecursionError):
        raise BrokenLine(f"line {number}: not JSON: nested too deep, or a number with too many digits") from None
    if not isinstance(row, dict):
        raise BrokenLine(f"line {number}: not a JSON object")
    if row.get("type") != kind:
        command = {DECISION: "decisions", RULE: "rules"}.get(str(row.get("type")), "")
        way_out = f"; `watchfloor {command} import` takes it" if command else ""
        raise BrokenLine(f"line {number}: no {kind}{way_out}")
    fields = _Fields(number, row)
    if fields.count("format") > FORMAT:
        raise fields.broken("format", "is a newer watchfloor's; upgrade to import it")
    return fields


class _Fields:
    """An object whose fields are asked for by name, type and size. What is not asked for may be anything."""

    def __init__(self, number: int, row: Row) -> None:
        self.number, self.row = number, row

    def word(self, known: Sequence[str], now: str) -> Word:
        mark = self.mark(known)
        if mark.at > f"{_moment(now) + AHEAD:{_SPELLED}}":
            raise self.broken("at", "lies in the future")
        note = tidy(self.text("note", NOTE_CHARACTERS, empty=True))
        undoes = self.inner("undoes").mark(("spam", "ok")) if mark.said == "undo" else None
        return Word(mark=mark, note=note, undoes=undoes, line=self.number)

    def mark(self, known: Sequence[str]) -> Mark:
        said, by, at = self.text("said", NAME_CHARACTERS), self.text("by", NAME_CHARACTERS), self.text("at", 32)
        if said not in known:
            raise self.broken("said", f"must be one of {', '.join(known)}")
        if tidy(by) != by or not by.strip():
            raise self.broken("by", "must be a name without control characters")
        if not _is_moment(at):
            raise self.broken("at", "must be a time in UTC, such as 2026-01-31T18:00:00Z")
        return Mark(said, by, at, self.count("nth") if "nth" in self.row else 1)

    def inner(self, name: str) -> _Fields:
        value = self.row.get(name)
        if not isinstance(value, dict):
            raise self.broken(name, "must be an object")
        return _Fields(self.number, value)

    def text(self, name: str, most: int, *, empty: bool = False) -> str:
        value = self.row.get(name, "" if empty else None)
        if not isinstance(value, str) or not (value or empty):
            raise self.broken(name, "must be a text")
        if len(value) > most:
            raise self.broken(name, f"is longer than {most:,} characters")
        return value

    def count(self, name: str) -> int:
        value = self.row.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 2**31:
            raise self.broken(name, "must be a number from 1")
        return value

    def broken(self, name: str, why: str) -> BrokenLine:
        return BrokenLine(f"line {self.number}: {name} {why}")


def _is_moment(at: str) -> bool:
    try:
        return bool(_MOMENT.fullmatch(at) and _moment(at))
    except ValueError:
        return False


def _moment(at: str) -> datetime:
    return datetime.strptime(at, _SPELLED)


# ---- settling

NEW, KNOWN, OLDER, NO_DECISION = "new", "known", "older", "no_decision"


def settle(here: Sequence[Word], given: Iterable[Word]) -> list[tuple[Word, str]]:
    """What becomes of each given word among those said here on the same version or domain, in the order of appending.

    `new` is to be appended; `known` is here already; `older` would stand above a later word that stands here;
    `no_decision` takes back, or says again, what is not here. Of two words the later by its time holds; of two of the
    same second the one that is here.
    """
    once = {(w.mark, w.undoes): w for w in given}.values()
    taken_back = {w.undoes for w in here if w.undoes}
    fallen = taken_back | {w.undoes for w in once if w.undoes}
    settled = _decisions(here, [w for w in once if not w.undoes], fallen)
    there = {w.mark for w in here} | {w.mark for w, what in settled if what == NEW}
    return [*settled, *_undos([w for w in once if w.undoes], there, taken_back)]


def _decisions(here: Sequence[Word], given: Sequence[Word], fallen: set[Mark]) -> list[tuple[Word, str]]:
    known, theirs = {w.mark for w in here}, {w.mark for w in given}
    standing = [w.mark for w in here if not w.undoes and w.mark not in fallen]
    latest = max((mark.at for mark in standing), default="")
    ours = max((mark.at for mark in standing if mark not in theirs), default="")
    settled = []
    for word in sorted(given, key=lambda w: w.mark.at):
        mark, stands = word.mark, word.mark not in fallen
        if mark in known:
            settled.append((word, KNOWN))
        elif stands and (mark.at < latest or mark.at <= ours):
            settled.append((word, OLDER))
        elif mark.nth > 1 and mark._replace(nth=mark.nth - 1) not in known:
            settled.append((word, NO_DECISION))
        else:
            settled.append((word, NEW))
            known.add(mark)
            latest = max(latest, mark.at) if stands else latest
    return settled


def _undos(given: Sequence[Word], there: set[Mark], taken_back: set[Mark]) -> Iterator[tuple[Word, str]]:
    done = set(taken_back)
    for word in sorted(given, key=lambda w: w.mark.at):
        if word.undoes in done:
            yield word, KNOWN
        elif word.undoes in there:
            done.add(word.undoes)
            yield word, NEW
        else:
            yield word, NO_DECISION
