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
from crawler.politeness import retry_after

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
    assert len(gaps(site)) == 4 and min(gaps(site)) >= 0.38


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
