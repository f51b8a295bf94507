"""One crawl of sites that do what they should not: all of it has its row, nothing of it does harm, and good pages are
stored as if they stood alone. `make hostile` asks for much more."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT
from crawler.limits import LISTING_DEPTH
from hostile_site import GOOD, LET_IN, ROBOTS, SECRET, Answer, Hostile, feed, good, hold, http, listings, pages

HURRIED = """
from crawler import limits
limits.DOWNLOAD_SECONDS, limits.RETRIES, limits.BUSY_SECONDS, limits.READING_SECONDS = 3, 1, 0.2, 5
from app.cli.main import main
main()
"""
"""The command, for which time runs faster."""


@dataclass(frozen=True)
class Crawled:
    """What came of the crawl."""

    code: int
    report: dict[str, Any]
    err: str
    db: Path
    asked: dict[str, list[str]]
    """The paths that each site was asked for, by its source; `trap` is the one that nobody may ask."""
    url: str
    """Of the site with most of it."""

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with sqlite3.connect(f"file:{self.db}?mode=ro", uri=True) as connection:
            return connection.execute(sql, values).fetchall()

    def row(self, path: str) -> tuple[str, str]:
        """Outcome and reason of a page of the site."""
        ((outcome, reason),) = self.rows("SELECT outcome, reason FROM fetches WHERE url = ?", self.url + path)
        return outcome, reason


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Crawled:
    """All sites, crawled once, for all processes of the tests together."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "hostile"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = folder / "told.json"
        if not told.exists():
            told.write_text(json.dumps(crawl(folder)))
    return Crawled(**{**(known := json.loads(told.read_text())), "db": Path(known["db"])})


def crawl(folder: Path) -> dict[str, Any]:
    """What `Crawled` has."""
    trap = Hostile(routes=lambda _: {"/": http(SECRET)})
    site = Hostile(routes=lambda url: {**pages(trap.port), **listings(url, trap.port)})
    sites = {"hostile": site, **{mode: Hostile(mode, routes=one_page) for mode in ROBOTS}}
    sites |= {"busy": Hostile(routes=lambda url: many(url, BUSY)), "dead": Hostile(routes=lambda url: many(url, hold))}
    sources, db = folder / "sources", folder / "watchfloor.db"
    sources.mkdir()
    for name, each in sites.items():
        (sources / f"{name}.toml").write_text(source(each, *([] if name == "hostile" else ["/feed"])))
    allowed = [word for each in sites.values() for word in ("--allow-address", f"127.0.0.1:{each.port}")]
    ran = subprocess.run(
        [sys.executable, "-c", HURRIED, "crawl", "--sources", sources, "--db", db, "--json", *allowed],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "http_proxy": trap.url, "HTTP_PROXY": trap.url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    for each in (trap, *sites.values()):
        each.close()
    asked = {name: each.asked for name, each in {"trap": trap, **sites}.items()}
    report = json.loads(ran.stdout) if ran.stdout.startswith("{") else {}
    return {"code": ran.returncode, "report": report, "err": ran.stderr, "db": str(db), "asked": asked, "url": site.url}


BUSY = http("later", "Retry-After: 86400", status="429 Too Many Requests")
PAGES = 30


def many(url: str, answer: Answer) -> dict[str, Answer]:
    """A site whose pages all answer alike."""
    paths = [f"/page/{number}" for number in range(PAGES)]
    return {"/feed": http(feed(url, paths), kind="application/xml"), **dict.fromkeys(paths, answer)}


def one_page(url: str) -> dict[str, Answer]:
    """A site with one article."""
    return {"/feed": http(feed(url, ["/good/1"]), kind="application/xml"), "/good/1": http(good(1))}


def source(site: Hostile, *only: str) -> str:
    """A source file: the feeds that are named, or all that the site lists itself in."""
    paths = only or tuple(listings(site.url, 1))
    feeds, maps = ([site.url + path for path in paths if path.startswith(kind)] for kind in ("/feed", "/map"))
    lines: dict[str, Any] = {"name": "Hostile", "home": f"{site.url}/", "delay": 0, "feeds": feeds}
    if not only:
        lines |= {"sitemaps": maps, "sections": [f"{site.url}/"], "include": ["."]}
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items())


def test_the_run_ends_as_trouble_and_says_so_without_a_traceback(crawled: Crawled) -> None:
    assert crawled.code == 1, crawled.err
    assert "Traceback" not in crawled.err
    assert crawled.report["status"] == "trouble"


def test_good_pages_are_stored_whole_with_comments_and_verdicts(crawled: Crawled) -> None:
    for number in range(1, GOOD + 1):
        ((id, headline, body),) = crawled.rows(
            "SELECT id, headline, body FROM articles WHERE url = ?", f"{crawled.url}/good/{number}"
        )
        assert headline == f"Boat {number} handed over" and body.count("sonar") == 5
        comments = crawled.rows(
            "SELECT c.site_id, c.text, s.state FROM comments c JOIN standing s ON s.comment_id = c.id"
            " WHERE c.article_id = ? ORDER BY c.position",
            id,
        )
        assert comments == [
            (f"{number}-a{number}", "My uncle built the sonar of that boat.", "clean"),
            (f"{number}-b{number}", "Cheap watches at http://buy-now.example/ today", "flagged"),
        ]


