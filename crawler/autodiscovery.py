"""What a site's front page and robots.txt say of it: name, language, feeds, sitemaps, system, comment engine. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lxml import etree

from crawler import limits
from crawler.cleaning.page import parse
from crawler.items import Rejected
from crawler.source import Rules
from crawler.text import line, words
from crawler.urls import absolute, host_of, normal

FEED_TYPES = frozenset(
    words("application/rss+xml application/atom+xml application/feed+json application/rdf+xml text/xml")
)
NOT_NEWS = re.compile(r"comment|kommentar|commentaire|comentario|reply|/tag/|oembed|/wp-json/", re.I)
"""In the title or address of feeds that are not the site's news: those of comments above all."""
SYSTEMS = (
    ("WordPress", r"wordpress|/wp-content/|/wp-includes/"),
    ("Blogger", r"blogger|blogspot"),
    ("Drupal", r"drupal|/sites/default/files/"),
    ("Arc XP", r"/pf/dist/|arc-?publishing|outboundfeeds"),
    ("Ghost", r"content=\"ghost"),
    ("Joomla", r"joomla"),
    ("TYPO3", r"typo3"),
    ("XenForo", r"xenforo"),
    ("phpBB", r"phpbb"),
    ("Discourse", r"discourse"),
    ("DNN", r"/desktopmodules/|dnn_"),
)
ENGINES = (
    ("Disqus", r"disqus\.com/embed|disqus_shortname|\.disqus\.com"),
    ("wpDiscuz", r"wpdiscuz"),
    ("OpenWeb", r"spot\.im|openweb"),
    ("Coral", r"coral(?:project)?\."),
    ("Hyvor Talk", r"talk\.hyvor"),
    ("Giscus", r"giscus\.app"),
    ("Isso", r"data-isso"),
    ("Remark42", r"remark42"),
    ("Facebook", r"fb-comments"),
)
"""Traces that systems leave in markup, the surest of each."""
SITEMAP_LINE = re.compile(r"^[ \t]*+sitemap[ \t]*+:[ \t]*+(\S{1,2000})", re.I | re.M)
MOST = 20
"""Feeds or sitemaps taken from one site."""
ALTERNATES = etree.XPath("//link[contains(concat(' ', @rel, ' '), ' alternate ') and @href]")
META = etree.XPath("string(//meta[@property=$name or @name=$name]/@content)")
TITLE = etree.XPath("string(//title)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a site says of itself."""

    name: str = ""
    home: str = ""
    language: str = ""
    feeds: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    system: str = ""
    """What its pages are made with, such as `WordPress`; empty when nothing tells."""
    engine: str = ""
    """What its comments are made with, as far as the front page tells."""


def look(html: bytes, url: str) -> Site:
    """What a front page says. Any bytes give an answer."""
    parsed = parse(html, url, Rules())
    if isinstance(parsed, Rejected):
        return Site(home=url, name=host_of(url))
    root, text = parsed.root, html[: limits.LISTING_BYTES].decode("utf-8", "replace")
    name = line(META(root, name="og:site_name") or TITLE(root), limits.AUTHOR_CHARACTERS)
    return Site(
        name=name or host_of(url),
        home=url,
        language=re.sub(r"[^a-z-]", "", (root.get("lang") or "").lower()[:10]),
        feeds=_feeds(ALTERNATES(root), parsed.base),
        system=_first(SYSTEMS, f"{META(root, name='generator')}\n{text}"),
        engine=_first(ENGINES, text),
    )


def sitemaps_of(robots: str, home: str) -> tuple[str, ...]:
    """The sitemaps that a robots.txt names; relative ones too, as some have them."""
    stated = (absolute(match[1], home) for match in SITEMAP_LINE.finditer(robots))
    return tuple(dict.fromkeys(address for address in stated if address))[:MOST]


def source_file(site: Site) -> str:
    """The text of a source file for a site. Feeds are enough; sitemaps stand in it where there is no feed."""
    listed: list[tuple[str, Any]] = [("name", site.name), ("home", site.home)]
    listed += [("language", site.language)] if site.language else []
    made = [f"{label}: {what}." for label, what in (("System", site.system), ("Comments", site.engine)) if what]
    listed += [("note", " ".join(made))] if made else []
    if site.feeds:
        listed.append(("feeds", list(site.feeds)))
    elif site.sitemaps:
        listed.append(("sitemaps", list(site.sitemaps)))
    listed.append(("delay", 2))
    return "".join(f"{key} = {_toml(value)}\n" for key, value in listed)


def _toml(value: Any) -> str:
    """A text, a number or a list of texts in TOML, whose texts are written as JSON's are."""
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _feeds(links: Iterable[Any], base: str) -> tuple[str, ...]:
    """The feeds of news that a page names, each once."""
    found: dict[str, str] = {}
    for link in links:
        address = absolute(link.get("href", ""), base)
        kind = (link.get("type") or "").strip().lower()
        told = f"{link.get('title') or ''} {address}"
        if address and kind in FEED_TYPES and not NOT_NEWS.search(told):
            found.setdefault(normal(address), address)
    return tuple(found.values())[:MOST]


def _first(table: Iterable[tuple[str, str]], text: str) -> str:
    small = text.lower()
    return next((name for name, pattern in table if re.search(pattern, small)), "")
