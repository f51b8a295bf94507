"""Items ↔ rows: how each value lies in the database, and how it is read back. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from crawler.items import Block, Fetch, FieldValue, Keyed, Link, Reason, Section, Verdict
from crawler.source import Source
from pipelines.compare import hrefs_json

Row = dict[str, Any]


class Cursor(Protocol):
    """What a database answers with, as far as rows go."""

    @property
    def description(self) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...


TALKS = """(a.id IS NOT NULL AND (a.comments_state = 'open'
  OR EXISTS (SELECT 1 FROM comments c WHERE c.article_id = a.id)))"""
"""In SQL: readers can comment on the article `a`, or did."""


def dicts(cursor: Cursor) -> Iterator[Row]:
    """The rows of a query, one at a time, by the names of their columns."""
    names = [column[0] for column in cursor.description]
    for values in cursor:
        yield dict(zip(names, values, strict=True))


def source_row(source: Source) -> Row:
    """A source as a row of `sources`."""
    return {
        "id": source.id,
        "name": source.name,
        "home": source.home,
        "country": source.country,
        "language": source.language,
        "kind": source.kind,
        "affiliation": source.affiliation,
        "enabled": int(source.enabled),
        "note": source.note,
        "breaks": json.dumps(source.breaks, ensure_ascii=False),
    }


def source_of(row: Row) -> Source:
    """A row of `sources` as a source: what the database knows of it, without its listings and rules."""
    return Source(**{**row, "enabled": bool(row["enabled"]), "breaks": tuple(json.loads(row["breaks"]))})


def told(fields: Mapping[str, FieldValue]) -> str:
    """What a reader of an article reads: headline, summary and body, as one text."""
    return "\n".join(str(fields.get(name) or "") for name in ("headline", "summary", "body"))


def comment_row(keyed: Keyed) -> Row:
    """A comment as a row of `comments`, without what the store adds: article, revision, run and times."""
    comment = keyed.comment
    return {
        "key": keyed.key,
        "site_id": comment.site_id,
        "parent_key": keyed.parent_key,
        "depth": comment.depth,
        "position": comment.position,
        "kind": comment.kind,
        "author": comment.author,
        "author_url": comment.author_url,
        "posted_at": comment.posted.iso or None if comment.posted else None,
        "posted_raw": comment.posted.raw if comment.posted else "",
        "text": comment.text,
        "hrefs": hrefs_json(comment.links),
        "edited": int(comment.edited),
        "deleted": int(comment.deleted),
        "by_staff": int(comment.by_staff),
        "cut": comment.cut,
        "fingerprint": keyed.fingerprint,
    }


def link_rows(links: tuple[Link, ...], comment_id: int, revision: int) -> Iterator[Row]:
    """The links of one version of a comment as rows of `links`."""
    for number, link in enumerate(links):
        yield {
            "comment_id": comment_id,
            "revision": revision,
            "number": number,
            "start": link.start,
            "stop": link.end,
            "text": link.text,
            "url": link.url,
            "host": link.host,
            "domain": link.domain,
            "place": link.place,
            "disguise": link.disguise,
        }


def verdict_row(verdict: Verdict, comment_id: int, revision: int) -> Row:
    """What the rules said as a row of `verdicts`, without its time and run."""
    return {
        "comment_id": comment_id,
        "revision": revision,
        "said": verdict.decision,
        "score": verdict.score,
        "reasons": reasons_json(verdict.reasons),
        "judge": verdict.by,
        "person": 0,
        "note": "",
    }


def reasons_json(reasons: tuple[Reason, ...]) -> str:
    """Reasons as the database has them."""
    listed = [{"name": r.name, "weight": r.weight, "start": r.start, "end": r.end, "note": r.note} for r in reasons]
    return json.dumps(listed, ensure_ascii=False, separators=(",", ":"))


def fetch_row(fetch: Fetch) -> Row:
    """A visit as a row of `fetches`, without what the store adds: article, run, times and failures in a row."""
    return {
        "url": fetch.url,
        "source_id": fetch.source_id,
        "kind": fetch.kind,
        "outcome": fetch.outcome,
        "reason": fetch.reason,
        "detail": fetch.detail,
        "status": fetch.status,
        "final_url": fetch.final_url,
        "found_on": fetch.found_on,
        "bytes": fetch.bytes,
        "etag": fetch.etag,
        "last_modified": fetch.last_modified,
        "cleaned_by": fetch.cleaned_by,
        "lastmod": fetch.lastmod,
        "links_found": fetch.links_found,
        "links_left_out": fetch.links_left_out,
    }


def sections_of(body: str, blocks: str) -> tuple[Section, ...]:
    """The body with its structure again, from the columns `body` and `blocks` of `articles`."""
    sections: list[Section] = []
    heading, level = "", 0
    inside: list[Block] = []
    for text, kind in zip(body.split("\n\n"), json.loads(blocks), strict=False):
        if kind[:1] == "h" and kind[1:].isdigit():
            sections.append(Section(heading=heading, level=level, blocks=tuple(inside)))
            heading, level, inside = text, int(kind[1:]), []
        else:
            inside.append(Block(kind=kind, text=text))
    sections.append(Section(heading=heading, level=level, blocks=tuple(inside)))
    return tuple(s for s in sections if s.heading or s.blocks)
