"""Listing bytes → links to articles: feeds, sitemaps and section pages. Pure.

A listing that is not what it should be (a feed that is an HTML page, a sitemap cut in the middle) is said in
`Listing.problem`; the links that were found are given all the same.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from lxml import etree
from lxml import html as lxml_html

from crawler import limits
from crawler.items import Found, Listing, Moment
from crawler.markup import within_limits
from crawler.moments import machine_time
from crawler.source import Source
from crawler.urls import absolute, host_of, normal

XML_DEPTH = 64
"""Elements in one another. Honest feeds and sitemaps stay below 20; feedparser hangs on very deep ones."""
FEED_ELEMENTS = 50_000
"""Honest feeds stay below 10,000; feedparser takes up to 80 µs for each and cannot be interrupted."""
SLUG_HYPHENS = 2
"""Words in an article's address are joined by hyphens: `north-korea-suffers-losses` has three."""
TITLE_WORDS = 4
"""A link to an article says its headline; a link to a section says one or two words."""

GZIP_PART = 64 * 1024
CUT = "cut in the middle"
COMMENT_LINK = re.compile(r"#(?:comment|respond|disqus|c)[-_]?\d+", re.IGNORECASE)
"""Where a feed of comments leads: under an article, to one of them."""
COMMENTS_TITLE = re.compile(r"\s*comments? (?:on|for)\b", re.IGNORECASE)
"""How WordPress, which has most of them, titles such a feed."""
"""The one problem with which a listing's links are still good."""

_ARTICLE_PATH = re.compile(
    r"/(?:19|20)\d\d/(?:\d\d?|[a-z]{3})/"  # dated path
    r"|/(?:article|story|news|post|press-release)s?/[^/]{8,}"
    r"|[/-]\d{5,}(?:\.html?|/|$)"  # a number at the end
    r"|\.(?:s?html?|php|aspx?)$",
    re.I,
)
_NO_ARTICLE = re.compile(
    r"/(?:tags?|category|categories|topics?|authors?|search|login|log-?in|signup|register|subscribe|newsletters?"
    r"|about(?:-us)?|contact(?:-us)?|privacy(?:-policy)?|terms|cookies?|imprint|impressum|advertise|jobs|careers"
    r"|sitemap|feed|rss|wp-login\.php|wp-admin|wp-json|cart|account|print|amp)(?:[/?.]|$)"
    r"|\.(?:jpe?g|png|gif|webp|svg|pdf|zip|mp[34]|docx?|xlsx?|css|js|xml|rss|atom|json|ico)(?:\?|$)",
    re.I,
)
_NEXT_PAGE = re.compile(r"(?:^|[/?&])(?:page[/=]|p=|paged=)\d{1,4}/?$", re.I)


def read_listing(kind: str, body: bytes, url: str, source: Source) -> Listing:
    """What one fetched listing offers. `kind` is what the source's file calls it: feed, sitemap or section."""
    body = _unpacked(body)
    if kind == "section":
        return _section(body, url, source)
    if _is_html(body):
        return Listing(kind="feed" if kind == "feed" else "sitemap", problem=f"an HTML page where a {kind} should be")
    return _feed(body, url, source) if kind == "feed" else _sitemap(body, url, source)


def wanted(url: str, source: Source) -> bool:
    """True when the source's own include and exclude patterns let this address be an article."""
    if any(re.search(p, url) for p in source.exclude):
        return False
    return not source.include or any(re.search(p, url) for p in source.include)


# ---- feeds


def _feed(body: bytes, url: str, source: Source) -> Listing:
    if body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return _json_feed(body, url, source)
    problem = _xml_problem(body, FEED_ELEMENTS)
    if problem and problem != CUT:
        return Listing(kind="feed", problem=problem)
    import feedparser  # on use: a crawl of sitemaps alone need not pay for it

    parsed = feedparser.parse(io.BytesIO(body), response_headers={"content-location": url}, sanitize_html=False)
    if not parsed.version and not parsed.entries:
        return Listing(kind="feed", problem="neither RSS nor Atom")
    if _is_of_comments(parsed):
        return Listing(kind="feed", problem="a feed of comments, not of articles")
    entries = (_entry(e, url) for e in parsed.entries)
    return replace(_capped("feed", entries, source), problem=problem)


