"""The demo site's articles as values: one TOML file an article, its readers' comments with it."""

from __future__ import annotations

import html
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any, Literal

FORBIDDEN = "/private/"
"""What robots.txt asks crawlers to leave alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One reader comment, or a pingback from another site."""

    id: int
    """Unique on its page; other pages may use the same number, as on real sites that were merged."""
    author: str
    posted: datetime
    html: str
    """What the comment engine prints: paragraphs, links and all."""
    url: str = ""
    """The address that the author left in the website field."""
    parent: int | None = None
    """Id of the comment it answers; always one that stands before it."""
    kind: Literal["comment", "pingback"] = "comment"
    staff: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article page of the demo site."""

    path: str
    headline: str
    section: str
    published: datetime
    body: str
    """HTML, as an editor would have left it."""
    summary: str = ""
    modified: datetime | None = None
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    language: str = "en"
    layout: Literal["article", "plain", "archive"] = "article"
    metadata: tuple[str, ...] = ("json-ld", "opengraph", "time")
    """Where the page states its author and date."""
    extras: tuple[str, ...] = ("share", "related")
    """Boxes around the text that are not the text."""
    picture: str = ""
    caption: str = ""
    """Printed under the picture; without one the picture is only on the cards."""
    comments: tuple[Comment, ...] = ()
    comments_open: bool = True
    threads_a_page: int = 0
    """Comments with their replies on one comment page, the oldest first; 0 for all of them on the article's page."""

    @property
    def comment_pages(self) -> int:
        """How many pages its comments fill."""
        threads = sum(comment.parent is None for comment in self.comments)
        return max(1, -(-threads // self.threads_a_page)) if self.threads_a_page else 1

    def on_comment_page(self, number: int) -> tuple[Comment, ...]:
        """The comments of one comment page, from 1: whole threads."""
        if not self.threads_a_page:
            return self.comments
        tops = [comment.id for comment in self.comments if comment.parent is None]
        shown = set(tops[(number - 1) * self.threads_a_page : number * self.threads_a_page])
        for comment in self.comments:
            if comment.parent in shown:
                shown.add(comment.id)
        return tuple(comment for comment in self.comments if comment.id in shown)

    @property
    def forbidden(self) -> bool:
        """True when robots.txt asks crawlers not to fetch it."""
        return self.path.startswith(FORBIDDEN)


def paragraphs(text: str) -> str:
    """Plain text as a comment engine prints it: `<p>` for each part between empty lines, `<br>` within."""
    parts = (html.escape(part.strip(), quote=False) for part in text.strip().split("\n\n"))
    return "\n".join(f"<p>{part}</p>" for part in parts).replace("\n", "<br>\n").replace("</p><br>\n<p>", "</p>\n<p>")


def load() -> tuple[Article, ...]:
    """Every bundled article, newest first."""
    folder = files("app.demo") / "articles"
    texts = (file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".toml"))
    return tuple(sorted(map(parse, texts), key=lambda a: a.published, reverse=True))


def parse(text: str) -> Article:
    """The article that one TOML file describes. Raises `ValueError` or `TypeError` for one that is not well formed."""
    table = tomllib.loads(text)
    comments = tuple(map(_comment, table.pop("comments", ())))
    _check_parents(comments)
    return Article(comments=comments, **{key: _frozen(value) for key, value in table.items()})


def _comment(table: Mapping[str, Any]) -> Comment:
    fields = dict(table)
    text = fields.pop("text", "")
    return Comment(**{"html": paragraphs(text), **fields})


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _check_parents(comments: tuple[Comment, ...]) -> None:
    seen: set[int] = set()
    for comment in comments:
        if comment.id in seen or (comment.parent is not None and comment.parent not in seen):
            raise ValueError(f"comment {comment.id}: ids are unique, and a parent stands before its replies")
        seen.add(comment.id)
