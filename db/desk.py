"""What the review desk shows: the queue as it is now, one comment with all that is known around it, what people did."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from crawler.items import Link
from db.judging import NAMELESS, signals_of
from db.read import each_row, rows_of
from db.rows import dicts
from db.sqlite import Database
from moderation.campaigns import advertised
from moderation.queue import FOLDED, SURE, Entry, Queue

Row = dict[str, Any]

RECORD = 500
"""Comments of an author or with a domain that are counted, the latest: some names wrote a hundred thousand."""
NEAR = 200
"""Comments with a key in common with one that are looked at, for each of its keys."""
LISTED = 6
"""Earlier decisions on the like that are shown."""
PARENTS, REPLIES = 8, 8
"""Comments above and below one that are shown around it."""
TOGETHER = "decided with #"
"""How the note of a decision begins that was made on several comments at once."""
BLIND_FROM = 20
"""Decisions of people from which those of the blind sample are shown; the view `review_queue` has it too."""


class Waiting:
    """The queue in memory, brought up to the database whenever somebody looks. For all threads of a process."""

    def __init__(self) -> None:
        self._queue = Queue()
        self._read: int | None = None
        """The last verdict that the queue knows of; None before the first look."""
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def now(self, db: Database) -> Iterator[Queue]:
        """The queue as it is; nobody else changes it meanwhile."""
        with self._lock:
            self._look(db)
            yield self._queue

    def verdict(self, comment_id: int) -> int:
        """The verdict that held for a comment when somebody looked last; 0 for one that did not wait."""
        with self._lock:
            known = self._queue.entries.get(comment_id)
            return known.verdict if known else 0

    def _look(self, db: Database) -> None:
        """Reads what the verdicts since the last look changed: verdicts are only ever appended."""
        newest = int(rows_of(db, "SELECT coalesce(max(id), 0) AS id FROM verdicts")[0]["id"])
        if self._read is None:
            self._queue.put(_all_entries(db))
        elif newest > self._read:
            touched = rows_of(db, _TOUCHED, self._read, newest)
            ids = [row["comment_id"] for row in touched]
            self._queue.drop(ids)
            self._queue.put(_entries(db, ids))
        if newest != self._read and not self._queue.blind:
            people = rows_of(db, "SELECT count(*) AS n FROM (SELECT 1 FROM verdicts WHERE person LIMIT ?)", BLIND_FROM)
            if people[0]["n"] >= BLIND_FROM:
                self._queue.show_blind()
        self._read = newest


def texts(db: Database, ids: Sequence[int]) -> dict[int, str]:
    """The texts of these comments."""
    sql = "SELECT id, text FROM comments WHERE id IN (SELECT value FROM json_each(?))"
    return {row["id"]: row["text"] for row in rows_of(db, sql, json.dumps(list(ids)))}


def lines(db: Database, ids: Sequence[int]) -> list[Row]:
    """These comments as a list shows them, in this order: id, author, the beginning of the text, the source, what
    holds (`state`, `verdict`), its score and the rules' reasons. Those that are no longer there are left out."""
    found = {row["id"]: row for row in rows_of(db, _LINES, json.dumps(list(ids)))}
    rows = [found[id] for id in ids if id in found]
    return [{**row, "reasons": json.loads(row["reasons"] or "[]")} for row in rows]


def holding(db: Database, comment_id: int) -> Row | None:
    """The verdict that holds for a comment: verdict, comment, state, by, person, at; None when none does."""
    return next(iter(rows_of(db, _HOLDING, comment_id)), None)


def verdicts_of(db: Database, ids: Sequence[int]) -> dict[int, int]:
    """By number of the comment, the number of the verdict that holds."""
    sql = "SELECT comment_id, verdict_id FROM standing WHERE comment_id IN (SELECT value FROM json_each(?))"
    return {row["comment_id"]: row["verdict_id"] for row in rows_of(db, sql, json.dumps(list(ids)))}


