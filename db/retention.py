"""What of a database is old, and what hangs on it: by kind, the rows that go together, in SQL. Changes nothing itself.

A kind is picked once, as numbered keys in the temporary table `going`; each transaction takes some of them into
`batch`, and the comments under its articles into `replies`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crawler.drift import NEW_NORMAL
from crawler.schedule import PRUNED
from db import history

COMMENTS_A_WEIGHT = 20
"""So many comments take as long as an article."""
ROWS_A_WEIGHT = 50
"""So many rows that nothing hangs on."""
MARGIN_DAYS = 2 * NEW_NORMAL.days
"""Before the last visit of a source, within which every number of a run stays: a fall is told for half of that."""


@dataclass(frozen=True, slots=True)
class Step:
    """Rows of one table that go, or are marked."""

    name: str
    which: str
    table: str = ""
    """Where it is not the name."""
    change: str = ""
    """How they are marked; empty where they go."""
    also: str = ""
    """A number of rows that will only be there when the others go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Rows that go together: which, and with what. Keys are two columns, `a` and `b`."""

    of: str
    pick: str
    """Rows of a, b, weight. `{only}` limits it to those that were picked before, when it is asked again."""
    steps: tuple[Step, ...]
    only: str = ""
    first: tuple[str, ...] = ()
    """What is done before the rows go."""


GONE = "a INTEGER PRIMARY KEY"
"""Of the temporary table `gone`: articles that a dry run has counted already, with all that hangs on them."""
OURS = {
    "going": "n INTEGER PRIMARY KEY, a, b, weight REAL",
    "batch": "a, b, PRIMARY KEY (a, b)",
    "replies": "id INTEGER PRIMARY KEY",
}
PICKED = "temp.going WHERE n BETWEEN :low AND :high"
_OF_SOURCE = "(:source = '' OR {0}.source_id = :source)"
_LISTED = "IN (SELECT a FROM temp.batch)"
_REPLIES = "IN (SELECT id FROM temp.replies)"
_PAIR = "IN (SELECT a, b FROM temp.batch)"

_NOT_GONE = "a.id NOT IN (SELECT a FROM temp.gone)"
_WITH_DECISION = "SELECT c.article_id FROM verdicts v JOIN comments c ON c.id = v.comment_id WHERE v.person"
_NEWEST = (
    "SELECT max(id) FROM articles UNION ALL SELECT article_id FROM comments WHERE id = (SELECT max(id) FROM comments)"
    " UNION ALL SELECT article_id FROM comments WHERE id = (SELECT comment_id FROM verdicts ORDER BY id DESC LIMIT 1)"
)
"""Articles with the highest numbers of their tables: these stay, so that no number is ever given again."""
_OLD = f"""
a.first_seen_at < :before AND a.changed_at < :before AND {_OF_SOURCE.format("a")}
  AND NOT EXISTS (SELECT 1 FROM comments c WHERE c.article_id = a.id
    AND (c.changed_at >= :before OR c.first_seen_at >= :before))"""
"""In SQL: nothing has happened to the article `a` since, nor to its comments."""
DECIDED = f"SELECT count(*) FROM articles a WHERE a.id IN ({_WITH_DECISION}) AND {_OLD}"
WAITING = f"SELECT count(*) FROM standing WHERE state = 'flagged' AND comment_id {_REPLIES}"

_URLS = f"SELECT url FROM fetches WHERE article_id {_LISTED} UNION ALL SELECT url FROM articles WHERE id {_LISTED}"
_MATCHES = (
    f"(subject_id {_LISTED} AND watch_id IN (SELECT id FROM watches WHERE subject = 'articles'))"
    f" OR (subject_id {_REPLIES} AND watch_id IN (SELECT id FROM watches WHERE subject = 'comments'))"
)
_MEMBERS = f"SELECT story_id FROM story_articles WHERE article_id {_LISTED}"

_ARTICLES = Part(
    of="articles",
    pick=f"""
SELECT a.id AS a, 0 AS b, 1 + (SELECT count(*) FROM comments c WHERE c.article_id = a.id) / {COMMENTS_A_WEIGHT}.0
FROM articles a WHERE {_OLD} AND a.id NOT IN ({_WITH_DECISION}) AND a.id NOT IN ({_NEWEST}) {{only}}""",
    only=f"a.id IN (SELECT a FROM {PICKED})",
    first=(
        f"""
