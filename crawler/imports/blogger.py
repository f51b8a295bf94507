"""Blogger's Atom: the blog's backup, posts and comments in one feed, and the feed of one post's comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from crawler.imports.export import Entry, Mark, Thread, in_threads, stated
from crawler.imports.markup import plain
from crawler.imports.xml import elements, texts
from crawler.items import Comment
from crawler.urls import absolute
from crawler.xml import local

ENTRIES = frozenset(("entry",))
NUMBER = re.compile(r"(\d{1,25})\D*$")
KIND = re.compile(r"kind#(\w+)$")
MARKS: dict[str, Mark] = {"SPAM": "spam", "SPAM_COMMENT": "spam", "PENDING": "held"}


@dataclass(slots=True)
class _Blog:
    posts: dict[str, Thread] = field(default_factory=dict)
    comments: dict[str, list[Entry]] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    """Addresses that comments name for a post that is not in the file."""


def threads(stream: BinaryIO, mended: list[str]) -> Iterator[Thread]:
    """One thread a post. Raises `BrokenExport`."""
    blog = _Blog()
    for element in elements(stream, ENTRIES, mended):
        said = texts(element)
        number = _number(said.get("id", ""))
        if _kind(element, said) == "comment":
            post, page = _post_of(element, said)
            blog.comments.setdefault(post, []).append(_entry(element, said))
            blog.pages.setdefault(post, page)
        else:
            url = _link(element, "alternate")
            blog.posts[number] = Thread(
                url=url, title=said.get("title", ""), published=stated(said.get("published", ""))
            )
    for number, entries in blog.comments.items():
        thread = blog.posts.get(number) or Thread(url=blog.pages[number])
        yield replace(thread, url=thread.url or blog.pages[number], entries=in_threads(entries))


def _entry(element: Any, said: dict[str, str]) -> Entry:
    author = next((texts(child) for child in element if local(child) == "author"), {})
    text, links, cut = plain(said.get("content") or said.get("summary", ""))
    parent = said.get("inreplyto") or _link(element, "related")
    comment = Comment(
        text=text,
        author=author.get("name", ""),
        author_url=author.get("uri", ""),
        posted=stated(said.get("published") or said.get("created", "")),
        links=links,
        site_id=_number(said.get("id", "")),
        parent_site_id=_number(parent),
        deleted=_removed(element),
        cut=cut,
    )
    return Entry(comment=comment, mark=MARKS.get(said.get("status", ""), ""))


def _kind(element: Any, said: dict[str, str]) -> str:
    """`comment` or `post`; the feed of one post's comments names the post that each replies to."""
    for child in element:
        if local(child) == "category" and (found := KIND.search(child.get("term") or "")):
            return found[1]
    if said.get("type"):
        return said["type"].lower()
    return "comment" if any(local(child) == "in-reply-to" for child in element) else "post"


def _post_of(element: Any, said: dict[str, str]) -> tuple[str, str]:
    """Number and address of the post that a comment stands under."""
    for child in element:
        if local(child) == "in-reply-to":
            return _number(child.get("ref") or ""), absolute(child.get("href") or "", "")
    return _number(said.get("parent", "")), ""


def _link(element: Any, rel: str) -> str:
    links = (child for child in element if local(child) == "link" and child.get("rel") == rel)
    return next((absolute(link.get("href") or "", "") for link in links), "")


def _removed(element: Any) -> bool:
    """Blogger leaves an entry where a comment was, and says so in a property."""
    return any(
        (child.get("name") or "").endswith("contentRemoved") for child in element if local(child) == "extendedproperty"
    )


def _number(text: str) -> str:
    found = NUMBER.search(text[-60:])
    return found[1] if found else ""
