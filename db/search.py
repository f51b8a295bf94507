"""Full-text search over articles and comments: ranked with recency, with snippets, safe for any input."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from db.asking import KEYS, Asked, parse
from db.excerpts import CLOSE as CLOSE
from db.excerpts import OPEN as OPEN
from db.excerpts import patterns, snippet
from db.finding import SUBJECTS, Finder, expression
from db.rows import dicts
from db.sqlite import Database

Row = dict[str, Any]

YOUNGER = {"headline": 10.0, "summary": 3.0, "text": 1.0}
"""The rank of a hit is its age in days, and one, divided by this: all words in the headline make an article as good as
one that is ten times younger and has them in its body. What was published about a ship last week comes before what
mentions it today; of two about it the newer comes first. It needs no look at every hit of a word, as bm25 does."""
PLACED = 3
"""More words than these are not looked up in headlines far back: few headlines have them all, and it takes long."""
ONE_DAY = 1.0
"""Added to each age: what came today is equally new."""
NOTHING = "nothing to look for: say also what must occur, or where and when it was published"
"""For a search without words and filters, or only with words that must not occur."""
NEAR = 300
"""The newest hits, of which it is looked at where they stand. Of older ones, those in a better place are looked up only
as far back as they can come before the worst of those shown; for a beginning not even these."""
READ = 3
"""Where texts have to be read to find hits, so many times as many as are shown are found, to choose from."""
_JULIAN = 1_721_424.5
"""Julian day of the day before 1 January of the year 1."""


def search(
    db: Database, text: str, *, limit: int, source: str = "", subject: str = "articles", now: str = ""
) -> list[Row]:
    """Articles, or comments, that hold all that was typed, the best first; without words, the newest first.

    What may be typed is told by `db.asking`; nothing that is typed can raise. Rows of articles have id, source_id,
    headline, url, published_at, first_seen_at; rows of comments id, article_id, source_id, headline, url, author,
    posted_at, first_seen_at, state. Both have `rank`, the smaller the better, and `snippet`, its hits between `OPEN`
    and `CLOSE`. `now` is a time in UTC, from which ages and days ago are counted; this moment when not given.
    """
    asked = ask(text, source=source, subject=subject, now=now)
    if asked.nothing:
        return []
    ranks = _ranked(Finder(db, asked, SUBJECTS[subject]), limit, _moment(now))
    return _rows(db, ranks, asked, subject)


def count(db: Database, text: str, *, most: int, subject: str = "articles", now: str = "") -> int:
    """How many there are, counted up to `most`."""
    asked = ask(text, subject=subject, now=now)
    return 0 if asked.nothing else min(most, len(Finder(db, asked, SUBJECTS[subject]).newest(most)))


def among(db: Database, text: str, ids: Sequence[int], *, subject: str, now: str = "") -> list[int]:
    """Which of these articles or comments (`subject`) a search would find."""
    asked = ask(text, subject=subject, now=now)
    return [] if asked.nothing or not ids else Finder(db, asked, SUBJECTS[subject]).among(ids)


def ask(text: str, *, source: str = "", subject: str = "articles", now: str = "") -> Asked:
    """What was typed as a value; a `source` that was named beside it has to be one of those that it names."""
    keys = {key: meant for key, meant in KEYS.items() if meant != "headline" or subject == "articles"}
    asked = parse(text, _moment(now).date(), keys)
    if not source:
        return asked
    return replace(asked, sources=(source,) if source in asked.sources or not asked.sources else ("",))


def match_query(words: str) -> str:
    """What was typed as an FTS5 query of quoted words, for any index; empty for nothing to look for. Filters, and
    places, are words in it."""
    asked = parse(words, date.min, {})
    return expression(asked.terms, asked.without, {}) if asked.terms else ""


def _moment(now: str) -> datetime:
    stated = datetime.fromisoformat(now) if now else datetime.now(UTC)
    return stated if stated.tzinfo else stated.replace(tzinfo=UTC)


def _ranked(finder: Finder, limit: int, now: datetime) -> list[tuple[float, int]]:
    """Rank and number of the best."""
    today = now.toordinal() + _JULIAN + (now - now.replace(hour=0, minute=0, second=0, microsecond=0)) / timedelta(1)
    articles = finder.subject.name == "articles"
    placed = articles and any(term.place == "text" for term in finder.asked.terms)
    enough = max(limit, NEAR) if placed or not articles else limit
    hits = finder.newest(READ * limit if finder.broad else enough)
    ranks = {id: _rank(day, "text", today) for id, day in hits.items()}
    if placed:
        near = sorted(hits, key=lambda id: -hits[id])[: max(limit, NEAR)]
        ranks |= {id: _rank(hits[id], place, today) for id, place in finder.places(near).items()}
        many = len(finder.asked.terms) > PLACED or any(term.beginning for term in finder.asked.terms)
        if len(hits) >= NEAR and not many:
            for place in ("summary", "headline"):
                oldest = _oldest(ranks, limit, place, now)
                found = finder.placed(place, limit, oldest) if oldest < _day(hits[near[-1]]) else {}
                ranks |= {id: min(ranks.get(id, math.inf), _rank(day, place, today)) for id, day in found.items()}
    return sorted(((rank, id) for id, rank in ranks.items()), key=lambda found: (found[0], -found[1]))[:limit]


def _rank(day: float, place: str, today: float) -> float:
    return (max(0.0, today - day) + ONE_DAY) / YOUNGER[place]


def _day(julian: float) -> str:
    return str(date.fromordinal(max(1, int(julian - _JULIAN))))


def _oldest(ranks: dict[int, float], limit: int, place: str, now: datetime) -> str:
    """The first day of which a hit in this place can be among the best; empty for any."""
    if len(ranks) < limit:
        return ""
    days = sorted(ranks.values())[limit - 1] * YOUNGER[place] + ONE_DAY
    return str(now.date() - timedelta(days=days)) if days < now.toordinal() else ""


def _rows(db: Database, ranks: list[tuple[float, int]], asked: Asked, subject: str) -> list[Row]:
    """What is shown of each, in the order of their ranks."""
    wanted = patterns(term for term in asked.terms if term.place == "text")
    rows = []
    for rank, id in ranks:
        for row in dicts(db.execute(_SHOWN[subject], [id])):
            texts = [row.pop(name) for name in _TOLD[subject]]
            rows.append({**row, "rank": round(rank, 3), "snippet": snippet(texts, wanted)})
    return rows


_SHOWN = {
    "articles": """
SELECT id, source_id, headline, url, published_at, first_seen_at, body, summary, headline AS title
FROM articles WHERE id = ?
""",
    "comments": """
SELECT c.id, c.article_id, a.source_id, a.headline, a.url, c.author, c.posted_at, c.first_seen_at, t.state, c.text
FROM comments c JOIN articles a ON a.id = c.article_id LEFT JOIN standing t ON t.comment_id = c.id WHERE c.id = ?
""",
}
_TOLD = {"articles": ("body", "summary", "title"), "comments": ("text",)}
"""The texts of which the snippet is a piece, the better ones first."""