ROWS = {
    ("skipped", "forbidden by robots.txt"): "/private/x",
    ("failed", "too large"): "/bomb/gzip /bomb/twice /bomb/deflate /bomb/endless",
    ("failed", "unknown coding"): "/bomb/coding",
    ("failed", "timed out"): "/http/drip /http/silent",
    ("failed", "no answer"): "/http/header /http/noise /to/broken /http/two",
    ("failed", "cut off"): "/http/reset /http/longer /http/chunk",
    ("failed", "HTTP 429"): "/status/429",
    ("failed", "HTTP 500"): "/status/500",
    ("failed", "HTTP 302"): "/to/file",
    ("gone", "HTTP 404"): "/status/404",
    ("skipped", "address refused"): "/to/trap /to/number /to/mapped /to/name /to/metadata /to/user",
    ("failed", "redirected without end"): "/to/itself",
    ("stored", ""): "/html/deep /html/flood /html/replies /html/links /text/codec /text/latin /text/nul /ld/deep "
    "/ld/types /ld/big",
    ("failed", "not a listing"): "/feed/entities /feed/deep /feed/html /map/bomb.gz",
    ("read", ""): "/feed /map/inwards /map/self",
}


def test_every_address_has_its_row_with_the_reason(crawled: Crawled) -> None:
    wanted = {path: row for row, paths in ROWS.items() for path in paths.split()}
    assert {path: crawled.row(path) for path in wanted} == wanted
    every = {*pages(1), *listings("", 1)}
    assert {path: crawled.row(path)[0] for path in every}.keys() == every


def test_nobody_was_led_inwards_by_an_address_a_redirect_or_a_proxy(crawled: Crawled) -> None:
    assert crawled.asked["trap"] == []
    assert "/private/x" not in crawled.asked["hostile"]


def test_traps_end(crawled: Crawled) -> None:
    asked = Counter(path.partition("?")[0].rpartition("/")[0] or path[:2] for path in crawled.asked["hostile"])
    assert sum(path.startswith("/?at=") for path in crawled.asked["hostile"]) <= LISTING_DEPTH
    assert asked["/calendar/2026/11"] <= 3 * (LISTING_DEPTH + 1)
    assert crawled.asked["hostile"].count("/to/itself") <= 6 and crawled.asked["hostile"].count("/map/self") == 1


def test_nothing_that_should_not_be_there_is_in_the_database(crawled: Crawled) -> None:
    assert crawled.rows("PRAGMA integrity_check") == [("ok",)] and not crawled.rows("PRAGMA foreign_key_check")
    tables = crawled.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'")
    for (table,) in tables:
        if "_fts" in table:
            continue
        for row in crawled.rows(f'SELECT * FROM "{table}"'):
            texts = [value for value in row if isinstance(value, str)]
            assert not any("\0" in text or SECRET in text or "root:x:0:0" in text for text in texts), table
            assert all(text.isprintable() or text.encode() for text in texts)
    assert not crawled.rows("SELECT url FROM articles WHERE url NOT LIKE 'http://127.0.0.1:%'")


@pytest.mark.parametrize("mode", LET_IN)
def test_a_host_without_a_robots_txt_to_obey_is_read(crawled: Crawled, mode: str) -> None:
    assert crawled.report["sources"][mode]["new"] == 1


NOT_HAD = ("failed", "robots.txt cannot be had")


@pytest.mark.parametrize(
    ("mode", "row", "why"),
    [
        ("all", ("skipped", "forbidden by robots.txt"), ""),
        ("down", NOT_HAD, "HTTP 503"),
        ("silent", NOT_HAD, "timed out"),
        ("drip", NOT_HAD, "timed out"),
        ("reset", NOT_HAD, "cut off"),
    ],
)
def test_a_host_that_forbids_all_or_whose_robots_txt_cannot_be_had_is_asked_for_nothing_else(
    crawled: Crawled, mode: str, row: tuple[str, str], why: str
) -> None:
    assert set(crawled.asked[mode]) == {"/robots.txt"}
    ((outcome, reason, detail),) = crawled.rows("SELECT outcome, reason, detail FROM fetches WHERE source_id = ?", mode)
    assert (outcome, reason) == row and detail.startswith(why)
    named = {problem["source"] for problem in crawled.report["problems"]}
    assert (mode in named) == (row == NOT_HAD)


@pytest.mark.parametrize(
    ("source", "why"), [("busy", "the host asks to be left alone"), ("dead", "the host gives no answers")]
)
def test_a_host_that_means_no_is_left_alone_for_the_run(crawled: Crawled, source: str, why: str) -> None:
    rows = Counter(crawled.rows("SELECT outcome, reason FROM fetches WHERE source_id = ? AND kind = 'page'", source))
    assert sum(rows.values()) == PAGES
    assert rows["skipped", why] > PAGES // 2 and len(crawled.asked[source]) < PAGES
    named = {(problem["source"], problem["name"]) for problem in crawled.report["problems"]}
    assert {(source, "cut short"), (source, "blocked" if source == "busy" else "pages failed")} <= named
