"""Which articles or comments hold what was asked for, the newest first, and no more of them than are needed.

Where the index has few, all are looked at. Where it has many, articles are walked from the newest on, and comments from
the one stored last, until there are enough; the index is asked about stretches of numbers.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from db.asking import Asked, Term
from db.excerpts import holds, patterns
from db.sqlite import Database

FEW = {"articles": 500, "comments": 10_000}
"""So many hits are looked at one by one. A row of an article costs more: its time lies behind its body."""
SOME = 6_000
"""So many articles are picked out of all by time; more are a common word's, of which the newest are near."""
WINDOWS = {"articles": (512, 1_024, 4_096, 16_384), "comments": (2_000, 20_000, 200_000)}
"""So many are walked at once; the last again and again. The hits of a common word are near, which is cheap to find
out first."""
UNDER = (64, 512, 4_096)
"""Articles whose comments are walked at once."""
GAP = {"articles": 256, "comments": 1_000}
"""Numbers in between that are worth reading over: a further look into the index costs as much."""
SAMPLE = {"articles": 200, "comments": 1_000}
"""The newest ones, among which those that hold a beginning are counted."""
BROAD = 20
"""A beginning that so many of the sample hold is not looked up, but looked for in the texts: the index would gather all
that begins so, before it gives the first."""
READ = 2_000
"""So many texts are read for it; then the index is asked after all."""
AT_ONCE = 100
"""Texts that are read at once."""
BRIEF = 3
"""Letters of a beginning that is looked for in the texts where these are few and known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is looked for: articles, or comments."""

    name: str
    columns: Mapping[str, str]
    """What each place of a term is called in the index."""
    time: str
    """In SQL, as `articles_latest` has it for articles."""
    texts: str
    """In SQL: number, headline, summary, text, author."""


SUBJECTS = {
    "articles": Subject(
        name="articles",
        columns={
            "text": "{headline summary body}",
            "summary": "{headline summary}",
            "headline": "headline",
            "author": "authors",
        },
        time="coalesce(published_at, first_seen_at)",
        texts="SELECT id, headline, summary, body, authors FROM articles",
    ),
    "comments": Subject(
        name="comments",
        columns={"text": "text", "author": "author"},
        time="coalesce(posted_at, first_seen_at)",
        texts="SELECT id, '', '', text, author FROM comments",
    ),
}

Hits = dict[int, float]
"""Number of each article or comment → its time as a Julian day."""
_LISTED = "(SELECT value FROM json_each(?))"


def expression(terms: Iterable[Term], without: Iterable[Term], columns: Mapping[str, str], place: str = "text") -> str:
    """An FTS5 query for all of the terms and none of the others; for any of the others where there are no terms.

    Words are letters and digits in quotes, so that nothing in it can be an operator. What is to stand in the text has
    to stand in this `place`. No `columns` are all columns.
    """
    wanted = " AND ".join(_term(term, {**columns, "text": columns[place]} if columns else {}) for term in terms)
    unwanted = " OR ".join(_term(term, columns) for term in without)
    return f"({wanted}) NOT ({unwanted})" if wanted and unwanted else wanted or unwanted


def _term(term: Term, columns: Mapping[str, str]) -> str:
    quoted = f'"{" ".join(term.words)}"' + ("*" if term.beginning else "")
    return f"{columns[term.place]} : {quoted}" if columns else quoted


