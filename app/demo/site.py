"""The demo news site: a path in, a response out. It can be changed between two requests, as real sites change."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

from app.demo import render
from app.demo.content import FORBIDDEN, Article, Comment, load, paragraphs

A_PAGE = 3
"""Articles on one page of a section: few, so that a small site has second pages."""
IN_FEED = 10
IN_SITEMAP = 12
"""Fewer than there are, so that the oldest are found through the sections' later pages alone."""
ARCHIVE_YEAR = 2025
"""Articles older than this stand in the front page's archive box."""
HTML = "text/html; charset=utf-8"
XML = "application/xml; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What the site answers."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Site:
    """The site's state: its articles, what was done to them, and where it is served."""

    def __init__(self, articles: Iterable[Article] | None = None, *, origin: str = "http://127.0.0.1") -> None:
        self.origin = origin
        """Scheme, host and port without a closing slash: the start of every absolute link."""
        self._articles = {a.path: a for a in (load() if articles is None else articles)}
        self._touched: dict[str, datetime] = {}
        self._instead: dict[str, Response] = {}

    @property
    def articles(self) -> tuple[Article, ...]:
        """Every article as it stands now, newest first."""
        return tuple(sorted(self._articles.values(), key=lambda a: a.published, reverse=True))

    # ---- answering

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Response:
        """The answer to a GET. `headers` are the request's, names in lower case."""
        path = unquote(re.split(r"[?#]", path, maxsplit=1)[0])
        if path in self._instead:
            return self._instead[path]
        if path in self._articles:
            return self._article(self._articles[path], headers or {})
        if match := re.fullmatch(r"(.+/)comment-page-(\d{1,4})/", path):
            return self._comment_page(match[1], int(match[2])) or self._missing()
        for pattern, answer in ROUTES:
            if match := re.fullmatch(pattern, path):
                return answer(self, *match.groups()) or self._missing()
        if f"{path}/" in self._articles:
            return Response(status=301, headers={"Location": f"{self.origin}{path}/"})
        return self._missing()

    # ---- changing

    def add_article(self, article: Article) -> None:
        """Publish one more article, or another under a known path."""
        self._articles[article.path] = article

    def edit_article(self, path: str, **changes: Any) -> None:
        """Change fields of an article (`headline`, `body`, …). Raises `KeyError` for an unknown path."""
        self._put(replace(self._articles[path], **changes))
        if "modified" not in changes:
            self._articles[path] = replace(self._articles[path], modified=self._touched[path])

    def add_comment(self, path: str, text: str = "", **fields: Any) -> int:
        """Add a comment and return its id. `fields` are those of `Comment`; `html` stands in place of `text`."""
        article = self._articles[path]
        new = {
            "id": max((c.id for c in article.comments), default=0) + 1,
            "author": "Late Reader",
            "posted": self._last_modified(article) + timedelta(minutes=1),
            "html": paragraphs(text),
        }
        comment = Comment(**{**new, **fields})
        self._put(replace(article, comments=(*article.comments, comment)))
        return comment.id

    def edit_comment(self, path: str, id: int, text: str | None = None, **changes: Any) -> None:
        """Change a comment. Raises `KeyError` for an unknown path or id."""
        article = self._articles[path]
        if id not in {c.id for c in article.comments}:
            raise KeyError(id)
        if text is not None:
            changes["html"] = paragraphs(text)
        edited = (replace(c, **changes) if c.id == id else c for c in article.comments)
        self._put(replace(article, comments=tuple(edited)))

    def remove_comment(self, path: str, id: int) -> None:
        """Take a comment off its page, and the replies under it."""
        gone = {id}
        kept = []
        for comment in self._articles[path].comments:
            if comment.id in gone or comment.parent in gone:
                gone.add(comment.id)
            else:
                kept.append(comment)
        self._put(replace(self._articles[path], comments=tuple(kept)))

    def remove(self, path: str, status: int = 410) -> None:
        """Answer 410 (or 404) under this path from now on; listings still name it."""
        self.fail(path, status)

    def fail(self, path: str, status: int = 503, **headers: str) -> None:
        """Answer with this status from now on. `Retry_After="60"` becomes the header `Retry-After`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        page = _answer(render.fixed_page("missing" if status in (404, 410) else "broken"))
        self.answer(path, replace(page, status=status, headers={**page.headers, **named}))

    def answer(self, path: str, response: Response) -> None:
        """Answer exactly this from now on, whether the path is known or not: a bot wall, a redirect, any bytes."""
        self._instead[path] = response

    def heal(self, path: str) -> None:
        """Undo `remove`, `fail` or `answer`."""
        self._instead.pop(path, None)

    # ---- the pages

    def _article(self, article: Article, headers: Mapping[str, str], comment_page: int = 1) -> Response:
        others = [a for a in self.articles if a.section == article.section and a is not article and not a.forbidden]
        body = _encode(render.article_page(article, others, self.origin, comment_page))
        changed = self._last_modified(article)
        etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        receipt = {"ETag": etag, "Last-Modified": render.http_date(changed), "Cache-Control": "max-age=0"}
        if _unchanged(headers, etag, changed):
            return Response(status=304, headers=receipt)
        return Response(body=body, headers={"Content-Type": HTML, **receipt})

    def _comment_page(self, path: str, number: int) -> Response | None:
        article = self._articles.get(path)
        if article is None or not article.threads_a_page or not 1 <= number <= article.comment_pages:
            return None
        return self._article(article, {}, number)

    def _front(self) -> Response:
        recent = [a for a in self._public() if a.published.year >= ARCHIVE_YEAR]
        archive = [a for a in self._public() if a.published.year < ARCHIVE_YEAR]
        return _answer(render.front_page(recent, archive))

    def _section(self, slug: str, number: str | None) -> Response | None:
        name = render.SECTIONS.get(slug)
        articles = [a for a in self.articles if a.section == slug]
        return self._list(name, articles, f"/section/{slug}/", int(number or 1)) if name else None

    def _tag(self, slug: str, number: str | None) -> Response | None:
        articles = [a for a in self._public() if slug in a.tags]
        return self._list(slug.replace("-", " "), articles, f"/tag/{slug}/", int(number or 1))

    def _list(self, name: str, articles: list[Article], path: str, number: int) -> Response | None:
        last = -(-len(articles) // A_PAGE)
        if not 1 <= number <= last:
            return None
        shown = articles[(number - 1) * A_PAGE : number * A_PAGE]
        return _answer(render.list_page(name, shown, path=path, number=number, last=last))

    def _feed(self) -> Response:
        return _answer(render.feed(self._public()[:IN_FEED], self.origin), "application/rss+xml; charset=utf-8")

    def _sitemap(self) -> Response:
        return _answer(render.sitemap(self._public()[:IN_SITEMAP], self.origin), XML)

    def _robots(self) -> Response:
        return _answer(render.fill("robots.txt", origin=self.origin, forbidden=FORBIDDEN) + "\n", "text/plain")

    def _fixed(self, name: str) -> Response:
        return _answer(render.fixed_page(name))

    def _style(self) -> Response:
        return _answer((files("app.demo") / "style.css").read_text("utf-8"), "text/css; charset=utf-8")

    def _image(self, name: str, seed: str) -> Response | None:
        drawing = render.picture(name, int(seed))
        return _answer(drawing, "image/svg+xml") if drawing else None

    def _missing(self) -> Response:
        return replace(_answer(render.fixed_page("missing")), status=404)

    # ---- the state

    def _public(self) -> list[Article]:
        return [a for a in self.articles if not a.forbidden]

    def _put(self, article: Article) -> None:
        """Keep the new state. Each change moves `Last-Modified` on, so that a client never misses one."""
        self._touched[article.path] = self._last_modified(self._articles[article.path]) + timedelta(minutes=1)
        self._articles[article.path] = article

    def _last_modified(self, article: Article) -> datetime:
        moments = (article.published, article.modified, self._touched.get(article.path))
        return max(filter(None, (*moments, *(c.posted for c in article.comments))))


ROUTES = (
    (r"/", Site._front),
    (r"/section/([a-z-]+)/(?:page/(\d{1,3})/)?", Site._section),
    (r"/tag/([a-z-]+)/(?:page/(\d{1,3})/)?", Site._tag),
    (r"/feed/", Site._feed),
    (r"/news-sitemap\.xml", Site._sitemap),
    (r"/robots\.txt", Site._robots),
    (r"/(about|contact)/", Site._fixed),
    (r"/style\.css", Site._style),
    (r"/images/([a-z]+)-(\d{1,3})\.svg", Site._image),
)
"""Every path that is no article's, and what answers it; None from it means that there is no such page."""


def _answer(text: str, kind: str = HTML) -> Response:
    return Response(body=_encode(text), headers={"Content-Type": kind})


def _encode(text: str) -> bytes:
    """UTF-8. A lone surrogate that a test put into a comment goes out as the broken bytes it would be."""
    return text.encode(errors="surrogatepass")


def _unchanged(headers: Mapping[str, str], etag: str, changed: datetime) -> bool:
    """RFC 9110, 13.2.2: If-None-Match decides alone where it is given; else If-Modified-Since."""
    if "if-none-match" in headers:
        offered = [tag.strip().removeprefix("W/") for tag in headers["if-none-match"].split(",")]
        return etag in offered or "*" in offered
    try:
        since = parsedate_to_datetime(headers["if-modified-since"])
        return changed.replace(microsecond=0) <= since
    except (KeyError, ValueError, TypeError):
        return False
