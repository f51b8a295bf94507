"""From an article's page to its comments elsewhere: further pages, its comment feed, its site's interface. Pure.

`further` reads addresses off a page, `answer` reads what was fetched from one; `merging` makes one page of it all.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from crawler.cleaning import clean
from crawler.cleaning.page import parse
from crawler.imports import blogger
from crawler.imports.documents import listed, text
from crawler.imports.export import BrokenExport, in_utc, stated
from crawler.imports.markup import plain
from crawler.imports.xml import elements, texts
from crawler.items import Comment, CommentKind, Page, Rejected
from crawler.merging import Answer, Kind, Route
from crawler.source import Rules, Source
from crawler.text import HALF
from crawler.urls import absolute, normal, same_host
from crawler.xml import local


class _Place(NamedTuple):
    """A page of the same comments: its address, and its number where its name is that of a comment page."""

    url: str = ""
    number: str = ""


ADDRESSES = 10_000
"""Different addresses on a page that are looked at: 5,000 comments have one for their reply button each."""
API_ROWS = 100
"""Comments in one answer: the most that WordPress gives."""
NEAR_PAGES = (
    re.compile(
        rb"page(?:(?<=comment-page)-\d|(?:(?<=[?&;]page)|(?<=[?&;]cpage)|(?<=[?&;]commentpage))=\d"
        rb"|(?<=/page)[-/]?\d{1,4}/?[\"'#?])"
    ),
    re.compile(rb"=\d(?:(?<=[?&;]start=\d)|(?<=[?&;]offset=\d)|(?<=[?&;]st=\d))"),
)
"""In every page, in small letters, that links to further pages; one without is not parsed for them. Each begins with
what is rare and always the same, which takes a tenth of the time that one of all kinds takes."""
PAGE_LINK = re.compile(r"comment-page-\d|(?:cpage|commentPage|page|start|offset|st)=\d|page[-/]?\d", re.I)
NUMBERED = re.compile(r"/comment-page-(\d{1,4})/?$")
PARAMETERS = ("cpage", "commentPage")
PAGED = re.compile(r"/(?:page[-/]?\d{1,4})/?$")
PAGED_PARAMETERS = frozenset(("page", "start", "offset", "st"))
LABEL = 40
"""Characters, and pieces, of a link's words that are looked at."""
OF_COMMENTS = re.compile(r"comment|respon|discussion|kommentar", re.I)
NEXT_WORDS = re.compile(r"\b(?:next|older|newer|more|previous)\b|[›»→«‹←]", re.I)
POST_IN_API = re.compile(r"^(.*/wp/v2/)(?:posts|pages)/(\d{1,20})$")
POST_IN_CLASS = re.compile(r"\b(?:postid|page-id)-(\d{1,20})\b")
COMMENT_NUMBER = re.compile(r"comment-(\d{1,20})$")
FEED_TITLE = re.compile(r"^(?:[^:]{1,40}):\s*(.+)$", re.S)
"""WordPress titles an entry `By: NAME`, in the site's language."""
KINDS: dict[str, CommentKind] = {"pingback": "pingback", "trackback": "trackback"}
ITEMS = frozenset(("item",))


# ---- from a page to addresses


def further(body: bytes, url: str, page: Page, source: Source) -> tuple[Route, ...]:
    """The routes from this page that the source allows, each once, further pages first."""
    pages = source.comment_pages and bool(page.comments) and _leads_to_pages(body)
    if not pages and not source.comment_routes:
        return ()
    parsed = parse(body, url, Rules())
    if isinstance(parsed, Rejected):
        return ()
    root = parsed.root
    found: list[Route] = []
    if pages:
        found += _pages(root, url, page)
    if "feed" in source.comment_routes:
        found += _feeds(root, body, url)
    if "api" in source.comment_routes:
        found += _api(root, url)
    once = {normal(route.url): route for route in reversed(found) if same_host(route.url, url)}
    return tuple(reversed(once.values()))


def _leads_to_pages(body: bytes) -> bool:
    small = body.lower()
    return any(near.search(small) for near in NEAR_PAGES)