def card(db: Database, comment_id: int) -> Row | None:
    """One comment with all that is known around it; None when there is none of this number."""
    found = rows_of(db, _CARD, comment_id)
    if not found:
        return None
    row = found[0]
    reasons = json.loads(row.pop("reasons") or "[]")
    links = rows_of(db, _LINKS, comment_id, row["revision"])
    domains = list(dict.fromkeys(link["domain"] for link in links if link["domain"]))
    return {
        **row,
        "reasons": sorted(reasons, key=lambda reason: -reason["weight"]),
        "links": links,
        "parents": rows_of(db, _PARENTS, comment_id, PARENTS)[::-1],
        "replies": rows_of(db, _REPLIES, row["article_id"], row["key"], REPLIES),
        "author_record": _author_record(db, row["author"]),
        "domains": [domain_record(db, domain) for domain in domains[:5]],
        "alike": _alike(db, row, domains),
        "versions": rows_of(db, _VERSIONS, comment_id),
        "words": rows_of(db, _WORDS, comment_id),
    }


def domain_record(db: Database, domain: str) -> Row:
    """How often comments with this domain were found spam or ok, wait or were let pass, and the rule on it."""
    counted = {row["state"]: row["n"] for row in rows_of(db, _DOMAIN_RECORD, domain, RECORD)}
    rules = rows_of(db, "SELECT said, source_id, judge, at, note FROM domain_rules_now WHERE domain = ?", domain)
    return {"domain": domain, **_counted(counted), "rules": rules}


def carrying(db: Database, domain: str) -> list[int]:
    """The comments that carry a link to this registrable domain in their present version, by number."""
    return [row["id"] for row in rows_of(db, _CARRYING, domain)]


def last_decision(db: Database, by: str) -> list[Row]:
    """What this person decided last and has not taken back: one decision, or all that were made together; each as
    {verdict, comment_id, said, at}. Empty when there is none."""
    found = rows_of(db, _LAST, by)
    if not found:
        return []
    (last,) = found
    if not last["note"].startswith(TOGETHER):
        return [last]
    return rows_of(db, _MADE_WITH, by, last["at"], last["said"], last["note"])


def decided_with(db: Database, verdict: int) -> list[Row]:
    """The decision of this number, with all that were made together with it, without those taken back."""
    found = rows_of(db, f"{_DECISION} AND d.id = ?", verdict)
    if not found or not found[0]["note"].startswith(TOGETHER):
        return found
    (one,) = found
    return rows_of(db, _MADE_WITH, one["judge"], one["at"], one["said"], one["note"])


def audit(
    db: Database,
    *,
    person: str = "",
    said: str = "",
    comment: int = 0,
    domain: str = "",
    since: str = "",
    verdicts_before: int = 2**62,
    rules_before: int = 2**62,
    limit: int,
) -> list[Row]:
    """What people did, the latest first: words on comments (`what` is comment) and on domains (`what` is domain).

    The two come merged, each in the order in which it was written; a page goes on before the numbers of the last ones.
    """
    asked = {"person": person, "said": said, "since": since, "limit": limit}
    words = [] if domain else rows_of_named(db, _AUDIT_WORDS, {**asked, "comment": comment, "before": verdicts_before})
    rules = [] if comment else rows_of_named(db, _AUDIT_RULES, {**asked, "domain": domain, "before": rules_before})
    return list(_merged(words, rules))[:limit]


def people(db: Database) -> list[str]:
    """Everybody who ever decided, by name."""
    sql = "SELECT DISTINCT judge FROM verdicts WHERE person UNION SELECT judge FROM domain_rules ORDER BY 1"
    return [row["judge"] for row in rows_of(db, sql)]


def rows_of_named(db: Database, sql: str, values: Row) -> list[Row]:
    """The rows of a query with named parameters."""
    return list(dicts(db.execute(sql, values)))


def _merged(words: list[Row], rules: list[Row]) -> Iterator[Row]:
    """The later of the two first; neither changes its own order."""
    words, rules = words[::-1], rules[::-1]
    while words or rules:
        take_rule = not words or (rules and rules[-1]["at"] >= words[-1]["at"])
        yield (rules if take_rule else words).pop()


