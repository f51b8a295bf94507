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
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from lxml import etree
from lxml import html as lxml_html

from crawler import limits
from crawler.items import Found, Listing, Moment
from crawler.markup import within_limits
from crawler.moments import machine_time
from crawler.source import Source
from crawler.text import HALF, NOT_XML, SURROGATE, words
from crawler.urls import absolute, host_of, normal
from crawler.xml import CUT, MORE, Xml, local

FEED_ITEMS = 1_000
"""Of one feed. Those of news sites have 10 to 100; feedparser takes 0.3 ms for each."""
FEED_ELEMENTS = 12 * FEED_ITEMS
"""Of what is read of a feed: an entry has four to six."""
CROWDED = "crowded with titles, links or dates as no feed is"
LOOSE_BYTES = 256 * 1024
"""Of a broken feed, up to which feedparser may mend it itself, which it does better; it takes 4 s for each MB."""
FIELD_CHARACTERS = 4 * limits.URL_CHARACTERS
"""Of one field of a feed's entry."""
LOOKED_AT = 20_000
"""Addresses of one sitemap that are looked at, which takes 0.1 ms for each; the others are counted."""
FURTHER = 1_000
"""Listings that one listing may lead to: a run visits some tens."""
SECTION_LINKS = 5_000
"""Links of one section page that are looked at; front pages have 500."""
SLUG_HYPHENS = 2
"""Words in an article's address are joined by hyphens: `north-korea-suffers-losses` has three."""
TITLE_WORDS = 4
"""A link to an article says its headline; a link to a section says one or two words."""

GZIP_PART = 64 * 1024
COMMENT_LINK = re.compile(r"#(?:comment|respond|disqus|c)[-_]?\d+", re.IGNORECASE)
"""Where a feed of comments leads: under an article, to one of them."""
COMMENTS_TITLE = re.compile(r"\s*comments? (?:on|for)\b", re.IGNORECASE)
"""How WordPress, which has most of them, titles such a feed."""
ENTRIES = frozenset(words("item entry"))
CONTAINERS = ENTRIES | frozenset(words("rss rdf channel feed"))
FIELDS = frozenset(words("title link guid id pubdate published updated modified created issued date"))
"""What is read of a feed. All else, the articles' texts above all, is left out before feedparser reads it."""

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
    empty = Listing(kind="feed" if kind == "feed" else "sitemap")
    if _is_html(body):
        return replace(empty, problem=f"an HTML page where a {kind} should be")
    body = SURROGATE.sub(b"", body)
    try:
        return _feed(body, url, source) if kind == "feed" else _sitemap(body, url, source)
    except UnicodeDecodeError:
        return replace(empty, problem=HALF)


def wanted(url: str, source: Source) -> bool:
    """True when the source's own include and exclude patterns let this address be an article."""
    if any(re.search(p, url) for p in source.exclude):
        return False
    return not source.include or any(re.search(p, url) for p in source.include)


# ---- feeds


def _feed(body: bytes, url: str, source: Source) -> Listing:
    if body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return _json_feed(body, url, source)
    if not body.strip():
        return Listing(kind="feed", problem="empty")
    xml = Xml(body)
    slim, left_out = _slim(xml)
    if xml.refused:
        return Listing(kind="feed", problem=xml.problem)
    given = body if (xml.broken or xml.root is None) and len(body) <= LOOSE_BYTES else slim
    parsed = _parsed(given, url) or _parsed(slim, url)
    if parsed is None or (not parsed.get("version") and not parsed.entries):
        return Listing(kind="feed", problem="neither RSS nor Atom")
    if _is_of_comments(parsed):
        return Listing(kind="feed", problem="a feed of comments, not of articles")
    listing = _capped("feed", (_entry(e, url) for e in parsed.entries), source)
    return replace(listing, left_out=listing.left_out + left_out, problem=xml.problem)


def _parsed(body: bytes, url: str) -> Any | None:
    """The feed as feedparser reads it; None where that raises: a reference to no character, a charset of no name."""
    import feedparser  # on use: a crawl of sitemaps alone need not pay for it

    try:
        return feedparser.parse(io.BytesIO(body), response_headers={"content-location": url}, sanitize_html=False)
    except (ValueError, LookupError, OverflowError):
        return None


