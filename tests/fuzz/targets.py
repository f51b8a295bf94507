"""What is fuzzed: each name with the product's own function behind it, and what must hold of its answer.

A target takes any bytes. It returns when all is well, and raises when a promise is broken.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import json
import math
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from app.cli import filters
from crawler import limits
from crawler.autodiscovery import look, sitemaps_of
from crawler.cleaning import clean
from crawler.discovery import read_listing
from crawler.imports.detect import read_export
from crawler.imports.export import BrokenExport
from crawler.items import Article, Block, Comment, Context, Fetch, Href, Known, Page, Rejected, Section
from crawler.opml import OpmlError, read_opml, write_opml
from crawler.robots import decide
from crawler.routes import answer, further
from crawler.source import Source, SourceError, parse_source
from crawler.text import UNWANTED, tidy
from db.connect import Database
from db.search import among, count, match_query, search
from db.store import Store
from fuzz import vocabulary as words
from moderation.links import find_links
from moderation.policy import default_policy, judge
from pipelines.compare import compare
from pipelines.normalise import normalise

URL = "https://news.example/2024/fleet-leaves-port"
SOURCE = Source(id="one", name="One", home="https://news.example/", comment_routes=("feed", "api"))
NOW = "2024-12-23T10:00:00Z"
SEARCH_SECONDS = 1.0
"""Of processor time for one question to a small database."""
FRAME = (
    b"<html><head><title>Fleet leaves port</title></head><body><article><h1>Fleet leaves port</h1>"
    b"<p>The minister said on Thursday that the convoy had left the port.</p></article>"
    b"<section id=comments><ol class=comment-list>%s</ol></section>"
)
SELECTED = (
    b"<html><body><article><h1>Fleet leaves port</h1><p class=a>The convoy left the port on Thursday.</p></article>"
)


def cleaning(data: bytes) -> None:
    """A page, whatever it is."""
    _check_page(clean(data, URL))


def comments(data: bytes) -> None:
    """What stands in a list of comments under an article."""
    _check_page(clean(FRAME % data, URL))


def discovery(data: bytes) -> None:
    """A feed, a sitemap or a section page."""
    for kind in ("feed", "sitemap", "section"):
        listing = read_listing(kind, data, URL, SOURCE)
        assert len(listing.links) <= SOURCE.max_links and listing.left_out >= 0
        _check_addresses([*(found.url for found in listing.links), *listing.more])


def links(data: bytes) -> None:
    """A comment: the address of its author, an href, its text, each behind a line break."""
    author, _, rest = data.decode("utf-8", "surrogatepass" if b"\xed" in data[:9] else "replace").partition("\n")
    href, _, text = rest.partition("\n")
    comment = Comment(text=text, author=author[:200], author_url=author, links=(Href(url=href, text=text[:20]),))
    for link in (*find_links(text), *find_links(comment)):
        assert 0 <= link.start <= link.end <= len(text)
        assert link.place != "text" or text[link.start : link.end] == link.text
    verdict = judge(replace(comment, text=tidy(text)), Context(article_url=URL), default_policy())
    assert all(0 <= why.start <= why.end <= len(text) for why in verdict.reasons) and math.isfinite(verdict.score)


def imports(data: bytes) -> None:
    """An export of comments, of any program."""
    try:
        export = read_export(io.BytesIO(data))
    except BrokenExport:
        return
    for thread in export.threads:
        article = Article(url=thread.url, headline=thread.title, sections=(), published=thread.published)
        _check_page(Page(article=article, comments=tuple(entry.comment for entry in thread.entries)))


def searching(data: bytes) -> None:
    """What is typed into a search."""
    text, began = data.decode("utf-8", "replace"), time.process_time()
    for subject in ("articles", "comments"):
        rows = search(_small_database(), text, limit=3, subject=subject, now=NOW)
        assert all(math.isfinite(row["rank"]) and not UNWANTED.search(row["snippet"][:0]) for row in rows)
        assert count(_small_database(), text, most=3, subject=subject, now=NOW) <= 3
        assert {row["id"] for row in rows} <= set(among(_small_database(), text, [1, 2, 3], subject=subject, now=NOW))
    if query := match_query(text):
        _small_database().execute("SELECT count(*) FROM articles_fts WHERE articles_fts MATCH ?", [query]).fetchone()
    assert time.process_time() - began < SEARCH_SECONDS, "longer than a second"


def clean_jsonl(data: bytes) -> None:
    """Lines for `watchfloor clean --jsonl`."""
    _check_answers(data, filters.clean_lines)


def judge_jsonl(data: bytes) -> None:
    """Lines for `watchfloor judge --jsonl`."""
    assert filters.judge.callback
    run = filters.judge.callback
    _check_answers(data, lambda: run(jsonl=True, db=None, rules=None))


def robots(data: bytes) -> None:
    """The path of a URL, and behind a line break a robots.txt."""
    path, _, text = data.decode("utf-8", "replace")[: limits.ROBOTS_CHARACTERS].partition("\n")
    decision = decide(text, f"https://news.example/{path[: limits.URL_CHARACTERS]}")
    assert decision.allowed or decision.rule
    assert decision.delay is None or decision.delay == decision.delay


def opml(data: bytes) -> None:
    """A list of feeds."""
    try:
        outlines = read_opml(data)
    except OpmlError:
        return
    _check_addresses([outline.feed for outline in outlines])
    again = read_opml(write_opml([replace(SOURCE, name=o.title or "-", feeds=(o.feed,)) for o in outlines]))
    assert [o.feed for o in again] == [o.feed for o in outlines]


def sources(data: bytes) -> None:
    """A source file; its rules are then used."""
    with contextlib.suppress(SourceError):
        source = parse_source(data.decode("utf-8", "replace"), id="one")
        assert source.all_hosts and source.listings and write_opml([source])
        _check_page(clean(SELECTED, URL, source))


def routes(data: bytes) -> None:
    """A page that leads to comments elsewhere, and what an answer from there may be."""
    page = clean(data, URL)
    if isinstance(page, Page):
        _check_addresses([route.url for route in further(data, URL, page, SOURCE)])
    for kind in ("page", "feed", "atom", "api"):
        given = answer(kind, data, f"{URL}/comments?post=7&page=1", SOURCE)
        _check_page(Page(article=Article(url=URL, headline="", sections=()), comments=given.comments), in_thread=False)
        _check_addresses([route.url for route in given.more])


def sites(data: bytes) -> None:
    """The front page of a site, or its robots.txt."""
    site = look(data, URL)
    _check_addresses([*site.feeds, *site.sitemaps, *sitemaps_of(data.decode("utf-8", "replace"), URL)])
    _check_texts(site)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One thing that takes what strangers wrote."""

    run: Callable[[bytes], None]
    pieces: tuple[bytes, ...]
    """Of its format; mutations are made of them."""


