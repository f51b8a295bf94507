"""What a run says of itself: its exit code, its problems, its rows. Plain Scrapy exits 0 in all of these."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from app.demo.server import Server, source
from app.demo.site import Response
from conftest import ROOT, Watch, once_crawled, watchfloor

EMPTY_FEED = Response(
    status=200, headers={"Content-Type": "application/rss+xml"}, body=b"<rss version='2.0'><channel></channel></rss>"
)


def problems(ran: object) -> list[str]:
    return [p["name"] for p in ran.json["problems"]]  # type: ignore[attr-defined]


def feed_only(site: Watch) -> None:
    """Lets the source have its feed as its only listing."""
    site.file.write_text(
        f'name = "Demo"\nhome = "{site.server.url}/"\nfeeds = ["{site.server.url}/feed/"]\ndelay = 0\n'
    )


def test_a_server_that_is_down_is_nothing_worked(site: Watch) -> None:
    site.server.close()
    ran = site.crawl()
    assert (ran.code, problems(ran)) == (3, ["source failed"])
    assert "connection refused" in ran.json["problems"][0]["detail"]
    assert {r for (r,) in site.rows("SELECT reason FROM fetches")} == {"connection refused"}


def test_one_source_that_is_down_is_trouble_and_the_others_are_stored(
    site: Watch, serving: Callable[[], Server], tmp_path: Path
) -> None:
    other = serving()
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "good.toml").write_text(source(site.server.url))
    (folder / "down.toml").write_text(source(other.url))
    for file in folder.glob("*.toml"):
        file.write_text("".join(line for line in file.read_text().splitlines(True) if not line.startswith("id ")))
    allowed = [arg for s in (site.server, other) for arg in ("--allow-address", f"127.0.0.1:{s.port}")]
    other.close()
    ran = watchfloor("crawl", "--sources", folder, "--db", site.db, "--json", *allowed)
    assert (ran.code, [p["source"] for p in ran.json["problems"]]) == (1, ["down"])
    assert ran.json["sources"]["good"]["new"] > 10


@once_crawled
@pytest.mark.parametrize(("share", "code"), [("0.05", 1), ("0.2", 0)])
def test_more_failed_pages_than_the_share_are_trouble(site: Watch, share: str, code: int) -> None:
    for article in (1, 2):
        site.server.site.fail(site.path_of(article), 500)
    ran = site.crawl("--again", "--failed-share", share)
    assert (ran.code, ran.json["sources"]["demo"]["failed"]) == (code, 2)
    assert problems(ran) == (["pages failed"] if code else [])
    rows = site.rows("SELECT outcome, reason, status, failures FROM fetches WHERE article_id IN (1, 2)")
    assert rows == [("failed", "HTTP 500", 500, 1)] * 2


@once_crawled
def test_what_is_stored_of_a_failed_page_stays_and_it_is_read_again_next_time(site: Watch) -> None:
    before = site.evidence()
    path = site.path_of(1)
    site.server.site.fail(path, 503)
    site.crawl("--again")
    assert site.evidence() == before
    site.server.site.heal(path)
    assert site.crawl("--again").code == 0
    assert site.rows("SELECT outcome, failures FROM fetches WHERE article_id = 1") == [("unchanged", 0)]


def test_a_spider_that_raises_on_every_page_shows_page_by_page_and_in_the_exit_code(
    site: Watch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text(
        "import crawler.reading as reading\n"
        "def page(*_):\n    raise ZeroDivisionError('a defect of ours')\n"
        "reading.page = page\n"
        "from app.cli.main import main\nmain()\n"
    )
    command = [sys.executable, broken, "crawl", "--sources", site.file, "--db", site.db, "--json"]
    command += ["--allow-address", f"127.0.0.1:{site.server.port}"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, env=env, timeout=60, check=False)
    assert done.returncode == 3
    report = json.loads(done.stdout)
    assert "a defect of ours" in report["problems"][0]["detail"]
    reasons = site.rows("SELECT DISTINCT reason, detail FROM fetches WHERE outcome = 'failed'")
    assert reasons == [("exception", "ZeroDivisionError: a defect of ours")]


def test_a_source_that_yields_nothing_it_ever_yielded_before_is_trouble(site: Watch) -> None:
    feed_only(site)
    assert site.crawl().code == 0
    site.server.site.answer("/feed/", EMPTY_FEED)
    ran = site.crawl("--again")
    assert (ran.code, problems(ran)) == (1, ["yields nothing"])


@once_crawled
def test_a_save_that_fails_costs_that_page_and_shows(site: Watch) -> None:
    with sqlite3.connect(site.db) as connection:
        connection.execute(
            "CREATE TRIGGER broken BEFORE INSERT ON comments WHEN new.text LIKE '%cursed%'"
            " BEGIN SELECT RAISE(ABORT, 'cursed'); END"
        )
    before = site.evidence()
    site.server.site.add_comment(site.path_of(1), "a cursed word")
    ran = site.crawl("--again", "--failed-share", "0")
    assert (ran.code, problems(ran)) == (1, ["pages failed"])
    assert "not saved" in ran.json["problems"][0]["detail"]
    assert site.evidence() == before


def test_a_second_crawl_on_the_same_database_exits_at_once_with_75_and_says_who_holds_it(site: Watch) -> None:
    with FileLock(f"{site.db}.lock"):
        Path(f"{site.db}.lock-holder").write_text("process 4711, since yesterday")
        ran = site.crawl()
    assert ran.code == 75
    assert "process 4711" in ran.err


def test_a_killed_crawl_leaves_no_lock_and_its_run_is_marked(site: Watch) -> None:
    slow_feed(site)
    process = start_crawl(site)
    process.kill()
    process.wait()
    heal(site)
    assert site.crawl().code == 0
    assert [s for (s,) in site.rows("SELECT status FROM runs ORDER BY id")] == ["interrupted", "ok"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_cleanly_and_the_next_one_continues(site: Watch, number: int, code: int) -> None:
    slow_feed(site)
    process = start_crawl(site)
    process.send_signal(number)
    assert process.wait(timeout=30) == code
    assert site.rows("SELECT status, exit_code FROM runs") == [("interrupted", code)]
    heal(site)
    assert site.crawl().code == 0
    assert site.rows("PRAGMA integrity_check") == [("ok",)]


def test_silent_when_all_is_well_and_asked_to_be_quiet(site: Watch) -> None:
    allowed = ("--allow-address", f"127.0.0.1:{site.server.port}")
    ran = watchfloor("crawl", "-q", "--sources", site.file, "--db", site.db, *allowed)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    ran = watchfloor("crawl", "--sources", site.file, "--db", site.db, *allowed)
    assert len(ran.out.splitlines()) == 1 and "unchanged" in ran.out and not ran.err


def test_a_quiet_run_with_trouble_says_what_and_where(site: Watch) -> None:
    site.server.close()
    ran = watchfloor(
        *("crawl", "-q", "--sources", site.file, "--db", site.db, "--allow-address", f"127.0.0.1:{site.server.port}")
    )
    assert ran.code == 3
    assert "demo: source failed" in ran.err and "connection refused" in ran.err
    assert "Traceback" not in ran.err


def test_loopback_is_refused_unless_exactly_this_host_and_port_is_allowed(site: Watch) -> None:
    for allowed in ((), ("--allow-address", "127.0.0.1:1")):
        ran = watchfloor("crawl", "--sources", site.file, "--db", site.db, "--json", *allowed)
        assert ran.code == 3
        assert "address refused" in ran.json["problems"][0]["detail"]
    assert site.server.requests == []


def test_a_redirect_to_a_private_address_is_not_followed(site: Watch, serving: Callable[[], Server]) -> None:
    inner = serving()
    site.crawl()
    path = site.path_of(1)
    site.server.site.answer(path, Response(status=302, headers={"Location": f"{inner.url}/admin"}))
    ran = site.crawl("--again")
    assert ran.code == 0
    assert inner.requests == []
    assert site.rows("SELECT outcome, reason FROM fetches WHERE article_id = 1") == [("skipped", "address refused")]


def test_the_crawl_works_in_the_poor_environment_of_cron(site: Watch) -> None:
    command = [sys.executable, "-m", "app.cli.main", "crawl", "--sources", str(site.file), "--db", str(site.db)]
    command += ["--allow-address", f"127.0.0.1:{site.server.port}"]
    env = {"LANG": "C", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, capture_output=True, cwd="/", env=env, stdin=subprocess.DEVNULL, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize("delay", [0.2, 0.6, 0.9, 1.1, 1.3, 1.6])
def test_a_signal_at_any_moment_of_the_start_ends_the_run_and_frees_the_lock(site: Watch, delay: float) -> None:
    slow_feed(site)
    process = subprocess.Popen(
        command_line(site),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(delay)  # the moment is what is tested
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=40) in (143, -signal.SIGTERM)
    with FileLock(f"{site.db}.lock", timeout=0):
        pass


def test_every_link_that_was_taken_up_has_a_row_also_after_an_interrupted_run(site: Watch) -> None:
    slow_feed(site)
    process = start_crawl(site)
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=40)
    ((links, fetched),) = site.rows("SELECT links, fetched FROM run_sources")
    ((rows,),) = site.rows("SELECT count(*) FROM fetches WHERE kind = 'page'")
    ((asked,),) = site.rows("SELECT count(*) FROM fetches WHERE kind = 'page' AND outcome <> 'skipped'")
    assert links == rows > fetched == asked
    assert site.rows("SELECT DISTINCT reason FROM fetches WHERE outcome = 'skipped'") == [
        ("the run ended before its turn",)
    ]


def test_listings_beyond_the_cap_are_counted_in_the_row_of_what_led_to_them(site: Watch) -> None:
    feed_only(site)
    children = "".join(f"<sitemap><loc>{site.server.url}/map-{n}.xml</loc></sitemap>" for n in range(9))
    index = f"<sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{children}</sitemapindex>".encode()
    site.server.site.answer("/index.xml", Response(status=200, headers={"Content-Type": "application/xml"}, body=index))
    site.file.write_text(site.file.read_text() + f'sitemaps = ["{site.server.url}/index.xml"]\nmax_listings = 5\n')
    site.crawl()
    assert site.rows("SELECT detail FROM fetches WHERE url LIKE '%/index.xml'") == [
        ("6 further listings beyond the cap",)
    ]


@once_crawled
def test_changed_rules_of_a_source_read_its_pages_anew(site: Watch) -> None:
    assert site.rows("SELECT count(*) FROM articles WHERE body LIKE '%A Strategic Alliance%'") == [(1,)]
    site.file.write_text(site.file.read_text() + '\n[rules]\nremove = "h2"\n')
    assert site.crawl("--again").json["sources"]["demo"]["edited"] > 0
    assert site.rows("SELECT count(*) FROM articles WHERE body LIKE '%A Strategic Alliance%'") == [(0,)]


@once_crawled
def test_a_304_that_repeats_no_receipt_keeps_the_one_it_answers_to(site: Watch) -> None:
    receipts = "SELECT url, etag, last_modified FROM fetches WHERE article_id IS NOT NULL ORDER BY 1"
    before = site.rows(receipts)
    site.server.site.answer(site.path_of(1), Response(status=304))
    site.crawl("--again")
    assert site.rows(receipts) == before


@once_crawled
def test_a_link_to_the_database_does_not_get_round_the_lock(site: Watch, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.db"
    link.symlink_to(site.db)
    with FileLock(f"{site.db}.lock"):
        ran = watchfloor("crawl", "--sources", site.file, "--db", link)
    assert ran.code == 75


@once_crawled
def test_a_redirect_without_end_is_a_failed_page(site: Watch) -> None:
    path = site.path_of(1)
    site.server.site.answer(path, Response(status=302, headers={"Location": path + "?again"}))
    site.server.site.answer(path + "?again", Response(status=302, headers={"Location": path}))
    site.crawl("--again")
    assert site.rows("SELECT outcome, reason FROM fetches WHERE article_id = 1") == [
        ("failed", "redirected without end")
    ]


def slow_feed(site: Watch) -> None:
    """Slows the crawl down, so that a signal meets it in the middle."""
    feed_only(site)
    site.file.write_text(site.file.read_text().replace("delay = 0", "delay = 0.4"))


def heal(site: Watch) -> None:
    feed_only(site)


def start_crawl(site: Watch) -> subprocess.Popen[bytes]:
    """A crawl that is under way: its first article page has been asked for when this returns."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command_line(site), env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if any(path.startswith("/20") for _, path, _ in site.server.requests):
            return process
        time.sleep(0.02)
    process.kill()
    raise AssertionError("the crawl did not start")


def command_line(site: Watch) -> list[str]:
    command = [sys.executable, "-m", "app.cli.main", "crawl", "--sources", str(site.file), "--db", str(site.db)]
    return [*command, "--allow-address", f"127.0.0.1:{site.server.port}"]
