"""Rows as feeds: Atom 1.0 (RFC 4287) and RSS 2.0. Pure: rows in, XML out; whatever they say stays text."""

from __future__ import annotations

import html
import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

ATOM = "http://www.w3.org/2005/Atom"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
NOT_XML = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not carry (2.2), or that it discourages."""
IN_URLS = re.compile(r"[^\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e\xa0-\U0010ffff]")
"""What no address may hold as it is (RFC 3987): white space, quotes, angle brackets and the like."""
BEGINNING = 2_000
"""Characters of a summary; a feed says what there is, the link leads to it."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Where no time can be read."""

URL = ("url", "first_url", "article_url")
TITLE = ("headline", "headline_became", "title")
SUMMARY = ("summary", "text")
WHEN = ("published_at", "posted_at", "seen_at", "last_at", "first_seen_at", "found_at", "judged_at")
CATEGORY = ("source_id", "first_source_id", "state", "kind")
"""Columns that views, searches and queries have for this, the best first; of `CATEGORY` all count."""


class NoFeed(Exception):
    """These rows do not make a feed; the message says what they lack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What stands at the head."""

    title: str
    about: str
    id: str
    """An IRI that stays."""
    self_url: str = ""
    """Where the feed will be; empty when nobody said."""
    now: str
    """UTC: when it was made; it counts where no entry has a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One article or comment."""

    id: str
    title: str
    url: str
    """http(s), or empty."""
    summary: str
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    updated: datetime


def entries(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, now: str) -> list[Entry]:
    """The rows as entries, in their order. Raises `NoFeed` when they have no headlines or no addresses."""
    if not (set(URL) & set(columns) and set(TITLE) & set(columns)):
        raise NoFeed("a feed needs a headline and an address (url) in each row")
    made: dict[str, Entry] = {}
    for row in rows:
        entry = _entry(dict(zip(columns, row, strict=True)), now)
        if entry.id in made:
            entry = replace(entry, id=_iri(f"{entry.id} {entry.title} {entry.updated} {len(made)}"))
        made[entry.id] = entry
    return list(made.values())


def feed_id(kind: str, question: str) -> str:
    """An IRI that the same question gets each time."""
    return _iri(f"watchfloor:{kind}:{question}")


def atom(feed: Feed, found: Sequence[Entry]) -> bytes:
    """An Atom 1.0 document."""
    root = etree.Element(f"{{{ATOM}}}feed", nsmap={None: ATOM})

    def add(under: Any, name: str, text: str = "", **attributes: str) -> Any:
        return _add(under, f"{{{ATOM}}}{name}", text, **attributes)

    add(root, "id", feed.self_url or feed.id)
    add(root, "title", feed.title, type="text")
    add(root, "subtitle", feed.about, type="text")
    add(root, "updated", _rfc3339(_latest(feed, found)))
    add(root, "generator", "watchfloor")
    if feed.self_url:
        add(root, "link", rel="self", type="application/atom+xml", href=feed.self_url)
    for entry in found:
        item = add(root, "entry")
        add(item, "id", entry.id)
        add(item, "title", entry.title, type="text")
        if entry.url:
            add(item, "link", rel="alternate", href=entry.url)
        for when in ("published", "updated"):
            add(item, when, _rfc3339(entry.updated))
        for name in entry.authors:
            add(add(item, "author"), "name", name)
        for category in entry.categories:
            add(item, "category", term=category)
        add(item, "summary", entry.summary, type="text")
    return _document(root)