PAGES = words.HTML + words.JSON_LD
TARGETS: dict[str, Target] = {
    "cleaning": Target(run=cleaning, pieces=PAGES),
    "comments": Target(run=comments, pieces=words.COMMENTS + words.HTML),
    "discovery": Target(run=discovery, pieces=words.XML + words.HTML),
    "links": Target(run=links, pieces=words.TEXT),
    "imports": Target(run=imports, pieces=words.EXPORTS + words.XML),
    "search": Target(run=searching, pieces=words.TYPED),
    "clean-jsonl": Target(run=clean_jsonl, pieces=words.LINES + words.JSON_LD),
    "judge-jsonl": Target(run=judge_jsonl, pieces=words.LINES + words.TEXT),
    "robots": Target(run=robots, pieces=words.ROBOTS),
    "opml": Target(run=opml, pieces=words.XML),
    "sources": Target(run=sources, pieces=words.TOML),
    "routes": Target(run=routes, pieces=words.XML + words.COMMENTS + words.JSON_LD),
    "sites": Target(run=sites, pieces=words.HTML + words.ROBOTS),
}


# ---- what must hold


def _check_page(found: Page | Rejected, *, in_thread: bool = True) -> None:
    """A page as the database takes it: within the limits, nothing in it that cannot be stored."""
    assert isinstance(found, Page | Rejected)
    if isinstance(found, Rejected):
        return _check_texts(found)
    page = normalise(found, asked=URL)
    _check_texts(page)
    assert normalise(page, asked=URL) == page
    assert len(page.article.body) <= limits.BODY_CHARACTERS and len(page.article.links) <= limits.LINKS_AN_ARTICLE
    for position, comment in enumerate(page.comments):
        assert len(comment.text) <= limits.COMMENT_CHARACTERS and len(comment.links) <= limits.LINKS_A_COMMENT
        if in_thread:
            assert comment.position == position and comment.depth <= limits.REPLY_DEPTH + 1
            assert comment.parent is None or 0 <= comment.parent < position
    if in_thread:
        assert len(compare(page, Known()).new) <= len(page.comments)


def _check_texts(value: object) -> None:
    for text in _texts(value):
        assert not UNWANTED.search(text), f"what cannot be stored in {text[:80]!r}"


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _texts(part)
    elif is_dataclass(value):
        for each in fields(value):
            yield from _texts(getattr(value, each.name))


def _check_addresses(urls: list[str]) -> None:
    for url in urls:
        assert url.startswith(("http://", "https://")) and len(url) <= limits.URL_CHARACTERS, url[:80]
        assert not UNWANTED.search(url) and not set(url) & set("\n\t"), repr(url[:80])


class _Input:
    """Standard input that holds these bytes."""

    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


def _check_answers(data: bytes, run: Callable[[], object]) -> None:
    """One line in, one line out: each a JSON object in ASCII, with what was found or an error."""
    out, given = io.StringIO(), sys.stdin
    sys.stdin = _Input(data)  # type: ignore[assignment]
    try:
        with contextlib.redirect_stdout(out):
            run()
    finally:
        sys.stdin = given
    asked = [line for line in io.BytesIO(data) if line.strip()]
    answers = out.getvalue().splitlines()
    assert len(answers) == len(asked), f"{len(asked)} lines in, {len(answers)} out"
    for line in answers:
        assert line.isascii() and len(json.loads(line, parse_constant=_no_number)) >= 1


def _no_number(text: str) -> Any:
    raise AssertionError(f"{text} is not JSON")


@cache
def _small_database() -> Database:
    """A database with a few articles and comments."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    store = Store(Path(folder) / "small.db")
    run = store.begin_run([SOURCE], version="1", now=NOW)
    for n, text in enumerate(("The naval yard builds frigates.", "C++ and F-35: café 防衛省 100% a_b", "Ann O'Brien")):
        said = (Comment(text=f"{text} Yes.", author="Ann", site_id=str(n)),)
        sections = (Section(blocks=(Block(kind="paragraph", text=text * 20),)),)
        page = Page(article=Article(url=f"{URL}/{n}", headline=f"Fleet {n}", sections=sections), comments=said)
        store.apply(
            compare(page, Known()), Fetch(url=f"{URL}/{n}", source_id="one", outcome="stored"), run_id=run, now=NOW
        )
    store.index(now=NOW)
    return store.db