def _pages(root: Any, url: str, page: Page) -> list[Route]:
    shown = {comment.site_id for comment in page.comments if comment.site_id}
    places: dict[str, _Place] = {}
    own = _own(url)
    numbered: dict[str, str] = {}
    beside: list[str] = []
    for link in root.iter("a"):
        address, _, fragment = (link.get("href") or "").partition("#")
        if address not in places:
            if not PAGE_LINK.search(address) or len(places) >= ADDRESSES:
                continue
            places[address] = _place(address, url)
        place = places[address]
        if place.number:
            if fragment == "respond" or _number(fragment) in shown:
                own = own or place.number
            own = own or _beside(link, place.number)
            numbered.setdefault(place.number, place.url)
        elif place.url and place.url not in beside and _leads_on(link, page):
            beside.append(place.url)
    numbered.pop(own, None)
    routes = [Route(kind="page", url=to, here=_renumbered(to, own)) for to in numbered.values()]
    return [route for route in (*routes, *(Route(kind="page", url=to) for to in beside)) if route.url != url]


def _place(href: str, url: str) -> _Place:
    """Where a link on the page at `url` leads, if it is another page of the same."""
    to = absolute(href, url)
    number = _own(to)
    if number:
        return _Place(to, number) if _unpaged(to) == _unpaged(url) else _Place()
    same = bool(to) and _unpaged(to, PAGED_PARAMETERS, PAGED) == _unpaged(url, PAGED_PARAMETERS, PAGED)
    return _Place(to) if same else _Place()


def _renumbered(url: str, number: str) -> str:
    """The address of another comment page; empty without a number."""
    return re.sub(r"(comment-page-|cpage=|commentPage=)\d{1,4}", rf"\g<1>{number}", url) if number else ""


def _beside(link: Any, number: str) -> str:
    """The number of the page that calls this one its next or previous; empty where it does not.

    An article's own address shows its first comments or its last, as the site has chosen.
    """
    above = link.getparent()
    names = " ".join(el.get(key) or "" for el in (link, above) if el is not None for key in ("class", "rel")).lower()
    step = -1 if "next" in names else 1 if "prev" in names else 0
    return str(int(number) + step) if step else ""


def _label(link: Any) -> str:
    """The beginning of the words of a link."""
    return " ".join(islice((text[:LABEL] for text in link.itertext()), LABEL))[:LABEL]


def _leads_on(link: Any, page: Page) -> bool:
    """True for a link to the next page of a forum's thread, or of what calls itself comments."""
    if "next" not in (link.get("rel") or "").lower().split() and not NEXT_WORDS.search(_label(link)):
        return False
    return page.article.kind == "forum thread" or any(
        OF_COMMENTS.search(f"{above.get('class') or ''} {above.get('id') or ''}")
        for above in link.iterancestors()
        if above.tag not in ("body", "html")
    )


def _own(url: str) -> str:
    """The number of the comment page that an address names; empty for none."""
    parts = urlsplit(url)
    if found := NUMBERED.search(parts.path):
        return found[1]
    return next((value for name, value in parse_qsl(parts.query) if name in PARAMETERS and value.isdigit()), "")


@lru_cache(maxsize=64)  # the page's own address, once for each of its links
def _unpaged(
    url: str, parameters: Iterable[str] = (*PARAMETERS, "replytocom"), path: re.Pattern[str] = NUMBERED
) -> str:
    """The address without what names a page of it."""
    parts = urlsplit(url)
    query = urlencode([(name, value) for name, value in parse_qsl(parts.query) if name not in parameters])
    return normal(urlunsplit((parts.scheme, parts.netloc, path.sub("", parts.path).rstrip("/"), query, "")))


def _feeds(root: Any, body: bytes, url: str) -> list[Route]:
    """The feed of this article's comments, where the page names it or WordPress would have it."""
    base = urlsplit(_unpaged(url)).path.rstrip("/")
    for link in root.iter("link"):
        to = absolute(link.get("href") or "", url)
        if not to or "alternate" not in (link.get("rel") or "").lower():
            continue
        path = urlsplit(to).path
        if re.search(r"/feeds/\d+/comments/default$", path):
            return [Route(kind="atom", url=f"{to.partition('?')[0]}?max-results=500")]
        if base and path.startswith(f"{base}/") and path.rstrip("/").endswith("/feed"):
            return [Route(kind="feed", url=to)]
    if base and b"wp-content" in body and not urlsplit(url).query:
        return [Route(kind="feed", url=absolute(f"{base}/feed/", url))]
    return []