def _is_of_comments(parsed: Any) -> bool:
    """True when most of a feed's entries lead to a comment under an article, or its title says so of the few it has."""
    entries = parsed.entries
    to_comments = sum(COMMENT_LINK.search(str(entry.get("link") or "")) is not None for entry in entries)
    titled = COMMENTS_TITLE.match(str(parsed.feed.get("title") or "")) is not None
    return bool(entries) and (2 * to_comments > len(entries) or (titled and to_comments > 0))


def _entry(entry: Any, listing: str) -> Found:
    return Found(
        url=absolute(str(entry.get("link") or ""), listing),
        listing=listing,
        title=_plain(str(entry.get("title") or "")),
        published=_first_moment(entry, "published", "created", "updated"),
        lastmod=_first_moment(entry, "updated"),
    )


def _first_moment(entry: Any, *keys: str) -> Moment | None:
    texts = (str(entry.get(key) or "") for key in keys if key in entry)  # else feedparser takes one for the other
    return next((m for m in map(machine_time, texts) if m), None)


def _json_feed(body: bytes, url: str, source: Source) -> Listing:
    try:
        feed = json.loads(body)
    except (ValueError, RecursionError):
        return Listing(kind="feed", problem="not a JSON feed")
    items = feed.get("items")
    if not isinstance(items, list):
        return Listing(kind="feed", problem="not a JSON feed: it has no list of items")
    found = (
        Found(
            url=absolute(_json_text(item, "url") or _json_text(item, "external_url"), url),
            listing=url,
            title=_plain(_json_text(item, "title")),
            published=machine_time(_json_text(item, "date_published")),
            lastmod=machine_time(_json_text(item, "date_modified")),
        )
        for item in items
        if isinstance(item, dict)
    )
    return _capped("feed", found, source)


