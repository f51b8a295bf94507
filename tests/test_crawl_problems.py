"""What breaks at a site has its name and its exit code: real crawls over HTTP."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from app.demo.server import Server, source
from app.demo.site import Response
from conftest import Ran, Watch, watchfloor
from crawler.quarantine import FAILURES

MOVED = Response(status=200, headers={"Content-Type": "text/html"}, body=b"<!doctype html><html>we have moved</html>")
BODY = re.compile(rb'(<div class="entry-content">).*?(</div>\s*<footer)', re.S)


def named(ran: Ran) -> list[tuple[str, str]]:
    return [(p["source"], p["name"]) for p in ran.json["problems"]]


def articles(site: Watch) -> list[str]:
    """The paths of the stored articles."""
    return [url.removeprefix(site.server.url) for (url,) in site.rows("SELECT url FROM articles ORDER BY id")]


def copied(db: sqlite3.Connection, table: str, key: str, number: int) -> None:
    """What the first run has in a table, once more under another number."""
    kept = ", ".join(row[1] for row in db.execute(f"PRAGMA table_info({table})") if row[1] != key)
    db.execute(f"INSERT INTO {table} ({key}, {kept}) SELECT {number}, {kept} FROM {table} WHERE {key} = 1")


def test_a_feed_that_turned_html_is_named_and_the_run_is_trouble(site: Watch) -> None:
    site.crawl()
    site.server.site.answer("/feed/", MOVED)
    ran = site.crawl()
    assert (ran.code, named(ran)) == (1, [("demo", "feed is HTML")])
    assert f"{site.server.url}/feed/" in ran.json["problems"][0]["detail"]


def test_half_the_pages_403_is_blocked_a_fact_about_us(site: Watch) -> None:
    site.crawl()
    paths = articles(site)
    for path in paths[::2]:
        site.server.site.fail(path, 403)
    ran = site.crawl("--again")
    assert (ran.code, named(ran)) == (1, [("demo", "blocked")])
    tally = ran.json["sources"]["demo"]
    assert tally["blocked"] == tally["failed"] == len(paths[::2])
    assert "HTTP 403" in ran.json["problems"][0]["detail"]


def test_a_template_that_empties_the_body_is_named_with_its_culprit(site: Watch) -> None:
    first = site.crawl()
    assert (first.code, first.json["problems"]) == (0, [])
    demo, emptied = site.server.site, []
    for path in articles(site):
        page = demo.get(path)
        body = BODY.sub(rb'\1<div id="app"></div>\2', page.body)
        if body != page.body:
            demo.answer(path, replace(page, body=body))
            emptied.append(path)
    ran = site.crawl("--again")
    assert (ran.code, named(ran)) == (1, [("demo", "bodies missing")])
    problem = ran.json["problems"][0]
    assert (problem["field"], problem["since"]) == ("body", 2)
    assert problem["bad_url"].removeprefix(site.server.url) in emptied
    assert problem["good_url"].startswith(site.server.url)
    rows = site.rows("SELECT run_id, read, filled FROM run_fields WHERE field = 'body' ORDER BY run_id")
    assert rows == [(1, len(articles(site)), len(articles(site))), (2, len(emptied), 0)]
    assert site("status", "--json").json["sources"][0]["problems"][0]["bad_url"] == problem["bad_url"]
    (again,) = site.crawl("--again").json["problems"]
    assert (again["name"], again["since"], again["bad_url"]) == ("bodies missing", 2, problem["bad_url"])


def test_a_source_that_stops_publishing_has_gone_quiet(site: Watch) -> None:
    """It published every other day for two months, as runs before have it; for the last month nothing came."""
    site.crawl()
    with sqlite3.connect(site.db) as db:
        at = "strftime('%Y-%m-%dT%H:%M:%SZ', 'now', ?)"
        db.execute(f"UPDATE runs SET started_at = {at}", ["-92 days"])
        db.execute("UPDATE runs SET ended_at = started_at")
        for number, ago in enumerate((*range(90, 30, -2), 1), 2):
            copied(db, "runs", "id", number)
            copied(db, "run_sources", "run_id", number)
            db.execute(f"UPDATE runs SET started_at = {at} WHERE id = ?", [f"-{ago} days", number])
            db.execute("UPDATE runs SET ended_at = started_at WHERE id = ?", [number])
            db.execute("UPDATE run_sources SET new = ? WHERE run_id = ?", [ago > 1, number])
    ran = site.crawl()
    assert (ran.code, named(ran)) == (1, [("demo", "gone quiet")])
    assert "nothing new for 32 days; the longest pause known is 48 hours" in ran.json["problems"][0]["detail"]


def test_another_run_that_holds_the_lock_is_no_trouble_but_75(site: Watch) -> None:
    with FileLock(f"{site.db}.lock"):
        ran = site.crawl()
    assert (ran.code, ran.out) == (75, "")
    assert site.server.requests == []


@pytest.fixture
def pair(site: Watch, serving: Callable[[], Server], tmp_path: Path) -> Callable[..., Ran]:
    """Crawls a good source and one that is down."""
    other = serving()
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "good.toml").write_text(source(site.server.url).replace('id = "demo"', 'id = "good"'))
    (folder / "down.toml").write_text(source(other.url).replace('id = "demo"', 'id = "down"'))
    other.close()
    allowed = [arg for s in (site.server, other) for arg in ("--allow-address", f"127.0.0.1:{s.port}")]
    return lambda *args: watchfloor("crawl", "--sources", folder, "--db", site.db, *allowed, *args)


def test_a_source_that_fails_run_after_run_rests_and_says_so(site: Watch, pair: Callable[..., Ran]) -> None:
    assert named(pair("--json")) == [("down", "source failed")]
    with sqlite3.connect(site.db) as db:  # the runs between the first and the one that makes it rest
        for number in range(2, FAILURES):
            copied(db, "runs", "id", number)
            copied(db, "run_sources", "run_id", number)
    ran = pair("--json")
    assert (ran.code, named(ran)) == (1, [("down", "source failed"), ("down", "quarantined")])
    assert {p["since"] for p in ran.json["problems"]} == {1, FAILURES}
    ran = pair()
    assert (ran.code, ran.err) == (0, "")
    assert "2 sources, 1 resting" in ran.out
    assert site.rows(
        "SELECT resting, listings FROM run_sources WHERE source_id = 'down' ORDER BY run_id DESC LIMIT 1"
    ) == [(1, 0)]
    told = site("status")
    assert told.code == 0 and "resting" in told.out and "1 resting" in told.out
    named_ran = pair("--json", "down")
    assert (named_ran.code, named(named_ran)) == (3, [("down", "source failed")])
