"""The pace that a site asks for is kept, as its server sees it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.demo.site import Response
from conftest import Watch
from crawler.politeness import retry_after, throttled

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def few(site: Watch) -> Path:
    """The source, with three pages only."""
    lines = [
        line for line in site.file.read_text().splitlines() if not line.startswith(("sections", "  ", "]", "sitemaps"))
    ]
    site.file.write_text("\n".join([*lines, "max_pages = 3"]))
    return site.file


def gaps(site: Watch) -> list[float]:
    times = site.server.times
    return [later - earlier for earlier, later in itertools.pairwise(times)]


def test_the_delay_that_robots_txt_asks_for_is_kept(site: Watch) -> None:
    few(site)
    robots = b"User-agent: *\nCrawl-delay: 0.4\nAllow: /\n"
    site.server.site.answer("/robots.txt", Response(body=robots, headers={"Content-Type": "text/plain"}))
    ran = site.crawl()
    assert ran.code == 0
    assert len(gaps(site)) == 4 and min(gaps(site)) >= 0.3  # the first is late by its connection


def test_the_report_proves_the_pace_and_what_was_not_sent_again(site: Watch) -> None:
    few(site)
    robots = b"User-agent: *\nCrawl-delay: 0.3\nAllow: /\n"
    site.server.site.answer("/robots.txt", Response(body=robots, headers={"Content-Type": "text/plain"}))
    first = site.crawl().json["sources"]["demo"]
    assert first["requests"] == len(site.server.requests) == 5
    assert (first["delay_asked"], first["not_modified"], first["bytes_saved"]) == (0.3, 0, 0)
    assert 0.28 <= first["delay_kept"] <= min(gaps(site)) + 0.05


def test_the_report_says_what_did_not_have_to_be_sent_again(site: Watch) -> None:
    site.crawl()
    for _ in range(2):  # a 304 does not make us forget the page's size
        site.server.requests.clear()
        told = site.crawl("--again").json["sources"]["demo"]
        unsent = [f"{site.server.url}{path}" for _, path, status in site.server.requests if status == 304]
        sizes = dict(site.rows("SELECT url, bytes FROM fetches WHERE kind = 'page'"))
        assert told["not_modified"] == len(unsent) > 5
        assert told["bytes_saved"] == sum(sizes[url] for url in unsent) > 20_000


def test_explain_names_the_rule_of_robots_txt_that_decides(site: Watch) -> None:
    few(site)
    robots = b"User-agent: *\nDisallow: /2026/09/\nAllow: /\n"
    site.server.site.answer("/robots.txt", Response(body=robots, headers={"Content-Type": "text/plain"}))
    site.crawl()
    told = site("explain", f"{site.server.url}/2026/09/some-page/", "--sources", site.file)
    assert "forbidden, by its line “Disallow: /2026/09/” for *" in told.out
    assert "nothing: its robots.txt forbids it" in told.out
    told = site("explain", f"{site.server.url}/2026/10/other/", "--sources", site.file, "--json")
    assert told.json["robots"]["allowed"] and not told.json["robots"]["rule"]


@pytest.mark.parametrize(
    ("delay", "latency", "least", "then"),
    [
        (1.0, 0.2, 1.0, 1.0),  # never below what was stated
        (1.0, 4.0, 1.0, 4.0),  # slow: at once
        (4.0, 0.2, 1.0, 2.1),  # fast again: half the way
        (1.0, 900.0, 1.0, 60.0),
        (90.0, 1.0, 90.0, 90.0),
    ],
)
def test_a_slow_host_is_asked_more_slowly(delay: float, latency: float, least: float, then: float) -> None:
    assert throttled(delay, latency, least=least) == then


def test_without_one_the_sources_own_delay_holds(site: Watch) -> None:
    few(site)
    site.crawl()
    assert sum(gaps(site)) < 1.5


def test_a_busy_host_is_left_alone_for_as_long_as_it_says(site: Watch) -> None:
    few(site)
    feed = "/feed/"
    site.server.site.fail(feed, 503, **{"Retry-After": "1"})
    site.crawl()
    asked = [at for at, (_, path, _) in zip(site.server.times, site.server.requests, strict=True) if path == feed]
    waits = [later - earlier for earlier, later in itertools.pairwise(asked)]
    assert len(waits) == 2 and min(waits) >= 0.95


def test_a_run_that_has_had_its_time_ends_and_what_is_left_waits_for_the_next(site: Watch) -> None:
    robots = b"User-agent: *\nCrawl-delay: 1\nAllow: /\n"
    site.server.site.answer("/robots.txt", Response(body=robots, headers={"Content-Type": "text/plain"}))
    ran = site.crawl("--max-minutes", "0.05")
    assert ran.code == 1 and len(site.server.requests) < 8
    (told,) = [p for p in ran.json["problems"] if p["name"] == "cut short"]
    assert (told["source"], told["detail"]) == ("", "it was ended after 0.05 minutes, its limit")
    left = site.rows("SELECT count(*) FROM fetches WHERE reason = 'the run ended before its turn'")
    assert left[0][0] > 0
    assert "cut short" not in {p["name"] for p in few(site) and site.crawl("--max-minutes", "5").json["problems"]}


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("Sun, 22 Nov 2026 12:01:00 GMT", 60),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0),
        ("soon", 0),
    ],
)
def test_retry_after_is_a_number_or_a_date(stated: str, seconds: float) -> None:
    assert retry_after(stated, now=NOW) == seconds


@given(st.text(max_size=60))
def test_whatever_a_header_says_is_a_wait_that_ends(stated: str) -> None:
    assert 0 <= retry_after(stated, now=NOW) < 1e12
