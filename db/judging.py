"""What judging needs of the database: stored comments, their history, people's decisions, domain rules, models."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from crawler import limits
from crawler.items import Comment, Href, Link, Verdict
from db import rows
from db.read import rows_of
from db.sqlite import Database
from db.store import Store
from moderation.campaigns import near_keys, same_text

Row = dict[str, Any]

TEXT_CHARACTERS = 40
"""From which the same text under another article means something: everybody says "great article"."""
SURE = 2
"""Keys in common from which two texts need no comparing: of such that share 0.3 of their pieces one pair in 1,000 has
as many by chance, of strangers none."""
NAMELESS = frozenset({"", "admin", "anon", "anonymous", "anonymus", "guest", "unknown", "user", "аноним", "гость"})
"""Names that say nothing about who wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A stored comment with what is known around it and what was said of it."""

    id: int
    revision: int
    comment: Comment
    decided_before: str
    """`spam` or `ok` when a person's decision stands on an earlier version."""
    decided: str
    """`spam` or `ok` when a person's decision holds now."""
    said: str
    """What the rules last said of this version; empty when they never did."""
    score: float
    reasons: str
    """Theirs, as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """An article's stored comments, in the order of their numbers."""

    article_id: int
    url: str
    source_id: str
    source_home: str
    fields: Row
    """The article's `headline`, `body` and `links`, as the columns have them."""
    comments: tuple[Judged, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """How often people decided one way, and on which comment first."""

    times: int
    first: int

    def elsewhere(self, comment_id: int) -> int:
        """How often, this comment not counted."""
        return self.times - (self.times == 1 and self.first == comment_id)


class History:
    """What people decided on domains and authors, and where the same text stands. Remembers what people decided."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self._domains: dict[str, dict[str, Told]] = {}
        self._authors: dict[str, Told] = {}
        self._same: dict[str, int] = {}

    def learn(self, domains: Iterable[str], authors: Iterable[str]) -> None:
        """Reads what is not known yet: one small read a page, whatever the number of comments."""
        new_domains = {d for d in domains if d} - self._domains.keys()
        new_authors = {a for a in authors if a.casefold() not in NAMELESS} - self._authors.keys()
        if new_domains:
            self._domains.update((domain, {}) for domain in new_domains)
            for row in rows_of(self.db, _DOMAINS, json.dumps(sorted(new_domains))):
                self._domains[row["domain"]][row["state"]] = Told(row["times"], row["first"])
        if new_authors:
            self._authors.update((author, Told(0, 0)) for author in new_authors)
            for row in rows_of(self.db, _AUTHORS, json.dumps(sorted(new_authors))):
                self._authors[row["author"]] = Told(row["times"], row["first"])

    def domains(self, links: Sequence[Link], said: str, comment_id: int = 0) -> frozenset[str]:
        """The domains of these links on which people decided so, under another comment."""
        nobody = Told(0, 0)
        known = {link.domain: self._domains.get(link.domain, {}).get(said, nobody) for link in links}
        return frozenset(domain for domain, told in known.items() if told.elsewhere(comment_id))

    def author(self, author: str, comment_id: int = 0) -> int:
        """Other comments under this name that people found spam."""
        return self._authors.get(author, Told(0, 0)).elsewhere(comment_id)

    def learn_texts(self, texts: Iterable[str], article_id: int) -> None:
        """Counts the other places of these texts, which hang under this article; those known before are forgotten."""
        self._count({text: near_keys(text) for text in texts if len(text) >= TEXT_CHARACTERS}, article_id)

    def learn_stored_texts(self, texts: Mapping[int, str], article_id: int) -> None:
        """The same for the texts of stored comments, by number: their keys are read, not made."""
        keys: dict[str, set[int]] = {}
        for comment_id, key in self.db.execute(_KEYS, [article_id]):
            if len(text := texts.get(comment_id, "")) >= TEXT_CHARACTERS:
                keys.setdefault(text, set()).add(key)
        self._count(keys, article_id)

    def same_text(self, text: str) -> int:
        """Comments under other articles with the same text, small changes aside; `SAME_TEXTS` stands for more."""
        return self._same.get(text, 0)

    def _count(self, keys: Mapping[str, Collection[int]], article_id: int) -> None:
        wanted = json.dumps(sorted(set(chain.from_iterable(keys.values()))))
        found = self.db.execute(_PLACES, [limits.SAME_TEXTS, wanted, article_id]) if keys else ()
        places: dict[int, list[int]] = {key: json.loads(ids) for key, ids in found}
        shared = {text: Counter(chain.from_iterable(places.get(key, ()) for key in own)) for text, own in keys.items()}
        self._same = {text: self._places(text, times) for text, times in shared.items() if times}

    def _places(self, text: str, shared: Mapping[int, int]) -> int:
        """How many of the comments that share so many keys with this text say nearly the same: those that share
        `SURE`, and of the others those whose text does."""
        doubtful = sorted(id for id, times in shared.items() if times < SURE)
        sure = len(shared) - len(doubtful)
        others = self.db.execute(_TEXTS, [json.dumps(doubtful)]) if doubtful and sure < limits.SAME_TEXTS else ()
        alike = (True for (other,) in others if same_text(text, other))
        return min(limits.SAME_TEXTS, sure + sum(islice(alike, limits.SAME_TEXTS)))


def judged(db: Database) -> Iterator[Thread]:
    """All stored comments, an article at a time."""
    last = 0
    while found := rows_of(db, _NEXT_ARTICLE, last):
        last = found[0]["id"]
        yield _thread(found[0], rows_of(db, _JUDGED, last))


def judged_among(db: Database, comment_ids: Collection[int]) -> Iterator[Thread]:
    """These stored comments, an article at a time."""
    for row in rows_of(db, _ARTICLES_OF, json.dumps(list(comment_ids))):
        wanted = row.pop("wanted")
        yield _thread(row, rows_of(db, _JUDGED_AMONG, row["id"], wanted))


def _thread(row: Row, comments: list[Row]) -> Thread:
    return Thread(
        article_id=row["id"],
        url=row.pop("url"),
        source_id=row.pop("source_id"),
        source_home=row.pop("home"),
        fields=row,
        comments=tuple(map(_judged, comments)),
    )


def stored_comments(db: Database) -> int:
    """How many comments there are."""
    return int(rows_of(db, "SELECT count(*) AS n FROM comments")[0]["n"])


def domain_rules(db: Database) -> list[Row]:
    """The domain rules that hold, each the last word on its domain (and source), by domain."""
    return rows_of(db, "SELECT * FROM domain_rules_now")


def decisions(db: Database) -> list[Row]:
    """People's decisions that stand, the oldest first: text as it was decided on, what the rules' signals were."""
    return [{**row, "signals": signals_of(row.pop("reasons"))} for row in rows_of(db, _DECISIONS)]


def latest_model(db: Database) -> Row | None:
    """The last model: version, decisions and body (JSON); None before there is one."""
    found = rows_of(db, "SELECT * FROM models ORDER BY version DESC LIMIT 1")
    return found[0] if found else None


def waiting(db: Database) -> list[Row]:
    """Every flagged comment, the worst first: id, source, text and the links of its present version (url, host,
    domain)."""
    return [{**row, "links": json.loads(row["links"])} for row in rows_of(db, _WAITING)]


def tallies(db: Database) -> dict[str, int]:
    """What the review amounts to: comments that the rules flagged and did not flag (`flagged`, `unflagged`), people's
    decisions on flagged ones (`held_spam`, `held_ok`) and on those of the blind sample, and how many wait."""
    found = rows_of(db, _TALLIES)[0]
    return {name: int(count or 0) for name, count in found.items()}


class Desk(Store):
    """The database, for whoever changes how comments are judged. Each public method is one transaction."""

    def append(self, verdicts: Iterable[tuple[int, int, Verdict]], *, now: str) -> int:
        """Appends verdicts of the rules, each with its comment and revision; how many.

        A comment that changed since it was read is left out: the crawl that changed it has judged it. The rows in
        `links` of that version are replaced by what the verdict found: they are today's reading of the evidence, which
        is the text; what an earlier verdict saw stays in its reasons.
        """
        written = 0
        with self._transaction():
            for comment_id, revision, verdict in verdicts:
                if self._row("SELECT 1 FROM comments WHERE id = ? AND revision = ?", comment_id, revision):
                    self._run("DELETE FROM links WHERE comment_id = ? AND revision = ?", comment_id, revision)
                    for row in rows.link_rows(verdict.links, comment_id, revision):
                        self._insert("links", row)
                    self._insert("verdicts", {**rows.verdict_row(verdict, comment_id, revision), "at": now})
                    written += 1
        return written

    def decide_all(
        self,
        comment_ids: Iterable[int],
        said: str,
        *,
        by: str,
        note: str,
        now: str,
        seen: Mapping[int, int] | None = None,
    ) -> list[int]:
        """Appends one decision to each of these comments that still waits; their numbers.

        With `seen`, the numbers of the verdicts that were looked at: to each on which that verdict holds.
        """
        decided = []
        with self._transaction(durable=True):
            for comment_id in comment_ids:
                asked = (_STILL_WAITS, comment_id) if seen is None else (_STILL_HOLDS, comment_id, seen.get(comment_id))
                waits = self._row(*asked)
                if waits is not None:
                    row = {"comment_id": comment_id, "revision": waits["revision"], "said": said, "judge": by}
                    self._insert("verdicts", {**row, "reasons": "[]", "person": 1, "note": note, "at": now})
                    decided.append(comment_id)
        return decided

    def rule_domain(self, domain: str, said: str, *, source: str, note: str, by: str, now: str) -> int:
        """Writes down that a domain is allowed, denied or neither (`none`); the rule's number."""
        with self._transaction(durable=True):
            row = {"domain": domain, "said": said, "source_id": source, "note": note, "judge": by, "at": now}
            return self._insert("domain_rules", row)

    def save_model(self, body: str, *, decisions: int, summary: str, now: str) -> None:
        """Keeps a model; the latest is used."""
        with self._transaction():
            self._insert("models", {"decisions": decisions, "summary": summary, "body": body, "trained_at": now})

    def decided(self) -> int:
        """How many decisions of people stand."""
        row = self._row(_DECIDED)
        return int(row["n"]) if row else 0

    def next_model(self) -> int:
        """The version that the next model will have."""
        row = self._row("SELECT coalesce(max(version), 0) + 1 AS version FROM models")
        return int(row["version"]) if row else 1


def _judged(row: Row) -> Judged:
    return Judged(
        id=row["id"],
        revision=row["revision"],
        comment=stored_comment(row, row["kind"]),
        decided_before=row["decided_before"],
        decided=row["state"] if row["state"] in ("spam", "ok") else "",
        said=row["said"] or "",
        score=row["score"] or 0.0,
        reasons=row["reasons"] or "[]",
    )


def stored_comment(row: Row, kind: Any = "comment") -> Comment:
    """The comment of a row {text, author, author_url, hrefs}."""
    hrefs = tuple(Href(url=h["url"], text=h["text"]) for h in json.loads(row["hrefs"]))
    return Comment(text=row["text"], author=row["author"], author_url=row["author_url"], links=hrefs, kind=kind)


def signals_of(reasons: str | None) -> frozenset[str]:
    """The names of the signals among reasons, as the database has those."""
    listed: list[Mapping[str, Any]] = json.loads(reasons or "[]")
    return frozenset(str(reason["name"]) for reason in listed)


_NEXT_ARTICLE = """
SELECT a.id, a.url, a.headline, a.body, a.links, a.source_id, s.home
FROM articles a JOIN sources s ON s.id = a.source_id
WHERE a.id = (SELECT article_id FROM comments WHERE article_id > ? ORDER BY article_id LIMIT 1)
"""
_JUDGED = """
SELECT c.id, c.revision, c.text, c.author, c.author_url, c.hrefs, c.kind, t.state, v.said, v.score, v.reasons,
  CASE c.revision WHEN 1 THEN '' ELSE coalesce((SELECT p.said FROM verdicts p
    WHERE p.comment_id = c.id AND p.revision < c.revision
    AND p.said IN ('spam', 'ok') AND NOT EXISTS (SELECT 1 FROM verdicts u WHERE u.undoes = p.id)
    ORDER BY p.id DESC LIMIT 1), '') END AS decided_before
FROM comments c LEFT JOIN standing t ON t.comment_id = c.id
LEFT JOIN verdicts v ON v.id = (SELECT w.id FROM verdicts w WHERE w.comment_id = c.id AND w.revision = c.revision
  AND NOT w.person ORDER BY w.id DESC LIMIT 1)
WHERE c.article_id = ? ORDER BY c.id
"""
_ARTICLES_OF = """
SELECT a.id, a.url, a.headline, a.body, a.links, a.source_id, s.home, w.wanted
FROM (SELECT c.article_id, json_group_array(c.id) AS wanted FROM json_each(?) j CROSS JOIN comments c ON c.id = j.value
  GROUP BY c.article_id) w CROSS JOIN articles a ON a.id = w.article_id JOIN sources s ON s.id = a.source_id
"""
_JUDGED_AMONG = _JUDGED.replace("ORDER BY c.id", "AND c.id IN (SELECT value FROM json_each(?)) ORDER BY c.id")
_DOMAINS = """
SELECT l.domain, t.state, count(DISTINCT l.comment_id) AS times, min(l.comment_id) AS first
FROM links l CROSS JOIN comments c ON c.id = l.comment_id AND c.revision = l.revision
CROSS JOIN standing t ON t.comment_id = l.comment_id
WHERE l.domain IN (SELECT value FROM json_each(?)) AND t.state IN ('spam', 'ok') GROUP BY l.domain, t.state
"""
_AUTHORS = """
SELECT c.author, count(*) AS times, min(c.id) AS first FROM comments c CROSS JOIN standing t ON t.comment_id = c.id
WHERE c.author IN (SELECT value FROM json_each(?)) AND t.state = 'spam' GROUP BY c.author
"""
_KEYS = "SELECT comment_id, key FROM text_keys WHERE article_id = ?"
_PLACES = """
SELECT wanted.value, (SELECT json_group_array(comment_id) FROM (
  SELECT comment_id FROM text_keys k WHERE k.key = wanted.value AND k.article_id <> ?3 LIMIT ?1)) AS ids
FROM json_each(?2) wanted WHERE EXISTS (SELECT 1 FROM text_keys k WHERE k.key = wanted.value AND k.article_id <> ?3)
"""
"""In the order of the index: the articles that were stored first."""
_TEXTS = "SELECT text FROM comments WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
_WAITING = """
SELECT c.id, c.text, a.source_id,
  (SELECT json_group_array(json_object('url', l.url, 'host', l.host, 'domain', l.domain)) FROM links l
  WHERE l.comment_id = c.id AND l.revision = c.revision) AS links
FROM standing t JOIN comments c ON c.id = t.comment_id JOIN articles a ON a.id = c.article_id
WHERE t.state = 'flagged' ORDER BY t.score DESC, c.id
"""
_STILL_WAITS = """
SELECT c.revision FROM comments c JOIN standing t ON t.comment_id = c.id WHERE c.id = ? AND t.state = 'flagged'
"""
_STILL_HOLDS = """
SELECT c.revision FROM comments c JOIN standing t ON t.comment_id = c.id WHERE c.id = ? AND t.verdict_id = ?
"""
_TALLIES = """
WITH said AS (
  SELECT c.id, t.state, (SELECT v.said FROM verdicts v WHERE v.comment_id = c.id AND v.revision = c.revision
    AND NOT v.person ORDER BY v.id DESC LIMIT 1) AS rules,
    EXISTS (SELECT 1 FROM sampled s WHERE s.comment_id = c.id) AS drawn
  FROM comments c JOIN standing t ON t.comment_id = c.id)
SELECT sum(rules = 'flagged') AS flagged, sum(rules = 'clean') AS unflagged, sum(state = 'flagged') AS waiting,
  sum(rules = 'flagged' AND state = 'spam') AS held_spam, sum(rules = 'flagged' AND state = 'ok') AS held_ok,
  sum(rules = 'clean' AND drawn AND state = 'spam') AS sample_spam,
  sum(rules = 'clean' AND drawn AND state = 'ok') AS sample_ok
FROM said
"""
STANDS = "d.said IN ('spam', 'ok') AND NOT EXISTS (SELECT 1 FROM verdicts u WHERE u.undoes = d.id)"
LAST = """NOT EXISTS (SELECT 1 FROM verdicts n WHERE n.comment_id = d.comment_id AND n.revision = d.revision
  AND n.id > d.id AND n.said IN ('spam', 'ok') AND NOT EXISTS (SELECT 1 FROM verdicts u WHERE u.undoes = n.id))"""
_DECIDED = f"SELECT count(*) AS n FROM verdicts d WHERE {STANDS} AND {LAST}"
_DECISIONS = f"""
SELECT d.id AS verdict, d.comment_id, d.said, coalesce(r.text, c.text) AS text,
  (SELECT v.reasons FROM verdicts v WHERE v.comment_id = d.comment_id AND v.revision = d.revision AND NOT v.person
    ORDER BY v.id DESC LIMIT 1) AS reasons
FROM verdicts d JOIN comments c ON c.id = d.comment_id
LEFT JOIN comment_revisions r ON r.comment_id = d.comment_id AND r.revision = d.revision AND d.revision < c.revision
WHERE {STANDS} AND {LAST} ORDER BY d.id
"""