INSERT OR IGNORE INTO articles_to_group (article_id) SELECT article_id FROM story_articles
WHERE story_id IN ({_MEMBERS}) AND article_id NOT {_LISTED}""",
        f"DELETE FROM story_articles WHERE story_id IN ({_MEMBERS})",
        f"""
INSERT OR IGNORE INTO fetches (url, source_id, kind, outcome, reason, detail, final_url, found_on, bytes, etag,
  last_modified, cleaned_by, lastmod, links_found, links_left_out, failures, first_seen_at, fetched_at, run_id)
SELECT url, source_id, 'page', 'stored', '', '', '', '', 0, '', '', '', '', 0, 0, 0, first_seen_at, changed_at,
  first_run_id FROM articles WHERE id {_LISTED}""",
    ),
    steps=(
        Step("captures", f"url IN ({_URLS}) OR (page_url <> '' AND page_url IN ({_URLS}))"),
        Step(
            "addresses",
            f"url IN ({_URLS}) AND (article_id IS NULL OR article_id {_LISTED})",
            table="fetches",
            change=f"article_id = NULL, outcome = 'skipped', reason = '{PRUNED}', detail = '', etag = '',"
            " last_modified = ''",
            also=f"SELECT count(*) FROM articles a WHERE id {_LISTED}"
            " AND NOT EXISTS (SELECT 1 FROM fetches WHERE url = a.url)",
        ),
        Step("watch_matches", _MATCHES),
        Step("text_keys", f"article_id {_LISTED}"),
        Step("links", f"comment_id {_REPLIES}"),
        Step("comment_revisions", f"comment_id {_REPLIES}"),
        Step("standing", f"comment_id {_REPLIES}"),
        Step("comments", f"id {_REPLIES}"),
        Step("verdicts", f"comment_id {_REPLIES}"),
        Step("article_revisions", f"article_id {_LISTED}"),
        Step("field_evidence", f"article_id {_LISTED}"),
        Step("cuts", f"article_id {_LISTED}"),
        Step("articles", f"id {_LISTED}"),
    ),
)

_LEDGER = Part(
    of="ledger",
    pick=f"""
SELECT f.url AS a, 0 AS b, 1.0 / {ROWS_A_WEIGHT} FROM fetches f
WHERE f.article_id IS NULL AND f.fetched_at < :before AND {_OF_SOURCE.format("f")}
  AND NOT (f.outcome = 'skipped' AND f.reason = '{PRUNED}')
  AND f.url NOT IN (SELECT url FROM articles WHERE id IN (SELECT a FROM temp.gone)) {{only}}""",
    only=f"f.url IN (SELECT a FROM {PICKED})",
    steps=(
        Step("captures", f"url {_LISTED} OR (page_url <> '' AND page_url {_LISTED})"),
        Step("fetches", f"url {_LISTED}"),
    ),
)

_VERSIONS = f"""
SELECT r.{{of}}_id AS a, r.revision AS b, 1.0 / {ROWS_A_WEIGHT}
FROM {{of}}_revisions r CROSS JOIN {{table}} ON {{on}}
WHERE r.replaced_at < :before AND {_OF_SOURCE.format("a")} AND a.id NOT IN ({_WITH_DECISION}) AND {_NOT_GONE}
  AND NOT EXISTS (SELECT 1 FROM {{of}}_revisions e
    WHERE e.{{of}}_id = r.{{of}}_id AND e.revision < r.revision AND e.replaced_at >= :before) {{{{only}}}}"""
"""Earlier versions, without one between two that stay."""
_ARTICLE_VERSIONS = Part(
    of="versions of articles",
    pick=_VERSIONS.format(of="article", table="articles a", on="a.id = r.article_id"),
    only=f"(r.article_id, r.revision) IN (SELECT a, b FROM {PICKED})",
    steps=(Step("article_revisions", f"(article_id, revision) {_PAIR}"),),
)
_COMMENT_VERSIONS = Part(
    of="versions of comments",
    pick=_VERSIONS.format(
        of="comment",
        table="comments c",
        on="c.id = r.comment_id CROSS JOIN articles a ON a.id = c.article_id",
    ),
    only=f"(r.comment_id, r.revision) IN (SELECT a, b FROM {PICKED})",
    steps=(
        Step("links", f"(comment_id, revision) {_PAIR}"),
        Step("comment_revisions", f"(comment_id, revision) {_PAIR}"),
    ),
)

_EVIDENCE = Part(
    of="evidence",
    pick=f"""
