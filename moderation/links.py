"""Every link of a comment, however it is disguised: in the text, behind words, in the author's URL field."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal
from urllib.parse import urlsplit

from crawler.items import Comment, Href, Link
from moderation.characters import plain_characters
from moderation.disguises import undo
from moderation.finding import find_places
from moderation.folding import Folded
from moderation.gate import PLAIN, may_be_disguised
from moderation.hosts import ascii_host, ip_address, is_homoglyph, registrable
from moderation.places import Place

SCHEME = re.compile(r"\s*([a-zA-Z][a-zA-Z0-9+.-]*):")


def find_links(comment: Comment | str) -> tuple[Link, ...]:
    """The links of a comment: those of the text in order, then those behind words, then the author's.

    Spans are those of the comment's text. Takes linear time whatever the text, and raises nothing.
    """
    if isinstance(comment, str):
        return tuple(_in_text(comment))
    links = _in_text(comment.text)
    if comment.links:
        links += _behind_words(comment, links)
    if comment.author_url.strip():
        links.append(_of_address(comment.author_url, "author", 0, 0))
    return tuple(links)


def _in_text(text: str) -> list[Link]:
    folded = None if text.isascii() else plain_characters(text)
    seen = folded.text if folded else text
    disguised = may_be_disguised(seen)
    if not disguised and not PLAIN.search(seen):
        return []
    folded = folded or Folded(text, text)
    if disguised:
        folded = undo(folded)
    return [_link(folded, place) for place in find_places(folded)]


def _link(folded: Folded, place: Place) -> Link:
    start, end = folded.span(place.start, place.end)
    shown = folded.text[place.start : place.end]
    url = place.url or (shown if place.scheme else f"http://{shown}")
    host = ascii_host(place.host)
    if host[:1].isdigit() or host[:1] == "[":
        host = ip_address(host) or host
    disguise = place.disguise
    if not disguise and folded.disguises:
        disguise = folded.disguise(start, end)
    if not disguise and not place.host.isascii() and is_homoglyph(place.host):
        disguise = "homoglyph"
    return Link(
        start=start,
        end=end,
        text=folded.original[start:end],
        url=url,
        host=host,
        domain=registrable(host),
        disguise=disguise,
    )


def _behind_words(comment: Comment, shown: list[Link]) -> list[Link]:
    """The hrefs that the text does not show, at the words that they stand behind."""
    places = {(link.start, link.end): link for link in shown}
    done: dict[str, int] = {}
    links: list[Link] = []
    for href in comment.links:
        words = href.text.strip()
        start = comment.text.find(words, done.get(words, 0)) if words else -1
        end = start + len(words) if start >= 0 else 0
        start = max(start, 0)
        done[words] = end
        if not _same(href, start, end, places, shown):
            links.append(_of_address(href.url, "href", start, end))
    return links


def _same(href: Href, start: int, end: int, places: dict[tuple[int, int], Link], shown: list[Link]) -> bool:
    """Does the text show this very address?"""
    key = _key(href.url)
    there = [places[start, end]] if (start, end) in places else shown
    return any(_key(link.url) == key for link in there)


def _key(url: str) -> str:
    """What two spellings of one address have in common."""
    return re.sub(r"^https?:|^//|/+$", "", url.strip().lower()).lstrip("/").removeprefix("www.")


def _of_address(url: str, place: Literal["href", "author"], start: int, end: int) -> Link:
    """A link from an address that stands in an attribute or in a field of its own."""
    raw = url.strip()
    found = [link for link in _in_text(raw) if link.start == 0] if "://" in raw[:24] or not SCHEME.match(raw) else []
    link = found[0] if found else _unread(raw)
    text = raw
    return replace(link, start=start, end=end, text=text, place=place, disguise=link.disguise if found else "")


def _unread(raw: str) -> Link:
    try:
        host = ascii_host(urlsplit(raw).hostname or "")
    except ValueError:
        host = ""
    host = ip_address(host) or host
    url = raw if SCHEME.match(raw) else f"http://{raw}"
    return Link(start=0, end=0, text=raw, url=url, host=host, domain=registrable(host))