def _json_text(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""


# ---- sitemaps


def _sitemap(body: bytes, url: str, source: Source) -> Listing:
    problem = _xml_problem(body)
    if problem and problem != CUT:
        return Listing(kind="sitemap", problem=problem)
    found: list[Found] = []
    more: list[str] = []
    root = ""
    for element in _elements(body):
        name = _local(element.tag)
        if name in ("urlset", "sitemapindex"):
            root = name
        elif name == "url":
            found.append(_sitemap_entry(element, url))
        elif name == "sitemap":
            more.append(absolute(_texts(element).get("loc", ""), url))
    if not root:
        return Listing(kind="sitemap", problem="no sitemap: neither <urlset> nor <sitemapindex>")
    if problem == CUT:
        del (found or more)[-1:]  # the parser closed it: its address may be half of one
    return replace(_capped("sitemap", found, source), more=tuple(m for m in dict.fromkeys(more) if m), problem=problem)


def _sitemap_entry(element: Any, listing: str) -> Found:
    """A `<url>`, with what a news sitemap adds: title and publication date."""
    texts = _texts(element)
    return Found(
        url=absolute(texts.get("loc", ""), listing),
        listing=listing,
        title=_plain(texts.get("title", "")),
        published=machine_time(texts.get("publication_date", "")),
        lastmod=machine_time(texts.get("lastmod", "")),
    )


def _texts(element: Any) -> dict[str, str]:
    """The first text under each local name, of the entry itself and of its `<news:news>`: the `<loc>` and `<title>`
    of a picture or a film are not the page's."""
    texts: dict[str, str] = {}
    news = [child for child in element if _local(child.tag) == "news"]
    for parent in (element, *news[:1]):
        for child in parent:
            texts.setdefault(_local(child.tag), (child.text or "").strip())
    return texts


def _elements(body: bytes) -> Iterator[Any]:
    """Each element as it ends, in a tree without entities; what precedes an error is kept."""
    events = etree.iterparse(
        io.BytesIO(body),
        events=("end",),
        resolve_entities=False,
        no_network=True,
        recover=True,
        huge_tree=False,
        remove_comments=True,
    )
    try:
        for _, element in events:
            yield element
    except etree.XMLSyntaxError:
        return


# ---- section pages


def _bounded(body: bytes) -> bytes:
    """The page within the limits on markup, in whatever encoding it is: each byte is a character meanwhile."""
    text = body.decode("latin-1")
    kept, cuts = within_limits(text)
    return kept.encode("latin-1") if cuts else body


def _section(body: bytes, url: str, source: Source) -> Listing:
    if not body.strip():
        return Listing(kind="section", problem="an empty page")
    if not _is_html(body) and b"<a" not in body:
        return Listing(kind="section", problem="not an HTML page")
    try:
        root = lxml_html.document_fromstring(_bounded(body), parser=lxml_html.HTMLParser(huge_tree=True))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return Listing(kind="section", problem="no readable page")
    base, page, hosts = _base(root, url), normal(url), source.all_hosts
    found, more = [], []
    for a in root.iter("a"):
        to = absolute(a.get("href") or "", base)
        if not to or host_of(to) not in hosts:
            continue
        title = _plain(a.text_content() or a.get("title") or "")
        if _leads_on(a) or _NEXT_PAGE.search(to):
            more.append(to)
        elif _looks_like_article(to, title, page, source):
            found.append(Found(url=to, listing=url, title=title))
    head = (absolute(link.get("href") or "", base) for link in root.iter("link") if _leads_on(link))
    more = [m for m in dict.fromkeys((*head, *more)) if m and normal(m) != page]
    return replace(_capped("section", found, source), more=tuple(more))


def _leads_on(element: Any) -> bool:
    return "next" in (element.get("rel") or "").lower().split()


def _base(root: Any, url: str) -> str:
    for base in root.iter("base"):
        return absolute(base.get("href") or "", url) or url
    return url


def _looks_like_article(to: str, title: str, page: str, source: Source) -> bool:
    """A section page links to everything. An article's address has the shape of one, or its link says a headline."""
    if source.include:
        return True
    path = re.sub(r"^https?://[^/?#]+", "", to)
    if path in ("", "/") or normal(to) == page or _NO_ARTICLE.search(path):
        return False
    slug = path.rstrip("/").rpartition("/")[2]
    words = len(title.split())
    shaped = bool(_ARTICLE_PATH.search(path)) or slug.count("-") >= SLUG_HYPHENS
    return shaped or words >= TITLE_WORDS


# ---- shared


def _capped(kind: Any, found: Iterable[Found], source: Source) -> Listing:
    """Each wanted link once, in order, up to the source's cap; the rest is counted."""
    once: dict[str, Found] = {}
    for f in found:
        key = normal(f.url)
        if key and key not in once and wanted(f.url, source):
            once[key] = f
    links = tuple(once.values())
    return Listing(kind=kind, links=links[: source.max_links], left_out=max(0, len(links) - source.max_links))


def _unpacked(body: bytes) -> bytes:
    """Sitemaps that are files in gzip, as far as they can be unpacked; what lies beyond `LISTING_BYTES` is not."""
    if body[:2] != b"\x1f\x8b":
        return body
    unpacked = bytearray()
    with contextlib.suppress(OSError, EOFError, zlib.error), gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
        while len(unpacked) < limits.LISTING_BYTES and (part := file.read1(GZIP_PART)):
            unpacked += part
    return bytes(unpacked[: limits.LISTING_BYTES])


def _is_html(body: bytes) -> bool:
    head = body[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith((b"<!doctype html", b"<html", b"<head", b"<body")) or (
        b"<html" in head and b"<rss" not in head and b"<feed" not in head and b"<urlset" not in head
    )


def _xml_problem(body: bytes, most: int = sys.maxsize) -> str:
    """Why this XML must not reach a tree builder: entities of its own, too deep, too crowded; `CUT`
    when it may but has no end, empty when all is well."""
    if not body.strip():
        return "empty"
    if re.search(rb"<!ENTITY", body[:65536], re.I):
        return "declares XML entities, which no feed needs"
    depth = count = 0
    events = etree.iterparse(
        io.BytesIO(body), events=("start", "end"), resolve_entities=False, no_network=True, recover=True
    )
    try:
        for event, element in events:
            depth += 1 if event == "start" else -1
            if depth > XML_DEPTH:
                return f"nested deeper than {XML_DEPTH} elements"
            count += event == "start"
            if count > most:
                return f"more than {most} elements"
            if len(element.attrib) > limits.ATTRIBUTES_A_TAG:
                return f"an element with more than {limits.ATTRIBUTES_A_TAG} attributes"
            if event == "end":
                element.clear()
    except etree.XMLSyntaxError as e:
        return "nested too deep" if "depth" in str(e).lower() else ""
    return CUT if any(e.type == etree.ErrorTypes.ERR_TAG_NOT_FINISHED for e in events.error_log) else ""


def _local(tag: object) -> str:
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _plain(text: str) -> str:
    """One line of text; markup in a feed's title is dropped."""
    if "<" in text:
        text = re.sub(r"<[^<>]{0,300}>", " ", text)
    return " ".join(text.split())[: limits.HEADLINE_CHARACTERS]
