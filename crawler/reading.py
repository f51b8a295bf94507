"""From an answer's bytes to what it says, whatever kind of answer it is. Pure.

All that parses what strangers wrote for a crawl or a replay begins here: a crawl calls these functions, by name, in
its child processes (`crawler.workers`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from crawler.cleaning import clean
from crawler.cleaning.charsets import as_stated
from crawler.discovery import read_listing
from crawler.gathering import Gathering, Got, Read, Reading, not_html
from crawler.items import Listing, Rejected
from crawler.merging import Answer, Kind
from crawler.routes import answer as read_answer
from crawler.routes import further
from crawler.source import Source
from crawler.urls import normal


def page(got: Got, source: Source) -> Read:
    """An article's page, and the ways from it to further comments."""
    cleaned = not_html(got.content_type) or clean(html_of(got), got.url, source)
    if isinstance(cleaned, Rejected):
        return Read(page=cleaned)
    every = replace(source, comment_pages=True)  # what is not followed is counted
    return Read(page=cleaned, routes=further(got.body, got.url, cleaned, every))


def answer(kind: Kind, got: Got, source: Source) -> Answer:
    """What one way to further comments gave."""
    return read_answer(kind, html_of(got) if kind == "page" else got.body, got.url, source)


def listing(kind: str, body: bytes, url: str, source: Source) -> Listing:
    """What a feed, a sitemap or a section page offers."""
    return read_listing(kind, body, url, source)


def again(got: Got, source: Source, others: Mapping[str, Got], asked_as: str) -> Reading:
    """What the crawl that got these answers read in them, before `pipelines.normalise`. `others` are the answers with
    further comments, by the url that was asked for; those that are missing are as good as failed."""
    read = page(got, source)
    if isinstance(read.page, Rejected):
        return Reading(page=read.page, alone=True)
    gathering = Gathering(read.page, read.routes, source, url=got.url, asked_as=asked_as)
    while route := gathering.next():
        other = others.get(normal(route.url))
        if other is None:
            gathering.missed()
        else:
            gathering.answered(route, answer(route.kind, other, source), url=other.url)
    return Reading(page=gathering.page, alone=not gathering.asked)


def html_of(got: Got) -> bytes:
    """The body, with the character set that the header states, where it states one."""
    return as_stated(got.body, got.content_type.lower().partition("charset=")[2].partition(";")[0])
