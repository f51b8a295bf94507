"""Page + Known → Delta: what is new, edited, gone. Pure.

Compared per record, not per page: an unchanged article can carry a new spam comment.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

from crawler.items import Article, Comment, Delta, FieldValue, Href, Keyed, Known, Moment, Page
from pipelines.differences import words

REVISED = ("headline", "summary", "body", "authors", "published_at")
"""A change of one of these is an edit and keeps the earlier version; other fields just follow the site."""
TEXTS = ("headline", "summary", "body")
"""Of those, what is compared word by word: one other word, one other number is an edit. Other quotation marks, dashes,
blanks and line breaks are none; that is what a new template or another editor's keyboard changes."""


def compare(page: Page, known: Known) -> Delta:
    """What this visit changes. `compare(page, known)` is empty for a page that is stored as it is."""
    fields = article_fields(page.article)
    keyed = keyed_comments(page.comments)
    stored = known.comments
    there = [(k, stored[k.key]) for k in keyed if k.key in stored]
    changed = tuple(name for name, value in fields.items() if known.fields.get(name, _ABSENT) != value)
    edited = tuple(k for k, s in there if s.fingerprint != k.fingerprint)
    return Delta(
        page=page,
        known=known,
        fields=fields,
        changed=changed,
        revised=()
        if known.article_id is None
        else tuple(n for n in changed if _edited(n, known.fields.get(n), fields[n])),
        new=tuple(k for k in keyed if k.key not in stored),
        edited=edited,
        returned=tuple(k for k, s in there if s.gone and s.fingerprint == k.fingerprint),
        unjudged=tuple(k for k, s in there if not s.judged_by and s.fingerprint == k.fingerprint),
        gone=_gone(page, known, {k.key for k in keyed}),
    )


def unheard(delta: Delta) -> Delta:
    """The delta of a page that has no say in the article that it names: nothing."""
    return Delta(page=delta.page, known=delta.known, fields=delta.fields)


def article_fields(article: Article) -> dict[str, FieldValue]:
    """The article as columns of the table `articles`, by name."""
    texts, kinds = _blocks(article)
    return {
        "headline": article.headline,
        "summary": article.summary,
        "body": "\n\n".join(texts),
        "blocks": json.dumps(kinds, separators=(",", ":")),
        "authors": _json(article.authors),
        "published_at": _iso(article.published),
        "published_raw": article.published.raw if article.published else "",
        "modified_at": _iso(article.modified),
        "modified_raw": article.modified.raw if article.modified else "",
        "canonical_url": article.canonical_url,
        "site_name": article.site_name,
        "section": article.section,
        "tags": _json(article.tags),
        "language": article.language,
        "image_url": article.image_url,
        "image_caption": article.image_caption,
        "kind": article.kind,
        "paywalled": None if article.paywalled is None else int(article.paywalled),
        "comments_state": article.comments_state,
        "links": hrefs_json(article.links),
    }


def keyed_comments(comments: Sequence[Comment]) -> tuple[Keyed, ...]:
    """Each comment with its key: from the site's id, or without one a fingerprint of author, time and text.

    Never from its position, which shifts. A key that a page uses twice gets a number.
    """
    keys = _unique(f"id:{c.site_id}" if c.site_id else f"fp:{_key_print(c)}" for c in comments)
    return tuple(
        Keyed(key=key, parent_key=_parent_key(comment, keys), fingerprint=fingerprint(comment), comment=comment)
        for key, comment in zip(keys, comments, strict=True)
    )


def fingerprint(comment: Comment) -> str:
    """Of what a reader sees: another fingerprint is another version of the comment."""
    hrefs = [part for href in comment.links for part in (href.url, href.text)]
    return _hash((comment.author, comment.author_url, comment.text, *hrefs))


def hrefs_json(links: Sequence[Href]) -> str:
    """Hyperlinks as the database has them."""
    return _json([{"url": link.url, "text": link.text} for link in links])


def _edited(name: str, was: FieldValue, now: FieldValue) -> bool:
    """Whether a field that differs makes another version of the article."""
    if name in TEXTS:
        return words(str(was)) != words(str(now))
    return name in REVISED


def _unique(keys: Iterable[str]) -> list[str]:
    """Each key, the second of a kind as `key#2`; also where a site's own id looks like that."""
    times: dict[str, int] = {}
    taken: dict[str, None] = {}
    for key in keys:
        unique = key
        while unique in taken:
            times[key] = times.get(key, 1) + 1
            unique = f"{key}#{times[key]}"
        taken[unique] = None
    return list(taken)


def _key_print(comment: Comment) -> str:
    """The time counts only when it is a date: "3 hours ago" is another text at the next visit."""
    return _hash((comment.author, comment.posted.iso if comment.posted else "", comment.text))


def _parent_key(comment: Comment, keys: list[str]) -> str | None:
    if comment.parent is not None:
        return keys[comment.parent]
    return f"id:{comment.parent_site_id}" if comment.parent_site_id else None


def _gone(page: Page, known: Known, present: set[str]) -> tuple[str, ...]:
    """Comments that are no longer there, where the page shows that it would have them.

    A page without any comment proves nothing when its comments come by script or its state is unknown; a page whose
    comments were cut, or whose further comment pages were not all read, proves nothing about the rest.
    """
    if any(cut.unit in ("comments", "comment pages") for cut in page.cuts):
        return ()
    if not present and page.article.comments_state in ("script", "unknown"):
        return ()
    return tuple(key for key, stored in known.comments.items() if key not in present and not stored.gone)


def _blocks(article: Article) -> tuple[list[str], list[str]]:
    texts, kinds = [], []
    for section in article.sections:
        if section.heading:
            texts.append(section.heading)
            kinds.append(f"h{min(max(section.level, 1), 6)}")
        for block in section.blocks:
            texts.append(block.text)
            kinds.append(block.kind)
    return texts, kinds


def _iso(moment: Moment | None) -> str | None:
    return moment.iso or None if moment else None


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _hash(parts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode("utf-8", "surrogatepass"))
        digest.update(b"\0")
    return digest.hexdigest()[:32]


_ABSENT = object()
