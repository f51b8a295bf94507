"""The crawl's reads and writes. Each public method is one transaction; what it returns is true after the commit."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from crawler.items import Delta, Fetch, FieldCount, Keyed, Known, KnownComment, Past, Receipt, RunKind, RunReport
from crawler.schedule import Visited
from crawler.source import Source
from db import history, indexing, rows
from db.connect import DatabaseBusy, DatabaseProblem, problems_of
from db.decisions import Decisions
from moderation.campaigns import near_keys
from pipelines.differences import words_changed

_FIELDS = (
    "headline, summary, body, blocks, authors, published_at, published_raw, modified_at, modified_raw, canonical_url,"
    " site_name, section, tags, language, image_url, image_caption, kind, paywalled, comments_state, links"
)
_KEPT = "headline, summary, body, blocks, authors, published_at, modified_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What one visit wrote."""

    article_id: int
    new: bool
    edited: bool
    comments_new: int
    comments_flagged: int


class Store(Decisions):
    """The database, for one crawl or one reviewer."""

    _unindexed = 0
    """What was stored since the index was last brought up to date, in articles."""

    # ---- runs

    def begin_run(self, sources: Iterable[Source], *, version: str, now: str, kind: RunKind = "crawl") -> int:
        """The number of a new run; runs that were killed are marked interrupted, sources as their files say."""
        with self._transaction():
            self._run("UPDATE runs SET status = 'interrupted' WHERE status = 'running'")
            for source in sources:
                self._upsert("sources", rows.source_row(source), "id")
            row = {"kind": kind, "started_at": now, "status": "running", "version": version, "problems": "[]"}
            run_id = self._insert("runs", row)
        with contextlib.suppress(DatabaseProblem):  # the run has begun; what is due stays listed
            self.index(run_id=run_id, now=now)
        return run_id

    def end_run(self, run_id: int, report: RunReport, *, now: str) -> None:
        """Writes down what the run amounted to, and brings the index up to what it stored.

        What another writer does not let it index stays listed. Raises `DatabaseProblem`; when it is the index that
        cannot be written, the run has ended all the same.
        """
        with self._transaction():
            self._run(
                "UPDATE runs SET ended_at = ?, status = ?, exit_code = ?, problems = ? WHERE id = ?",
                now,
                report.status,
                report.exit_code,
                json.dumps([asdict(p) for p in report.problems], ensure_ascii=False),
                run_id,
            )
            for source_id, tally in report.tallies.items():
                self._insert("run_sources", {"run_id": run_id, "source_id": source_id, **asdict(tally)})
            for row in history.field_rows(run_id, report.fields):
                self._insert("run_fields", row)
        with contextlib.suppress(DatabaseBusy):
            self.index(run_id=run_id, now=now)

    # ---- what follows from what is stored

    def index(self, *, run_id: int | None = None, now: str) -> None:
        """Brings the search index, the stories and the kept searches up to what is stored, a batch a transaction.

        The crawl does it as it goes, `indexing.ARTICLES` at a time; what a killed one left is taken up here too.
        """
        self._unindexed = 0
        for step in indexing.STEPS:
            more = True
            while more:
                began = time.monotonic()
                with self._transaction():
                    more = step(self.db, run_id, now)
                if more:
                    time.sleep((time.monotonic() - began) * indexing.PAUSE)

    def keep_robots(self, texts: Mapping[str, str], *, run_id: int, now: str) -> None:
        """Keeps the robots.txt of each host."""
        with self._transaction():
            for host, text in texts.items():
                self._upsert("robots", {"host": host, "text": text, "fetched_at": now, "run_id": run_id}, "host")

    def past(self, source_id: str) -> Past:
        """What finished crawls did at a source."""
        with problems_of(self.path):
            return history.past(self.db, source_id)

    def past_fields(self, source_id: str, names: Mapping[str, int]) -> dict[str, tuple[FieldCount, ...]]:
        """What crawls counted of some fields, as `db.history.past_fields` has it."""
        with problems_of(self.path):
            return history.past_fields(self.db, source_id, names)

    def last_end(self) -> str:
        """UTC: when the last crawl ended; empty without one."""
        with problems_of(self.path):
            return history.last_end(self.db)

    # ---- articles

    def known(self, url: str) -> Known:
        """What the database has of the article that is known by this address."""
        with self._transaction("DEFERRED"):
            article = self._row(f"SELECT id, revision, gone_at, {_FIELDS} FROM articles WHERE url = ?", url)
            if article is None:
                return Known()
            comments = self._rows(_KNOWN_COMMENTS, article["id"])
        return Known(
            article_id=article.pop("id"),
            revision=article.pop("revision"),
            gone=article.pop("gone_at") is not None,
            fields=article,
            comments={c.pop("key"): KnownComment(**{**c, "gone": bool(c["gone"])}) for c in comments},
        )

    def apply(self, delta: Delta, fetch: Fetch, *, run_id: int, now: str) -> Saved:
        """Writes one visit: article, comments, links, verdicts and the ledger's row, all or nothing."""
        near = _near(delta)
        with self._transaction():
            article_id = self._save(delta, near, fetch.source_id, run_id, now)
            self._ledger(fetch, article_id, run_id, now)
        self._unindexed += 1 + len(delta.new) // indexing.COMMENTS_AN_ARTICLE
        if self._unindexed >= indexing.ARTICLES:
            with contextlib.suppress(DatabaseProblem):  # what is due stays listed; the visit itself is stored
                self.index(run_id=run_id, now=now)
        judged = {k.key for k in (*delta.new, *delta.edited, *delta.unjudged)}
        return Saved(
            article_id=article_id,
            new=delta.known.article_id is None,
            edited=bool(delta.revised),
            comments_new=len(delta.new),
            comments_flagged=sum(v.decision == "flagged" for k, v in delta.verdicts.items() if k in judged),
        )

    def reread(
        self, delta: Delta | None, ledger: Mapping[str, Any], *, url: str, source_id: str, run_id: int, now: str
    ) -> None:
        """Writes what an archived page amounts to now, all or nothing. It is no visit: of the row that the ledger has
        of this url only the columns in `ledger` change, and which article it gave."""
        near = _near(delta) if delta else {}
        with self._transaction():
            if delta:
                ledger = {**ledger, "article_id": self._save(delta, near, source_id, run_id, now)}
            if ledger:
                settings = ", ".join(f"{name} = ?" for name in ledger)
                self._run(f"UPDATE fetches SET {settings} WHERE url = ?", *ledger.values(), url)

    def record(self, fetch: Fetch, *, run_id: int, now: str) -> None:
        """Writes what became of a URL that gave no article. What is stored of it stays; a gone page is marked."""
        with self._transaction():
            known = self._row("SELECT article_id FROM fetches WHERE url = ?", fetch.url)
            article_id = known["article_id"] if known else None
            if fetch.outcome == "gone" and article_id is not None:
                self._run(
                    "UPDATE articles SET gone_at = ?, changed_at = ? WHERE id = ? AND gone_at IS NULL",
                    now,
                    now,
                    article_id,
                )
            self._ledger(fetch, article_id, run_id, now)

    def record_unvisited(self, fetches: Iterable[Fetch], *, run_id: int, now: str) -> None:
        """A row for each URL that was taken up and never answered; one that has a row keeps it, with its receipt."""
        with self._transaction():
            for fetch in fetches:
                if self._row("SELECT 1 FROM fetches WHERE url = ?", fetch.url) is None:
                    self._ledger(fetch, None, run_id, now)

    def receipt(self, url: str, *, cleaned_by: str) -> Receipt | None:
        """What to ask a site with, when this very cleaning has read the page before and it is stored."""
        row = self._row(
            "SELECT etag, last_modified, bytes FROM fetches WHERE url = ? AND cleaned_by = ? AND article_id IS NOT NULL"
            " AND outcome IN ('stored', 'unchanged') AND (etag <> '' OR last_modified <> '')",
            url,
            cleaned_by,
        )
        return Receipt(**row) if row else None

    def visited(self, url: str) -> Visited | None:
        """What the ledger knows of a page; None for a URL that was never taken up."""
        row = self._row(_VISITED, url)
        return Visited(**{**row, "talks": bool(row["talks"])}) if row else None

    def speaks_for_itself(self, url: str) -> bool:
        """True for an article whose own address gave it at the last visit: no other page of its site may say what it
        says by naming it as canonical."""
        return self._row(_OWN_PAGE, url) is not None

    def pruned(self, url: str) -> bool:
        """True for a page whose article was removed by policy."""
        known = self.visited(url)
        return known is not None and known.pruned

    # ---- the parts of `apply`

    def _save(self, delta: Delta, near: Near, source_id: str, run_id: int, now: str) -> int:
        """The article and its comments with links and verdicts; its number."""
        article_id = self._save_article(delta, source_id, run_id, now)
        for keyed in delta.new:
            comment_id = self._new_comment(delta, keyed, article_id, run_id, now)
            self._text_keys(article_id, comment_id, near[keyed.key])
        for keyed in delta.edited:
            comment_id = self._edited_comment(delta, keyed, run_id, now)
            self._run("DELETE FROM text_keys WHERE article_id = ? AND comment_id = ?", article_id, comment_id)
            self._text_keys(article_id, comment_id, near[keyed.key])
        for keyed in delta.unjudged:
            stored = delta.known.comments[keyed.key]
            self._judged(delta, keyed, stored.id, stored.revision, run_id, now)
        self._came_and_went(delta, article_id, now)
        return article_id

    def _save_article(self, delta: Delta, source_id: str, run_id: int, now: str) -> int:
        known = delta.known
        if known.article_id is None:
            row = {"url": delta.page.article.url, "source_id": source_id, **delta.fields, "revision": 1}
            article_id = self._insert(
                "articles", {**row, "first_seen_at": now, "first_run_id": run_id, "changed_at": now}
            )
            self._evidence(delta, article_id)
            self._cuts(delta, article_id)
            return article_id
        if delta.changed:
            self._change_article(delta, known.article_id, run_id, now)
            self._evidence(delta, known.article_id)
        if known.gone:
            self._run("UPDATE articles SET gone_at = NULL, changed_at = ? WHERE id = ?", now, known.article_id)
        self._cuts(delta, known.article_id)
        return known.article_id

    def _change_article(self, delta: Delta, article_id: int, run_id: int, now: str) -> None:
        changes: dict[str, Any] = {name: delta.fields[name] for name in delta.changed}
        if delta.revised:
            self._run(
                f"INSERT INTO article_revisions (article_id, revision, {_KEPT}, changed, words_gone, words_new,"
                f" replaced_at, replaced_run_id)"
                f" SELECT id, revision, {_KEPT}, ?, ?, ?, ?, ? FROM articles WHERE id = ?",
                json.dumps(delta.revised),
                *words_changed(rows.told(delta.known.fields), rows.told(delta.fields)),
                now,
                run_id,
                article_id,
            )
            changes["revision"] = delta.known.revision + 1
        changes["changed_at"] = now
        settings = ", ".join(f"{name} = ?" for name in changes)
        self._run(f"UPDATE articles SET {settings} WHERE id = ?", *changes.values(), article_id)

    def _evidence(self, delta: Delta, article_id: int) -> None:
        self._run("DELETE FROM field_evidence WHERE article_id = ?", article_id)
        for e in delta.page.article.evidence:
            row = {
                "article_id": article_id,
                "field": e.field,
                "origin": e.origin,
                "raw": e.raw,
                "chosen": int(e.chosen),
            }
            self._insert("field_evidence", row, "OR IGNORE")

    def _cuts(self, delta: Delta, article_id: int) -> None:
        """What limits left out of this visit's page; apart from the article, which may not have changed."""
        columns = "name, kept, left_out, unit"
        stored = [tuple(r.values()) for r in self._rows(f"SELECT {columns} FROM cuts WHERE article_id = ?", article_id)]
        found = {cut.limit: (cut.limit, cut.kept, cut.left_out, cut.unit) for cut in delta.page.cuts}
        if set(stored) != set(found.values()):
            self._run("DELETE FROM cuts WHERE article_id = ?", article_id)
            for values in found.values():
                self._run(f"INSERT INTO cuts (article_id, {columns}) VALUES (?, ?, ?, ?, ?)", article_id, *values)

    def _new_comment(self, delta: Delta, keyed: Keyed, article_id: int, run_id: int, now: str) -> int:
        row = {**rows.comment_row(keyed), "article_id": article_id, "revision": 1}
        comment_id = self._insert("comments", {**row, "first_seen_at": now, "first_run_id": run_id, "changed_at": now})
        self._judged(delta, keyed, comment_id, 1, run_id, now)
        return comment_id

    def _edited_comment(self, delta: Delta, keyed: Keyed, run_id: int, now: str) -> int:
        stored = delta.known.comments[keyed.key]
        self._run(
            "INSERT INTO comment_revisions"
            " (comment_id, revision, author, author_url, text, hrefs, replaced_at, replaced_run_id)"
            " SELECT id, revision, author, author_url, text, hrefs, ?, ? FROM comments WHERE id = ?",
            now,
            run_id,
            stored.id,
        )
        row = rows.comment_row(keyed)
        names = ("author", "author_url", "text", "hrefs", "edited", "deleted", "by_staff", "cut", "fingerprint")
        settings = ", ".join(f"{name} = ?" for name in names)
        self._run(
            f"UPDATE comments SET {settings}, revision = revision + 1, changed_at = ?, gone_at = NULL WHERE id = ?",
            *(row[name] for name in names),
            now,
            stored.id,
        )
        self._judged(delta, keyed, stored.id, stored.revision + 1, run_id, now)
        return stored.id

    def _text_keys(self, article_id: int, comment_id: int, keys: Iterable[int]) -> None:
        for key in keys:
            sql = "INSERT INTO text_keys (article_id, comment_id, key) VALUES (?, ?, ?)"
            self._run(sql, article_id, comment_id, key)

    def _judged(self, delta: Delta, keyed: Keyed, comment_id: int, revision: int, run_id: int, now: str) -> None:
        verdict = delta.verdicts.get(keyed.key)
        if verdict is None:
            return
        for row in rows.link_rows(verdict.links, comment_id, revision):
            self._insert("links", row, "OR IGNORE")
        self._insert("verdicts", {**rows.verdict_row(verdict, comment_id, revision), "at": now, "run_id": run_id})

    def _came_and_went(self, delta: Delta, article_id: int, now: str) -> None:
        for keyed in delta.returned:
            stored = delta.known.comments[keyed.key]
            self._run("UPDATE comments SET gone_at = NULL, changed_at = ? WHERE id = ?", now, stored.id)
        for key in delta.gone:
            stored = delta.known.comments[key]
            self._run(
                "UPDATE comments SET gone_at = ?, changed_at = ? WHERE id = ? AND gone_at IS NULL", now, now, stored.id
            )

    def _ledger(self, fetch: Fetch, article_id: int | None, run_id: int, now: str) -> None:
        row = {**rows.fetch_row(fetch), "article_id": article_id, "run_id": run_id, "fetched_at": now}
        row |= {"first_seen_at": now, "failures": int(fetch.outcome == "failed")}
        kept = ("url", "first_seen_at", "failures")
        settings = ", ".join(f"{name} = excluded.{name}" for name in row if name not in kept)
        self._run(
            f"INSERT INTO fetches ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
            f" ON CONFLICT (url) DO UPDATE SET {settings},"
            " failures = CASE WHEN excluded.failures THEN failures + 1 ELSE 0 END",
            *row.values(),
        )