def rss(feed: Feed, found: Sequence[Entry]) -> bytes:
    """An RSS 2.0 document; addresses of the feed and names of authors in Atom's and Dublin Core's elements."""
    root = etree.Element("rss", nsmap={"atom": ATOM, "dc": DUBLIN_CORE}, version="2.0")
    channel = _add(root, "channel")
    _add(channel, "title", _title(feed.title))
    _add(channel, "link", feed.self_url or feed.id)
    _add(channel, "description", html.escape(feed.about, quote=False))
    _add(channel, "lastBuildDate", format_datetime(_latest(feed, found), usegmt=True))
    _add(channel, "generator", "watchfloor")
    if feed.self_url:
        _add(channel, f"{{{ATOM}}}link", rel="self", type="application/rss+xml", href=feed.self_url)
    for entry in found:
        item = _add(channel, "item")
        _add(item, "title", _title(entry.title))
        if entry.url:
            _add(item, "link", entry.url)
        _add(item, "guid", entry.id, isPermaLink="true" if entry.id == entry.url else "false")
        _add(item, "pubDate", format_datetime(entry.updated, usegmt=True))
        _add(item, f"{{{DUBLIN_CORE}}}creator", ", ".join(entry.authors))
        for category in entry.categories:
            _add(item, "category", category)
        _add(item, "description", html.escape(entry.summary, quote=False))
    return _document(root)


def web_address(text: str) -> str:
    """The address as a link may have it; empty for any that is not http or https."""
    text = IN_URLS.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), _text(text).strip())
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in ("http", "https") and parts.netloc else ""


def moment(text: Any) -> datetime | None:
    """UTC of a time as the database has them: with Z; without a zone, which is taken for UTC; a bare day, its start."""
    try:
        when = datetime.fromisoformat(str(text))
        return (when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None


def _entry(row: Mapping[str, Any], now: str) -> Entry:
    stated = str(_first(row, URL))
    url, headline = web_address(stated), _text(_first(row, TITLE))
    comment = "text" in row and "author" in row
    author = _text(row.get("author") or "") or "a reader"
    return Entry(
        id=_id(row, url, stated, comment=comment),
        title=(f"{author}: {headline}" if comment else headline) or url or "untitled",
        url=url,
        summary=_beginning(_text(_first(row, SUMMARY))),
        authors=(author,) if comment else _authors(row),
        categories=tuple(dict.fromkeys(_text(row[name]) for name in CATEGORY if row.get(name))),
        updated=next((w for name in WHEN if (w := moment(row.get(name)))), None) or moment(now) or EPOCH,
    )


def _id(row: Mapping[str, Any], url: str, stated: str, *, comment: bool) -> str:
    """The article's address; for what has none of its own, or several of one, an IRI that follows from what it is."""
    if comment:
        own = row.get("key") or row.get("id") or _first(row, SUMMARY)
    elif "next_revision" in row:
        own = row["next_revision"]
    elif url:
        return url
    else:
        own = ""
    return _iri(f"{stated}#{own}")


def _iri(name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, _text(name))}"


def _authors(row: Mapping[str, Any]) -> tuple[str, ...]:
    try:
        names = json.loads(row.get("authors") or "[]")
    except (TypeError, ValueError, RecursionError):
        names = []
    named = tuple(_text(name) for name in names if isinstance(name, str) and name) if isinstance(names, list) else ()
    return named or (_text(row.get("source") or _first(row, CATEGORY)) or "unknown",)


def _first(row: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((row[name] for name in names if row.get(name)), "")


def _latest(feed: Feed, found: Sequence[Entry]) -> datetime:
    return max((entry.updated for entry in found), default=moment(feed.now) or EPOCH)


def _beginning(text: str) -> str:
    return text if len(text) <= BEGINNING else f"{text[: BEGINNING - 1].rstrip()}…"


def _rfc3339(when: datetime) -> str:
    return f"{when.isoformat().removesuffix('+00:00')}Z"


def _title(text: str) -> str:
    """RSS does not say whether a title is text or HTML: one that would differ is written as HTML, which then shows the
    text; read as text it shows the escapes."""
    differs = "<" in text or html.unescape(text) != text
    return html.escape(text, quote=False) if differs else text


def _text(value: Any) -> str:
    return NOT_XML.sub("", str(value))


def _add(under: Any, name: str, text: str = "", **attributes: str) -> Any:
    made = etree.SubElement(under, name, {key: _text(value) for key, value in attributes.items()})
    made.text = _text(text) or None
    return made


def _document(root: Any) -> bytes:
    made: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)
    return made