SELECT a.id AS a, 0 AS b, 10.0 / {ROWS_A_WEIGHT} FROM articles a
WHERE {_OLD} AND a.id NOT IN ({_WITH_DECISION}) AND {_NOT_GONE}
  AND EXISTS (SELECT 1 FROM field_evidence e WHERE e.article_id = a.id) {{only}}""",
    only=f"a.id IN (SELECT a FROM {PICKED})",
    steps=(Step("field_evidence", f"article_id {_LISTED}"),),
)

_VISITS = f"""
WITH lasts AS (
  SELECT t.source_id, min(:before, strftime('%Y-%m-%dT%H:%M:%SZ', max(r.started_at), '-{MARGIN_DAYS} days')) AS until
  FROM run_sources t JOIN runs r ON r.id = t.run_id WHERE {_OF_SOURCE.format("t")} GROUP BY t.source_id)"""
"""By source: before when the numbers of its runs can go at all."""
_FIELDS_OF_RUNS = Part(
    of="fields of runs",
    pick=f"""{_VISITS}
SELECT run_id AS a, source_id AS b, sum(1.0) / {ROWS_A_WEIGHT} FROM (
  SELECT f.run_id, f.source_id, row_number() OVER (PARTITION BY f.source_id, f.field ORDER BY f.run_id DESC) AS place
  FROM lasts l CROSS JOIN run_fields f ON f.source_id = l.source_id CROSS JOIN runs r ON r.id = f.run_id
  WHERE r.started_at < l.until)
GROUP BY run_id, source_id HAVING min(place) > {history.COUNTS}""",
    steps=(Step("run_fields", f"(run_id, source_id) {_PAIR}"),),
)
_LOOKED_AT = f"""
SELECT run_id FROM (
  SELECT t.run_id, row_number() OVER (PARTITION BY t.source_id ORDER BY t.run_id DESC) AS place
  FROM run_sources t CROSS JOIN runs r ON r.id = t.run_id
  WHERE NOT t.resting AND r.kind = 'crawl' AND r.ended_at IS NOT NULL AND r.status <> 'interrupted')
WHERE place <= {history.RUNS}"""
"""The last visits of each source: what the others gave in the same runs tells whether it alone failed."""
_TALLIES_OF_RUNS = Part(
    of="numbers of runs",
    pick=f"""{_VISITS}
SELECT run_id AS a, source_id AS b, 1.0 / {ROWS_A_WEIGHT} FROM (
  SELECT t.run_id, t.source_id, t.redesigned, t.new,
    row_number() OVER (PARTITION BY t.source_id, t.resting, r.kind, r.status ORDER BY t.run_id DESC) AS place,
    dense_rank() OVER (PARTITION BY t.source_id, t.new > 0, r.kind ORDER BY substr(r.ended_at, 1, 13) DESC) AS hour
  FROM lasts l CROSS JOIN run_sources t ON t.source_id = l.source_id CROSS JOIN runs r ON r.id = t.run_id
  WHERE r.started_at < l.until)
WHERE place > {history.VISITS} AND (hour > {history.ARRIVALS} OR NOT new) AND NOT redesigned
  AND run_id NOT IN ({_LOOKED_AT})""",
    steps=(Step("run_sources", f"(run_id, source_id) {_PAIR}"),),
)

KINDS: Mapping[str, tuple[Part, ...]] = {
    "articles": (_ARTICLES,),
    "ledger": (_LEDGER,),
    "revisions": (_ARTICLE_VERSIONS, _COMMENT_VERSIONS),
    "evidence": (_EVIDENCE,),
    "runs": (_FIELDS_OF_RUNS, _TALLIES_OF_RUNS),
}
"""What can go, by name."""