Near = Mapping[str, tuple[int, ...]]
"""By a comment's key: by what nearly the same text is found."""


def _near(delta: Delta) -> Near:
    """Of each comment whose text is written: worked out before the file is held."""
    return {keyed.key: tuple(near_keys(keyed.comment.text)) for keyed in (*delta.new, *delta.edited)}


_VISITED = f"""
SELECT f.outcome, f.reason, f.first_seen_at, f.fetched_at, f.failures, f.lastmod, f.cleaned_by, {rows.TALKS} AS talks
FROM fetches f LEFT JOIN articles a ON a.id = f.article_id WHERE f.url = ?
"""

_OWN_PAGE = """
SELECT 1 FROM fetches f JOIN articles a ON a.id = f.article_id AND a.url = f.url
WHERE f.url = ? AND f.outcome IN ('stored', 'unchanged')
"""

_KNOWN_COMMENTS = """
SELECT c.key, c.id, c.revision, c.fingerprint, c.gone_at IS NOT NULL AS gone,
  coalesce((SELECT v.judge FROM verdicts v WHERE v.comment_id = c.id AND v.revision = c.revision AND NOT v.person
    ORDER BY v.id DESC LIMIT 1), '') AS judged_by,
  coalesce((SELECT v.said FROM verdicts v WHERE v.comment_id = c.id AND v.said IN ('spam', 'ok')
    AND NOT EXISTS (SELECT 1 FROM verdicts u WHERE u.undoes = v.id) ORDER BY v.id DESC LIMIT 1), '') AS decided
FROM comments c WHERE c.article_id = ?
"""
