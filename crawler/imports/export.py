"""What an export holds, whatever program wrote it: threads of comments, each thread under one article."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from crawler import limits
from crawler.items import Comment, CommentsState, Moment
from crawler.moments import machine_time
from crawler.text import tidy

Mark = Literal["", "spam", "held"]


class BrokenExport(Exception):
    """A file that cannot be read as the export it is. `line` is counted from 1; 0 where no line can be named."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {why}" if line else why)
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A comment, and what the site that wrote the export thinks of it."""

    comment: Comment
    mark: Mark = ""
    """`spam` where the site holds it for spam, `held` where nobody there has approved it yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """The comments under one article."""

    url: str
    """Absolute; where the article stands."""
    title: str = ""
    published: Moment | None = None
    state: CommentsState = "unknown"
    entries: tuple[Entry, ...] = ()
    """A parent before its replies; `parent`, `depth` and `position` refer to this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What one file holds."""

    kind: str
    """`WordPress`, `Disqus`, …: the program that wrote it."""
    threads: tuple[Thread, ...] = ()
    """Those that have comments, in the file's order."""
    unplaced: int = 0
    """Comments that name no article, or one without an address: there is nothing to hang them under."""
    mended: tuple[str, ...] = ()
    """Small damage that was read past, each with its line."""

    @property
    def count(self) -> int:
        """Comments in all threads."""
        return sum(len(thread.entries) for thread in self.threads)


def in_threads(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries with each reply behind what it replies to and below the depth limit, as it would stand on a page.

    A reply to a comment that is not there stands at the top with the id it names; so does each first of a circle.
    """
    listed = tuple(entries)
    replies: dict[str, list[int]] = {}
    ids = {e.comment.site_id for e in listed if e.comment.site_id}
    tops = []
    for index, entry in enumerate(listed):
        above = entry.comment.parent_site_id
        if above in ids and above != entry.comment.site_id:
            replies.setdefault(above, []).append(index)
        else:
            tops.append(index)
    kept: list[Entry] = []
    done: set[int] = set()
    for top in (*tops, *range(len(listed))):
        _branch(top, listed, replies, kept, done)
    return tuple(kept)


def _branch(
    top: int, listed: Sequence[Entry], replies: dict[str, list[int]], kept: list[Entry], done: set[int]
) -> None:
    stack: list[tuple[int, int | None]] = [(top, None)]
    while stack:
        index, parent = stack.pop()
        if index in done:
            continue
        done.add(index)
        entry = listed[index]
        if parent is not None and kept[parent].comment.depth > limits.REPLY_DEPTH:
            parent = kept[parent].comment.parent
        depth = 0 if parent is None else kept[parent].comment.depth + 1
        here = len(kept)
        kept.append(replace(entry, comment=replace(entry.comment, parent=parent, depth=depth, position=here)))
        own = replies.pop(entry.comment.site_id, []) if entry.comment.site_id else []
        stack.extend((reply, here) for reply in reversed(own))


def in_utc(text: str) -> Moment | None:
    """A time that its field promises to be UTC without saying so itself; None for none, or for all zeros."""
    text = tidy(text).strip()
    found = machine_time(text)
    if found is None or found.zoned or len(found.iso) <= len("2024-12-23"):
        return found
    return Moment(iso=f"{found.iso}Z", raw=text)


def stated(text: str) -> Moment | None:
    """A time as it stands; one that cannot be understood is kept raw."""
    text = tidy(text, limits.DATE_CHARACTERS).strip()
    return (machine_time(text) or Moment(iso="", raw=text)) if text else None