def _api(root: Any, url: str) -> list[Route]:
    start = number = ""
    for link in root.iter("link"):
        to, rel = absolute(link.get("href") or "", url), (link.get("rel") or "").lower()
        if found := POST_IN_API.match(to):
            start, number = found[1], found[2]
            break
        if rel == "https://api.w.org/":
            start = f"{to.rstrip('/')}/wp/v2/"
    body = next(root.iter("body"), None)
    if not number and body is not None and (named := POST_IN_CLASS.search(body.get("class") or "")):
        number = named[1]
    return [Route(kind="api", url=_api_url(start, number, 1))] if start and number else []


def _api_url(start: str, post: str, page: int) -> str:
    return f"{start}comments?post={post}&per_page={API_ROWS}&order=asc&page={page}"


def _number(fragment: str) -> str:
    found = COMMENT_NUMBER.search(fragment[-40:])
    return found[1] if found else "-"


# ---- from an answer to comments


def answer(kind: Kind, body: bytes, url: str, source: Source) -> Answer:
    """The comments that were fetched from a route, and where the next ones are. Never raises."""
    if kind == "page":
        return _page(body, url, source)
    try:
        if kind == "api":
            return _api_answer(body, url)
        return Answer(comments=tuple(_feed_comments(body, url) if kind == "feed" else _atom_comments(body)))
    except BrokenExport as e:
        return Answer(problem=str(e))
    except UnicodeDecodeError:
        return Answer(problem=HALF)


def _page(body: bytes, url: str, source: Source) -> Answer:
    page = clean(body, url, source)
    if not isinstance(page, Page):
        return Answer(problem=page.reason)
    return Answer(comments=page.comments, more=further(body, url, page, replace(source, comment_routes=())))


def _api_answer(body: bytes, url: str) -> Answer:
    try:
        rows = json.loads(body)
    except (ValueError, RecursionError):
        return Answer(problem="not JSON")
    if not isinstance(rows, list):
        return Answer(problem=text(rows, "message") or "not a list of comments")
    more: tuple[Route, ...] = ()
    if len(rows) >= API_ROWS:
        stated_in = dict(parse_qsl(urlsplit(url).query))
        page = int(stated_in.get("page", "1")) if stated_in.get("page", "1").isdigit() else 1
        more = (Route(kind="api", url=_api_url(url.partition("comments?")[0], stated_in.get("post", ""), page + 1)),)
    return Answer(comments=tuple(_api_comment(row, url) for row in listed(rows)), more=more)


def _api_comment(row: dict[str, Any], url: str) -> Comment:
    said, links, cut = plain(text(row.get("content"), "rendered"), url)
    parent = text(row, "parent")
    return Comment(
        text=said,
        author=plain(text(row, "author_name"))[0],
        author_url=text(row, "author_url"),
        posted=in_utc(text(row, "date_gmt")) or stated(text(row, "date")),
        links=links,
        site_id=text(row, "id"),
        parent_site_id="" if parent == "0" else parent,
        kind=KINDS.get(text(row, "type"), "comment"),
        cut=cut,
    )


def _feed_comments(body: bytes, url: str) -> Iterable[Comment]:
    for item in elements(io.BytesIO(body), ITEMS, []):
        said = texts(item)
        encoded = next((c.text or "" for c in item if local(c) == "encoded"), "") or said.get("description", "")
        words, links, cut = plain(encoded, url)
        titled = FEED_TITLE.match(said.get("title", ""))
        yield Comment(
            text=words,
            author=said.get("creator", "") or (titled[1] if titled else ""),
            posted=stated(said.get("pubdate", "")),
            links=links,
            site_id=_number(said.get("guid", "")).strip("-") or _number(said.get("link", "")).strip("-"),
            cut=cut,
        )


def _atom_comments(body: bytes) -> Iterable[Comment]:
    for thread in blogger.threads(io.BytesIO(body), []):
        yield from (entry.comment for entry in thread.entries)
