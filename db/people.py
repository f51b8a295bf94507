"""What people said of comments and domains, as a whole: to be taken elsewhere, appended from there, or taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from db.decisions import NotThere, Undone
from db.judging import LAST, STANDS, signals_of, stored_comment
from db.read import each_row, rows_of
from db.sqlite import Database
from db.store import Store
from moderation.exchange import Rule, Word, marked
from pipelines.compare import fingerprint

Row = dict[str, Any]


def people_said(db: Database, *, source: str = "") -> Iterator[Row]:
    """Everything that people ever said of comments, the oldest first: each word with its comment, the fingerprint
    (`content`) and the text of the version it was said of, and what the rules had said of that."""
    for row in each_row(db, _PEOPLE_SAID, source, source):
        comment, signals = stored_comment(row), sorted(signals_of(row.pop("reasons")))
        del row["hrefs"]
        links = [href.url for href in comment.links]
        yield {**row, "content": fingerprint(comment), "links": links, "signals": signals}


def rules_said(db: Database) -> list[Row]:
    """Everything that people ever said of domains, the oldest first."""
    return rows_of(db, "SELECT * FROM domain_rules ORDER BY id")


def words_on(db: Database, comment_id: int) -> list[Row]:
    """What people said of a comment, the oldest first: id, revision, said, judge, at, note, undoes."""
    return rows_of(db, _WORDS_ON, comment_id)


def words_on_domain(db: Database, domain: str, source: str) -> list[Row]:
    """What people said of a domain, under one source or (empty) under all, the oldest first."""
    return rows_of(db, "SELECT * FROM domain_rules WHERE domain = ? AND source_id = ? ORDER BY id", domain, source)


def article_at(db: Database, url: str) -> int | None:
    """The article that is known by this address, or was found there; None for none."""
    found = rows_of(db, "SELECT id FROM articles WHERE url = ?", url) or rows_of(db, _FOUND_THERE, url)
    return int(found[0]["id"]) if found else None


def versions(db: Database, article_id: int, key: str) -> tuple[int, dict[int, str]] | None:
    """A comment's number, and the fingerprint of each of its versions; None when the article has none of this key."""
    found = rows_of(db, _VERSIONS, article_id, key)
    if not found:
        return None
    return int(found[0]["id"]), {int(row["revision"]): fingerprint(stored_comment(row)) for row in found}


def honest_hosts(db: Database) -> frozenset[str]:
    """Hosts that stand in comments which nobody found spam and no rule holds, and the sources' own."""
    return frozenset(row["host"] for row in rows_of(db, _HONEST_HOSTS) if row["host"])


class Ledger(Store):
    """The database, for many words at once. Each public method is one transaction."""

    def append_words(self, plan: Callable[[Database], Iterable[tuple[int, int, Word]]]) -> None:
        """Appends what people said elsewhere, each word with its comment and revision, under their names and times.

        `plan` says which, from the database as it is when nobody else writes; what it raises leaves all as it was.
        """
        with self._transaction(durable=True):
            for comment_id, revision, word in plan(self.db):
                said, by, at, _ = word.mark
                row = {"comment_id": comment_id, "revision": revision, "said": said, "judge": by, "note": word.note}
                undoes = self._said(comment_id, revision, word) if word.undoes else None
                self._insert("verdicts", {**row, "reasons": "[]", "person": 1, "undoes": undoes, "at": at})

    def append_rules(self, plan: Callable[[Database], Iterable[Rule]]) -> None:
        """Appends what people said of domains elsewhere; as `append_words`."""
        with self._transaction(durable=True):
            for rule in plan(self.db):
                said, by, at, _ = rule.word.mark
                row = {"domain": rule.domain, "said": said, "source_id": rule.source, "note": rule.word.note}
                self._insert("domain_rules", {**row, "judge": by, "at": at})

    def undo_all(self, comment_id: int, *, by: str, now: str) -> list[Undone]:
        """Takes back the last decision that stands on a comment, and those that were made with it: by the same person,
        in the same second, saying the same, with the same note. All or none. Raises `NotThere`."""
        undone = []
        with self._transaction(durable=True):
            for row in self._rows(_DECIDED_TOGETHER, comment_id):
                undo = {"comment_id": row["comment_id"], "revision": row["revision"], "undoes": row["id"]}
                self._insert(
                    "verdicts",
                    {**undo, "said": "undo", "reasons": "[]", "judge": by, "person": 1, "note": "", "at": now},
                )
                holds = self._row("SELECT state FROM standing WHERE comment_id = ?", row["comment_id"])
                state = holds["state"] if holds else "unjudged"
                undone.append(Undone(comment_id=row["comment_id"], said=row["said"], now=state))
            if not undone:
                raise NotThere(f"no decision on comment {comment_id} to take back")
        return undone

    def take_back(self, verdicts: Iterable[int], *, by: str, now: str) -> list[Undone]:
        """Takes back these decisions, by their numbers, all or none. One that was taken back already stays so: nothing
        is written of it, and it is not among those that are returned. Raises `NotThere`."""
        with self._transaction(durable=True):
            undone = [self._taken_back(number, by, now) for number in verdicts]
        return [one for one in undone if one]

    def _taken_back(self, number: int, by: str, now: str) -> Undone | None:
        row = self._row(
            "SELECT id, comment_id, revision, said FROM verdicts WHERE id = ? AND said IN ('spam', 'ok')", number
        )
        if row is None:
            raise NotThere(f"no decision {number}")
        if self._row("SELECT 1 FROM verdicts WHERE undoes = ?", number):
            return None
        undo = {"comment_id": row["comment_id"], "revision": row["revision"], "said": "undo", "undoes": number}
        self._insert("verdicts", {**undo, "reasons": "[]", "judge": by, "person": 1, "note": "", "at": now})
        holds = self._row("SELECT state FROM standing WHERE comment_id = ?", row["comment_id"])
        return Undone(comment_id=row["comment_id"], said=row["said"], now=holds["state"] if holds else "unjudged")

    def _said(self, comment_id: int, revision: int, word: Word) -> int:
        """The number of the decision that a word takes back."""
        said = [row for row in words_on(self.db, comment_id) if row["revision"] == revision]
        return next(int(row["id"]) for row, mark in marked(said) if mark == word.undoes)