def _slim(xml: Xml) -> tuple[bytes, int]:
    """The feed with its first entries, and of them what is read; and the number of entries left out."""
    entries = left_out = 0
    for element in xml:
        name = local(element)
        if name in ENTRIES:
            entries += 1
            left_out += entries > FEED_ITEMS
        if name in CONTAINERS and not (name in ENTRIES and entries > FEED_ITEMS):
            _prune(element)
        elif name not in FIELDS and next(element.iterancestors("{*}title"), None) is None:
            element.clear(keep_tail=True)
    if xml.root is None or xml.refused:
        return b"", left_out
    for open_still in [*xml.root.iter(*(f"{{*}}{name}" for name in ("entry", "item", "channel"))), xml.root]:
        _prune(open_still)
    if sum(1 for _ in xml.root.iter()) > FEED_ELEMENTS:
        xml.problem = CROWDED
    return bytes(etree.tostring(xml.root, encoding="utf-8")), left_out


def _prune(container: Any) -> None:
    for child in list(container):
        name = local(child)
        if name in FIELDS:
            _shorten(child)
        elif name not in CONTAINERS or not len(child):
            container.remove(child)


def _shorten(element: Any) -> None:
    if len(element) or len(element.text or "") > FIELD_CHARACTERS:
        text = "".join(element.itertext())[:FIELD_CHARACTERS]
        del element[:]
        element.text = NOT_XML.sub("", text)
    for name, value in element.attrib.items():
        if len(value) > FIELD_CHARACTERS:
            element.set(name, "")


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
        for item in items[:FEED_ITEMS]
        if isinstance(item, dict)
    )
    listing = _capped("feed", found, source)
    return replace(listing, left_out=listing.left_out + max(0, len(items) - FEED_ITEMS))


def _json_text(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""


# ---- sitemaps


def _sitemap(body: bytes, url: str, source: Source) -> Listing:
    if not body.strip():
        return Listing(kind="sitemap", problem="empty")
    xml, read = Xml(body), _Read()
    listing = _capped("sitemap", _entries(xml, url, read), source)
    if xml.refused:
        return Listing(kind="sitemap", problem=xml.problem)
    if xml.root is None or local(xml.root) not in ("urlset", "sitemapindex"):
        return Listing(kind="sitemap", problem="no sitemap: neither <urlset> nor <sitemapindex>")
    further = tuple(read.more)
    problem = xml.problem or (MORE.format(FURTHER, "further listings") if len(further) > FURTHER else "")
    return replace(listing, more=further[:FURTHER], left_out=listing.left_out + read.beyond, problem=problem)


@dataclass(slots=True)
class _Read:
    """What a sitemap has besides the addresses that are looked at."""

    pages: int = 0
    beyond: int = 0
    more: dict[str, None] = field(default_factory=dict)
    """Further sitemaps."""


def _entries(xml: Xml, url: str, read: _Read) -> Iterator[Found]:
    """What a sitemap lists. Of one that was cut the last one is left out: the parser closed it, and its address may be
    half of one."""
    last = None
    for element in xml:
        name = local(element)
        if name not in ("url", "sitemap"):
            continue
        if last is not None:
            yield from _entry_of(last, url, read)
        last = (name, _texts(element))
        element.clear()
    if last is not None and xml.problem != CUT:
        yield from _entry_of(last, url, read)


def _entry_of(entry: tuple[str, dict[str, str]], url: str, read: _Read) -> Iterator[Found]:
    name, texts = entry
    if name == "sitemap":
        if len(read.more) <= FURTHER and (child := absolute(texts.get("loc", ""), url)):
            read.more[child] = None
    elif read.pages < LOOKED_AT:
        read.pages += 1
        yield _sitemap_entry(texts, url)
    else:
        read.beyond += 1


def _sitemap_entry(texts: dict[str, str], listing: str) -> Found:
    """A `<url>`, with what a news sitemap adds: title and publication date."""
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
    news = next((child for child in element if local(child) == "news"), ())
    for parent in (element, news):
        for child in parent:
            texts.setdefault(local(child), (child.text or "")[:FIELD_CHARACTERS].strip())
    return texts


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
    links = root.iter("a")
    for a in islice(links, SECTION_LINKS):
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
    listing = _capped("section", found, source)
    return replace(listing, more=tuple(more[:FURTHER]), left_out=listing.left_out + sum(1 for _ in links))


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
    seen: set[str] = set()
    for f in found:
        if not f.url or f.url in seen:
            continue
        seen.add(f.url)
        key = normal(f.url)
        if not key or key in once or not wanted(f.url, source):
            continue
        once[key] = f
    links = tuple(islice(once.values(), source.max_links))
    return Listing(kind=kind, links=links, left_out=len(once) - len(links))


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


def _plain(text: str) -> str:
    """One line of text; markup in a feed's title is dropped."""
    text = text[:FIELD_CHARACTERS]
    if "<" in text:
        text = re.sub(r"<[^<>]{0,300}>", " ", text)
    return " ".join(text.split())[: limits.HEADLINE_CHARACTERS]