def _all_entries(db: Database) -> Iterator[Entry]:
    """Which source and language an article has is read from two indexes: its row is long, and there are many."""
    sources = dict(db.execute("SELECT id, source_id FROM articles"))
    languages = dict(db.execute("SELECT id, language FROM articles"))
    rows = each_row(db, _ENTRIES.format(above="''", below="''", join="", where="t.place IS NOT NULL"))
    return _made(
        {**row, "source_id": sources[id], "language": languages[id]} for row in rows if (id := row["article_id"])
    )


def _entries(db: Database, ids: Sequence[int]) -> Iterator[Entry]:
    sql = _ENTRIES.format(above="a.source_id", below="a.language", join=_ARTICLE, where=_AMONG)
    return _made(each_row(db, sql, json.dumps(list(ids))))


def _made(rows: Iterable[Row]) -> Iterator[Entry]:
    shared: dict[str, tuple[str, ...]] = {}
    for row in rows:
        links = [Link(0, 0, "", link["url"], link["host"], link["domain"]) for link in json.loads(row["links"])]
        reasons = tuple(sorted(signals_of(row["reasons"])))
        domains = tuple(dict.fromkeys(link.domain for link in links if link.domain))
        yield Entry(
            rank=-row["place"],
            id=row["id"],
            verdict=row["verdict_id"],
            blind=row["state"] != "flagged",
            source=row["source_id"],
            language=row["language"],
            at=row["at"],
            signals=shared.setdefault("\n".join(reasons), reasons),
            domains=domains,
            places=advertised(links),
            keys=tuple(json.loads(row["keys"])),
            folded=f"{row['author']}\n{row['text'][:FOLDED]}".casefold(),
        )


def _author_record(db: Database, author: str) -> Row | None:
    if author.casefold() in NAMELESS:
        return None
    return _counted({row["state"]: row["n"] for row in rows_of(db, _AUTHOR_RECORD, author, RECORD)})


def _counted(counted: dict[str, int]) -> Row:
    named = {name: counted.get(name, 0) for name in ("spam", "ok", "flagged", "clean")}
    total = sum(counted.values())
    return {**named, "comments": total, "more": total >= RECORD}


def _alike(db: Database, row: Row, domains: list[str]) -> list[Row]:
    """The last decisions on comments with the same domain or nearly the same text, and which of the two it is."""
    near = rows_of(db, _NEAR, NEAR, row["article_id"], row["id"], row["id"], SURE)
    same = [
        r["id"] for domain in domains[:5] for r in rows_of(db, _SAME_DOMAIN, domain, RECORD) if r["id"] != row["id"]
    ]
    said_so = {r["id"] for r in near}
    found = rows_of(db, _DECIDED_AMONG, json.dumps(sorted(said_so | set(same))), LISTED)
    return [{**r, "because": "nearly the same text" if r["id"] in said_so else "same domain"} for r in found]


_TOUCHED = "SELECT DISTINCT comment_id FROM verdicts WHERE id > ? AND id <= ?"
_AMONG = "t.comment_id IN (SELECT value FROM json_each(?)) AND t.place IS NOT NULL"
_ARTICLE = "CROSS JOIN articles a ON a.id = c.article_id"
_ENTRIES = """
SELECT c.id, t.verdict_id, t.place, t.state, c.article_id, {above} AS source_id, {below} AS language,
  coalesce(c.posted_at, c.first_seen_at) AS at, c.author, c.text, v.reasons,
  (SELECT json_group_array(json_object('url', l.url, 'host', l.host, 'domain', l.domain)) FROM links l
    WHERE l.comment_id = c.id AND l.revision = c.revision) AS links,
  (SELECT json_group_array(k.key) FROM text_keys k WHERE k.article_id = c.article_id AND k.comment_id = c.id) AS keys
FROM standing t CROSS JOIN comments c ON c.id = t.comment_id {join} CROSS JOIN verdicts v ON v.id = t.verdict_id
WHERE {where}
"""
_RULES_LAST = """(SELECT w.reasons FROM verdicts w WHERE w.comment_id = c.id AND w.revision = c.revision
    AND NOT w.person ORDER BY w.id DESC LIMIT 1)"""