_WORDS_ON = """
SELECT id, revision, said, judge, at, note, undoes FROM verdicts WHERE comment_id = ? AND person ORDER BY id
"""
_FOUND_THERE = "SELECT article_id AS id FROM fetches WHERE url = ? AND article_id IS NOT NULL"
_VERSIONS = """
SELECT c.id, c.revision, c.author, c.author_url, c.text, c.hrefs FROM comments c WHERE c.article_id = ?1 AND c.key = ?2
UNION ALL
SELECT c.id, r.revision, r.author, r.author_url, r.text, r.hrefs
FROM comments c JOIN comment_revisions r ON r.comment_id = c.id
WHERE c.article_id = ?1 AND c.key = ?2 AND r.revision < c.revision
"""
_HONEST_HOSTS = """
SELECT DISTINCT l.host FROM links l JOIN comments c ON c.id = l.comment_id AND c.revision = l.revision
JOIN standing t ON t.comment_id = c.id WHERE t.state IN ('ok', 'clean')
"""
_DECIDED_TOGETHER = """
WITH last AS (SELECT d.* FROM verdicts d WHERE d.comment_id = ? AND d.said IN ('spam', 'ok')
  AND NOT EXISTS (SELECT 1 FROM verdicts u WHERE u.undoes = d.id) ORDER BY d.id DESC LIMIT 1)
SELECT d.id, d.comment_id, d.revision, d.said FROM verdicts d, last
WHERE d.person AND d.said = last.said AND d.judge = last.judge AND d.at = last.at AND d.note = last.note
  AND NOT EXISTS (SELECT 1 FROM verdicts u WHERE u.undoes = d.id) ORDER BY d.id
"""
_PEOPLE_SAID = f"""
SELECT d.id, d.comment_id, d.revision, d.said, d.judge, d.note, d.at, d.undoes, a.source_id AS source,
  a.url AS article_url, c.key, c.site_id, c.posted_at, coalesce(r.author, c.author) AS author,
  coalesce(r.author_url, c.author_url) AS author_url, coalesce(r.text, c.text) AS text,
  coalesce(r.hrefs, c.hrefs) AS hrefs, coalesce(v.judge, '') AS judged_by, v.score, v.reasons,
  {STANDS} AND {LAST} AS stands
FROM verdicts d JOIN comments c ON c.id = d.comment_id JOIN articles a ON a.id = c.article_id
LEFT JOIN comment_revisions r ON r.comment_id = d.comment_id AND r.revision = d.revision AND d.revision < c.revision
LEFT JOIN verdicts v ON v.id = (SELECT w.id FROM verdicts w WHERE w.comment_id = d.comment_id
  AND w.revision = d.revision AND NOT w.person AND w.id < d.id ORDER BY w.id DESC LIMIT 1)
WHERE d.person AND (? = '' OR a.source_id = ?) ORDER BY d.id
"""
