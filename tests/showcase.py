"""A watch that has been kept for a while: three outlets of the demo, one copying the others, edits, a bad day."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from app.demo.content import Article, load
from app.demo.server import Server, serve, source
from app.demo.site import Site

HOURS = 17
"""Between two visits, as the database has it afterwards."""
OUTLETS = {
    "world-defense": ("World Defense", "NO", "news"),
    "harbour-courier": ("Harbour Courier", "GB", "news"),
    "allied-wire": ("Allied Wire", "DE", "agency"),
}
"""Name, country and kind of each."""

Crawl = Callable[[Sequence[str]], int]
"""Runs `watchfloor` with these words; its exit code."""


def keep_watch(folder: Path, crawl: Crawl, *, visits: int) -> Path:
    """The database of a watch with so many visits, at least three, the last one now."""
    db, files = folder / "watchfloor.db", folder / "sources"
    files.mkdir(parents=True)
    all_articles = sorted((a for a in load() if "private" not in a.path), key=lambda a: a.published)
    with contextlib.ExitStack() as stack:
        servers = {id: stack.enter_context(serve(site=Site([]))) for id in OUTLETS}
        for id, server in servers.items():
            (files / f"{id}.toml").write_text(_source(id, server), "utf-8")
        allowed = [word for s in servers.values() for word in ("--allow-address", f"127.0.0.1:{s.port}")]
        for visit in range(visits):
            _publish(servers, all_articles, visit, visits)
            code = crawl(["crawl", "--sources", str(files), "--db", str(db), "--again", "-q", *allowed])
            assert code in (0, 1), code
    _spread(db, visits)
    return db


def _source(id: str, server: Server) -> str:
    name, country, kind = OUTLETS[id]
    told = [line for line in source(server.url).splitlines() if line.startswith(("home", "language", "feeds", "delay"))]
    lines = [f'name = "{name}"', f'country = "{country}"', f'kind = "{kind}"', *told]
    return "\n".join([*lines, f'sitemaps = ["{server.url}/news-sitemap.xml"]'])


def _publish(servers: dict[str, Server], articles: list[Article], visit: int, visits: int) -> None:
    """What happens on the sites before a visit."""
    share = -(-len(articles) // (visits - 1))
    for number, article in enumerate(articles[: share * (visit + 1)]):
        if number >= share * visit:
            servers["world-defense"].site.add_article(article)
            for id in ("harbour-courier", "allied-wire"):
                if (copied := _copied(article, number, id)) is not None:
                    servers[id].site.add_article(copied)
    own = servers["world-defense"].site
    first = articles[share - 1]
    if visit == 1:
        own.edit_article(first.path, headline=f"Correction: {first.headline}", body=_edited(first.body))
        own.add_comment(first.path, "Thank you for the correction. The old number was mine too.")
    if visit == visits - 1:
        last = articles[-1]
        own.edit_article(last.path, headline=f"{last.headline}, at Last", body=_edited(last.body))
        own.remove(articles[-2].path)
        servers["allied-wire"].site.fail("/news-sitemap.xml", 500)


def _copied(article: Article, number: int, id: str) -> Article | None:
    """What another outlet makes of an article, an hour or two later; None for those that it leaves alone."""
    if id == "allied-wire" and number % 2:
        later = replace(article, published=article.published + timedelta(minutes=40), comments=())
        return replace(later, authors=("Allied Wire staff",), modified=None)
    if id == "harbour-courier" and number % 3 == 0:
        later = replace(article, published=article.published + timedelta(hours=3), comments=article.comments[:2])
        return replace(later, headline=f"{article.headline}, Officials Say", body=_edited(article.body), modified=None)
    return None


def _edited(body: str) -> str:
    """Another spelling here, a number there, the last paragraph gone."""
    for old, new in (
        (" said ", " told reporters "),
        (" two ", " three "),
        (" is ", " remains "),
        (" new ", " second "),
    ):
        body = body.replace(old, new, 2)
    head, _, _ = body.rstrip().rpartition("<p>")
    return head or body


def _spread(db: Path, visits: int) -> None:
    """Moves earlier visits into the past, and what was seen in them."""
    seen: tuple[tuple[str, Any, str], ...] = (
        ("runs", ("started_at", "ended_at"), "id"),
        ("articles", ("first_seen_at",), "first_run_id"),
        ("comments", ("first_seen_at",), "first_run_id"),
        ("article_revisions", ("replaced_at",), "replaced_run_id"),
        ("captures", ("at",), "run_id"),
    )
    with contextlib.closing(sqlite3.connect(db)) as connection, connection:
        for table, columns, run in seen:
            for column in columns:
                moved = f"strftime('%Y-%m-%dT%H:%M:%SZ', {column}, '-' || (({visits} - {run}) * {HOURS}) || ' hours')"
                connection.execute(f"UPDATE {table} SET {column} = {moved} WHERE {column} IS NOT NULL")