_LINES = f"""
SELECT c.id, c.author, substr(c.text, 1, 300) AS text, coalesce(c.posted_at, c.first_seen_at) AS at, a.source_id,
  t.state, t.verdict_id AS verdict, t.score, {_RULES_LAST} AS reasons
FROM comments c JOIN articles a ON a.id = c.article_id LEFT JOIN standing t ON t.comment_id = c.id
WHERE c.id IN (SELECT value FROM json_each(?))
"""
_HOLDING = """
SELECT t.verdict_id AS verdict, t.comment_id AS comment, t.state, v.judge AS by, v.person, v.at
FROM standing t JOIN verdicts v ON v.id = t.verdict_id WHERE t.comment_id = ?
"""
_CARD = f"""
SELECT c.id, c.article_id, c.key, c.author, c.author_url, c.posted_at, c.posted_raw, c.text, c.kind, c.edited,
  c.deleted, c.by_staff, c.cut, c.revision, c.first_seen_at, c.gone_at, a.headline, a.url, a.source_id, a.language,
  s.name AS source, t.state, t.score, t.verdict_id AS verdict, v.judge, v.person, v.at AS judged_at,
  {_RULES_LAST} AS reasons
FROM comments c JOIN articles a ON a.id = c.article_id JOIN sources s ON s.id = a.source_id
LEFT JOIN standing t ON t.comment_id = c.id LEFT JOIN verdicts v ON v.id = t.verdict_id WHERE c.id = ?
"""
_LINKS = """
SELECT start, stop, text, url, host, domain, place, disguise FROM links
WHERE comment_id = ? AND revision = ? ORDER BY number
"""
_BESIDE = "c.id, c.author, c.posted_at, substr(c.text, 1, 600) AS text, t.state"
_PARENTS = f"""
WITH RECURSIVE up(id, height) AS (
  SELECT p.id, 1 FROM comments c JOIN comments p ON p.article_id = c.article_id AND p.key = c.parent_key WHERE c.id = ?1
  UNION SELECT p.id, height + 1 FROM up JOIN comments c ON c.id = up.id
    JOIN comments p ON p.article_id = c.article_id AND p.key = c.parent_key WHERE height < ?2)
SELECT {_BESIDE} FROM up JOIN comments c ON c.id = up.id LEFT JOIN standing t ON t.comment_id = c.id ORDER BY height
"""
_REPLIES = f"""
SELECT {_BESIDE} FROM comments c LEFT JOIN standing t ON t.comment_id = c.id
WHERE c.article_id = ? AND c.parent_key = ? ORDER BY c.position, c.id LIMIT ?
"""
_AUTHOR_RECORD = """
SELECT coalesce(t.state, 'unjudged') AS state, count(*) AS n
FROM (SELECT id FROM comments WHERE author = ? ORDER BY id DESC LIMIT ?) c LEFT JOIN standing t ON t.comment_id = c.id
GROUP BY 1
"""
_DOMAIN_RECORD = """
SELECT coalesce(t.state, 'unjudged') AS state, count(*) AS n
FROM (SELECT DISTINCT comment_id FROM links WHERE domain = ? ORDER BY comment_id DESC LIMIT ?) l
LEFT JOIN standing t ON t.comment_id = l.comment_id GROUP BY 1
"""
_CARRYING = """
SELECT DISTINCT c.id FROM links l CROSS JOIN comments c ON c.id = l.comment_id AND c.revision = l.revision
WHERE l.domain = ? ORDER BY 1
"""
_NEAR = """
SELECT comment_id AS id FROM (
  SELECT k.comment_id FROM (SELECT key FROM text_keys WHERE article_id = ?2 AND comment_id = ?3) mine
  CROSS JOIN text_keys k ON k.key = mine.key WHERE k.comment_id <> ?4 LIMIT 6 * ?1)
GROUP BY comment_id HAVING count(*) >= ?5 LIMIT ?1
"""
_SAME_DOMAIN = "SELECT DISTINCT comment_id AS id FROM links WHERE domain = ? ORDER BY comment_id DESC LIMIT ?"
_DECIDED_AMONG = """
SELECT t.comment_id AS id, t.state AS said, v.judge, v.at, v.note, substr(c.text, 1, 300) AS text, c.author
FROM standing t JOIN verdicts v ON v.id = t.verdict_id JOIN comments c ON c.id = t.comment_id
WHERE t.comment_id IN (SELECT value FROM json_each(?)) AND t.state IN ('spam', 'ok') ORDER BY v.id DESC LIMIT ?
"""
_VERSIONS = """
SELECT revision, author, author_url, text, replaced_at FROM comment_revisions WHERE comment_id = ? ORDER BY revision
"""
_WORDS = """
SELECT d.id, d.revision, d.said, d.judge, d.at, d.note, d.undoes,
  EXISTS (SELECT 1 FROM verdicts u WHERE u.undoes = d.id) AS undone
FROM verdicts d WHERE d.comment_id = ? AND d.person ORDER BY d.id DESC LIMIT 20
"""
_DECISION = """
SELECT d.id AS verdict, d.comment_id, d.said, d.judge, d.at, d.note FROM verdicts d
WHERE d.person AND d.said IN ('spam', 'ok') AND NOT EXISTS (SELECT 1 FROM verdicts u WHERE u.undoes = d.id)
"""
_LAST = f"{_DECISION} AND d.judge = ? ORDER BY d.id DESC LIMIT 1"
_MADE_WITH = f"{_DECISION} AND d.judge = ? AND d.at = ? AND d.said = ? AND d.note = ? ORDER BY d.id"
_AUDIT_WORDS = """
SELECT 'comment' AS what, d.id, d.at, d.judge, d.said, d.comment_id, d.revision, '' AS domain, a.source_id, d.note,
  d.undoes, coalesce(u.said, '') AS undid,
  (SELECT b.said FROM verdicts b WHERE b.comment_id = d.comment_id AND b.revision = d.revision AND b.id < d.id
    AND b.said <> 'undo' AND NOT EXISTS (SELECT 1 FROM verdicts x WHERE x.undoes = b.id AND x.id < d.id)
    ORDER BY b.person DESC, b.id DESC LIMIT 1) AS before,
  EXISTS (SELECT 1 FROM verdicts n WHERE n.undoes = d.id) AS undone, substr(coalesce(r.text, c.text), 1, 300) AS text
FROM verdicts d CROSS JOIN comments c ON c.id = d.comment_id CROSS JOIN articles a ON a.id = c.article_id
LEFT JOIN verdicts u ON u.id = d.undoes
LEFT JOIN comment_revisions r ON r.comment_id = d.comment_id AND r.revision = d.revision AND d.revision < c.revision
WHERE d.person AND d.id < :before AND (:person = '' OR d.judge = :person) AND (:said = '' OR d.said = :said)
  AND (:comment = 0 OR d.comment_id = :comment) AND d.at >= :since
ORDER BY d.id DESC LIMIT :limit
"""
_AUDIT_RULES = """
SELECT 'domain' AS what, id, at, judge, said, NULL AS comment_id, NULL AS revision, domain, source_id, note,
  NULL AS undoes, '' AS undid,
  (SELECT b.said FROM domain_rules b WHERE b.domain = d.domain AND b.source_id = d.source_id AND b.id < d.id
    ORDER BY b.id DESC LIMIT 1) AS before, 0 AS undone, '' AS text
FROM domain_rules d
WHERE id < :before AND (:person = '' OR judge = :person) AND (:said = '' OR said = :said)
  AND (:domain = '' OR domain = :domain) AND at >= :since
ORDER BY id DESC LIMIT :limit
"""
