"""watchfloor behind the plug of each scoring script: plain values in, plain values out."""

from __future__ import annotations

from typing import Any

from crawler.cleaning import clean
from crawler.items import Comment, Page


def article(html: bytes, url: str) -> dict[str, Any]:
    """`title`, `body`, `authors` and `published` (ISO text) of a page; empty for a page rejected."""
    page = clean(html, url)
    if not isinstance(page, Page):
        return {"title": None, "body": "", "authors": [], "published": None}
    found = page.article
    published = found.published.iso if found.published else None
    return {
        "title": found.headline,
        "body": found.running_text,
        "authors": list(found.authors),
        "published": published,
    }


def comments(html: bytes, url: str) -> list[dict[str, Any]]:
    """The page's comments; `parent` is an index into the list."""
    page = clean(html, url)
    return [_comment(c) for c in page.comments] if isinstance(page, Page) else []


def _comment(comment: Comment) -> dict[str, Any]:
    return {
        "author": comment.author,
        "text": comment.text,
        "posted": comment.posted.iso if comment.posted else None,
        "parent": comment.parent,
        "links": [link.url for link in comment.links],
        "author_url": comment.author_url,
        "kind": comment.kind,
    }


def links(text: str) -> list[dict[str, Any]]:
    """The links in a text, with their offsets in it."""
    from moderation.links import find_links

    return [{"start": f.start, "end": f.end, "text": f.text, "url": f.url} for f in find_links(text)]