@dataclass(slots=True)
class Finder:
    """One question to one database."""

    db: Database
    asked: Asked
    subject: Subject
    broad: frozenset[Term] = field(init=False)
    """Beginnings that too many hold to be looked up."""
    _passing: Iterator[tuple[int, str]] | None = field(default=None, init=False)
    _passed: list[list[tuple[int, str]]] = field(default_factory=list, init=False)
    """The windows that were walked, to be walked again."""
    _spoken: dict[str, int] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        beginnings = [term for term in (*self.asked.terms, *self.asked.without) if term.beginning]
        self.broad = frozenset(self._broad(beginnings)) if beginnings else frozenset()

    # ---- what is found

    def newest(self, most: int) -> Hits:
        """The `most` newest hits at least, or all."""
        found = self._read(most) if self.broad else None
        return self._indexed(self.asked.terms, self.asked.without, most) if found is None else found

    def placed(self, place: str, most: int, oldest: str) -> Hits:
        """As `newest`, of those that have every word of the text in this place; none is older than the day `oldest`."""
        query = expression(self.asked.terms, self.asked.without, self.subject.columns, place)
        if all(len(term.words) == 1 for term in self.asked.terms):  # to find all of a phrase takes as long as to walk
            few = FEW[self.subject.name]
            first = [id for (id,) in self._all(f"{_MATCH.format(self.subject.name)} LIMIT ?", query, few + 1)]
            if len(first) <= few:
                return self._standing(first, oldest)
        return self._walked(lambda ids: self._matching(query, ids), most, oldest)

    def among(self, ids: Sequence[int]) -> list[int]:
        """Which of these are hits."""
        brief = {t for t in (*self.asked.terms, *self.asked.without) if t.beginning and len(t.words[-1]) <= BRIEF}
        kept = self._held(list(self._standing(ids)), _but(self.asked.terms, brief), _but(self.asked.without, brief))
        return sorted(self._tested(kept, brief) if brief else kept)

    def places(self, ids: Collection[int]) -> dict[int, str]:
        """Where the words of the text stand together: in the headline, in headline and summary, or in all of it."""
        wanted = patterns(term for term in self.asked.terms if term.place == "text")
        found = {}
        for id, headline, summary in self._all(_HEADS, json.dumps(list(ids))):
            short = {"headline": headline, "summary": f"{headline}\n{summary}"}
            found[id] = next((place for place, text in short.items() if holds(text, wanted)), "text")
        return found

    # ---- by the index

    def _indexed(self, terms: Sequence[Term], without: Sequence[Term], most: int) -> Hits:
        if not terms:
            return self._walked(lambda ids: self._held(ids, (), without), most)
        query, few = expression(terms, without, self.subject.columns), max(most, FEW[self.subject.name])
        some = max(most, SOME) if self.subject.name == "articles" else few
        begins = any(term.beginning for term in (*terms, *without))
        sql = _MATCH.format(self.subject.name)  # all at once for a beginning, whose words are gathered for each look
        first = [id for (id,) in self._all(f"{sql} LIMIT ?", query, -1 if begins else some + 1)]
        if len(first) <= few:
            return self._standing(first)
        if len(first) <= some:
            return self._picked(first, most)
        every = set(first)
        return self._walked(lambda ids: [i for i in ids if i in every] if begins else self._matching(query, ids), most)

    def _picked(self, ids: Sequence[int], most: int) -> Hits:
        """The newest of these articles."""
        sql, values = self._pass(f"+id IN {_LISTED}")
        return self._standing([id for id, _ in self._all(f"{sql} LIMIT ?", *values, json.dumps(ids), most)])

    def _walked(self, hold: Callable[[Sequence[int]], Sequence[int]], most: int, oldest: str = "") -> Hits:
        found: Hits = {}
        for ids in self._windows(oldest):
            found |= self._standing(hold(ids), oldest)
            if len(found) >= most:
                break
        return found

    def _held(self, ids: Sequence[int], terms: Sequence[Term], without: Sequence[Term]) -> Sequence[int]:
        """Those of them that hold the terms and none of the others, by the index alone."""
        if not terms and not without:
            return ids
        query = expression(terms, without, self.subject.columns)
        matched = self._matching(query, ids)
        return matched if terms else sorted(set(self._stored(ids)).difference(matched))

    def _matching(self, query: str, ids: Sequence[int]) -> list[int]:
        sql = _MATCH.format(self.subject.name) + " AND rowid BETWEEN ? AND ?"
        wanted = ids if isinstance(ids, range) else frozenset(ids)
        return [
            id
            for first, last in _stretches(ids, GAP[self.subject.name])
            for (id,) in self.db.execute(sql, (query, first, last))
            if id in wanted
        ]

    # ---- by the texts

    def _broad(self, beginnings: Sequence[Term]) -> Iterator[Term]:
        sample = [id for (id,) in self._all(_NEWEST[self.subject.name], SAMPLE[self.subject.name])]
        texts = list(self._texts(sample))
        for term in beginnings:
            if sum(holds(_place(row, term), patterns([term])) for row in texts) >= BROAD:
                yield term

    def _read(self, most: int) -> Hits | None:
        """Hits whose broad beginnings were looked for in the texts; None where too many texts lack them."""
        terms, without = _but(self.asked.terms, self.broad), _but(self.asked.without, self.broad)
        found: Hits = {}
        seen: Hits = {}
        for enough in (min(READ, BROAD * most), READ):
            given = self._indexed(terms, without, enough)
            newest = sorted(given.keys() - seen.keys(), key=lambda id: -given[id])
            for at in range(0, min(len(newest), enough), AT_ONCE):
                found |= {id: given[id] for id in self._tested(newest[at : at + AT_ONCE], self.broad)}
                if len(found) >= most:
                    return found
            seen |= given
        return found if len(seen) < READ else None

    def _tested(self, ids: Sequence[int], terms: Collection[Term]) -> list[int]:
        """Those of them that hold these terms, or lack them, as is asked."""
        asked = ((self.asked.terms, True), (self.asked.without, False))
        wanted = [(term, patterns([term]), held) for listed, held in asked for term in listed if term in terms]
        return [
            row[0]
            for row in self._texts(ids)
            if all(holds(_place(row, term), one) == held for term, one, held in wanted)
        ]

    # ---- what is stored

    def _texts(self, ids: Collection[int]) -> Iterator[tuple[int, str, str, str, str]]:
        return self.db.execute(f"{self.subject.texts} WHERE id IN {_LISTED}", [json.dumps(list(ids))])

    def _stored(self, ids: Sequence[int]) -> list[int]:
        if not isinstance(ids, range):
            return list(ids)
        sql = f"SELECT id FROM {self.subject.name} WHERE id BETWEEN ? AND ?"
        return [id for (id,) in self._all(sql, ids[0], ids[-1])]

    def _standing(self, ids: Collection[int], oldest: str = "") -> Hits:
        """Those that pass the filters, with their times."""
        asked, time = self.asked, self.subject.time
        where, values = _between(time, max(asked.since, oldest), asked.until)
        if asked.sources or asked.not_sources or asked.languages or asked.not_languages:
            about, more = self._about("source_id {} {}", "language {} {}")
            if self.subject.name == "comments":
                about = [
                    f"article_id IN (SELECT a.id FROM articles a WHERE a.id = article_id AND {' AND '.join(about)})"
                ]
            where, values = where + about, values + more
        day = f"coalesce(julianday({time}), julianday(first_seen_at), 0.0)"
        stretch = isinstance(ids, range)
        sql = f"SELECT id, {day} FROM {self.subject.name} WHERE id {'BETWEEN ? AND ?' if stretch else f'IN {_LISTED}'}"
        which = (ids[0], ids[-1]) if isinstance(ids, range) else (json.dumps(list(ids)),)
        return dict(self._all(" AND ".join((sql, *where)), *which, *values))

    def _windows(self, oldest: str) -> Iterator[Sequence[int]]:
        """Numbers of what may be a hit, the newest first, more and more at once."""
        asked, sizes = self.asked, WINDOWS[self.subject.name]
        if self.subject.name == "articles":
            yield from self._articles(sizes, oldest)
        elif asked.sources or asked.not_sources or asked.languages or asked.not_languages:
            for ids in self._articles(UNDER, ""):
                yield [id for (id,) in self._all(_COMMENTS_UNDER, json.dumps(ids))]
        else:
            yield from self._posted(sizes) if asked.since or asked.until else self._stored_last(sizes)

    def _stored_last(self, sizes: Sequence[int]) -> Iterator[range]:
        """Comments by number alone, which the index has in stretches."""
        ((last,),) = self._all("SELECT coalesce(max(id), 0) FROM comments")
        for size in _growing(sizes):
            if last < 1:
                return
            yield range(max(1, last - size + 1), last + 1)
            last -= size

    def _posted(self, sizes: Sequence[int]) -> Iterator[list[int]]:
        """Comments of the time that is asked for."""
        time = self.subject.time
        where, values = _between(time, self.asked.since, self.asked.until)
        sql = f"SELECT id FROM comments INDEXED BY comments_latest WHERE {' AND '.join(where)}"
        sql += f" ORDER BY {time} DESC, id DESC"
        rows = iter(self.db.execute(sql, values))
        for size in _growing(sizes):
            ids = [id for (id,) in itertools.islice(rows, size)]
            if not ids:
                return
            yield ids

    def _articles(self, sizes: Sequence[int], oldest: str) -> Iterator[list[int]]:
        """Articles that pass the filters, none from before the day `oldest`."""
        for number, size in enumerate(_growing(sizes)):
            if number == len(self._passed):
                self._passing = self._passing or self._begin()
                self._passed.append(list(itertools.islice(self._passing, size)))
            rows = self._passed[number]
            newer = [id for id, time in rows if time >= oldest]
            if newer:
                yield newer
            if len(newer) < len(rows) or not rows:
                return

    def _begin(self) -> Iterator[tuple[int, str]]:
        sql, values = self._pass()
        return iter(self.db.execute(sql, values))

    def _pass(self, *which: str) -> tuple[str, list[str]]:
        """SQL for number and time of the articles that pass the filters, the newest first; its values. For
        comments any later time will do: old articles have new comments, but nobody comments before there is one."""
        time = SUBJECTS["articles"].time
        since = self.asked.since if self.subject.name == "articles" else ""
        where, values = _between(time, since, self.asked.until)
        about, more = self._about("source_id {} {}", "language {} {}")
        conditions = " AND ".join([*where, *about, *which]) or "1"
        sql = f"SELECT id, {time} FROM articles INDEXED BY articles_latest WHERE {conditions}"
        return f"{sql} ORDER BY {time} DESC, id DESC", [*values, *more]

    def _about(self, source: str, language: str) -> tuple[list[str], list[str]]:
        """The filters on sources and languages, in SQL with places for IN or NOT IN and for the list; the lists."""
        asked = self.asked
        listed: list[tuple[str, Sequence[str]]] = []
        if asked.sources:
            listed.append((source.format("IN", _LISTED), asked.sources))
        if asked.not_sources:
            listed.append((source.format("NOT IN", _LISTED), asked.not_sources))
        if asked.languages or asked.not_languages:
            wanted, others = self._languages()
            few = sum(wanted.values()) <= sum(others.values())
            listed.append((language.format("IN" if few else "NOT IN", _LISTED), list(wanted if few else others)))
        return [sql for sql, _ in listed], [json.dumps(values) for _, values in listed]

    def _languages(self) -> tuple[dict[str, int], dict[str, int]]:
        """The languages that are asked for and the others, each with the number of its articles."""
        if self._spoken is None:
            self._spoken = dict(self._all("SELECT language, count(*) FROM articles GROUP BY language"))
        wanted = {
            each: articles
            for each, articles in self._spoken.items()
            if (not self.asked.languages or _is_one(each, self.asked.languages))
            and not _is_one(each, self.asked.not_languages)
        }
        return wanted, {each: n for each, n in self._spoken.items() if each not in wanted}

    def _all(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return list(self.db.execute(sql, values).fetchall())


def _but(terms: Iterable[Term], others: Collection[Term]) -> list[Term]:
    return [term for term in terms if term not in others]


def _place(row: Sequence[Any], term: Term) -> str:
    """The text in which a term has to stand."""
    _, headline, summary, text, author = row
    return str({"headline": headline, "author": author}.get(term.place, f"{headline}\n{summary}\n{text}"))


def _is_one(language: str, of: Collection[str]) -> bool:
    low = language.lower()
    return any(low == each or low.startswith(f"{each}-") for each in of)


def _between(time: str, since: str, until: str) -> tuple[list[str], list[str]]:
    bounds = ((f"{time} >= ?", since), (f"{time} < ?", until))
    return [sql for sql, day in bounds if day], [day for _, day in bounds if day]


def _growing(sizes: Sequence[int]) -> Iterator[int]:
    """The sizes, the last for ever."""
    return itertools.chain(sizes, itertools.repeat(sizes[-1]))


def _stretches(ids: Sequence[int], gap: int) -> Iterator[tuple[int, int]]:
    """First and last of the stretches in which they lie."""
    if isinstance(ids, range):
        yield ids[0], ids[-1]
        return
    first = last = None
    for id in sorted(ids):
        if first is not None and last is not None and id - last > gap:
            yield first, last
            first = id
        first, last = id if first is None else first, id
    if first is not None and last is not None:
        yield first, last


_MATCH = "SELECT rowid FROM {0}_fts WHERE {0}_fts MATCH ?"
_HEADS = f"SELECT id, headline, summary FROM articles WHERE id IN {_LISTED}"
_COMMENTS_UNDER = f"SELECT id FROM comments WHERE article_id IN {_LISTED}"
_NEWEST = {
    "articles": f"SELECT id FROM articles INDEXED BY articles_latest ORDER BY {SUBJECTS['articles'].time} DESC LIMIT ?",
    "comments": "SELECT id FROM comments ORDER BY id DESC LIMIT ?",
}
