"""What follows a crawl: people are told, a check is pinged, Prometheus finds its file; none of it spoils the run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from conftest import Inbox, Watch, watchfloor


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox() as box:
        yield box


def test_people_are_told_once_when_something_begins_and_when_it_is_over(site: Watch, inbox: Inbox) -> None:
    ping = f"http://127.0.0.1:{inbox.port}/ping"
    assert site.crawl("--alert", inbox.address, "--ping", ping).code == 0
    assert (inbox.messages, inbox.pings) == ([], ["/ping"])
    site.server.site.fail("/feed/", 500)
    for _ in range(2):
        assert site.crawl("--alert", inbox.address, "--ping", ping).code == 1
    assert len(inbox.pings) == 1
    (message,) = inbox.messages
    assert message["title"] == "watchfloor: 1 problem began" and message["type"] == "failure"
    assert message["message"].startswith("demo: listing failed: 1 of ")
    site.server.site.heal("/feed/")
    assert site.crawl("--alert", inbox.address).code == 0
    assert inbox.messages[1:] and inbox.messages[1]["message"] == "over: demo: listing failed"
    assert inbox.messages[1]["type"] == "success"


def test_a_ping_with_room_for_it_gets_every_exit_code(site: Watch, inbox: Inbox) -> None:
    site.server.site.fail("/feed/", 500)
    code = site.crawl("--ping", f"http://127.0.0.1:{inbox.port}/{{code}}").code
    assert inbox.pings == [f"/{code}"] == ["/1"]


def test_a_run_that_cannot_begin_is_told_too(site: Watch, inbox: Inbox) -> None:
    site.db.write_bytes(b"no database at all " * 100)
    assert site.crawl("--alert", inbox.address).code == 4
    (message,) = inbox.messages
    assert message["title"] == "watchfloor: no run" and "not a SQLite database" in message["message"]


def test_who_cannot_be_reached_spoils_nothing(site: Watch) -> None:
    ran = site.crawl("--ping", "http://127.0.0.1:9/", "--metrics", site.folder / "numbers.prom")
    assert ran.code == 0 and "the ping failed" in ran.err and "Traceback" not in ran.err


def test_what_could_never_be_told_ends_the_command_before_the_crawl(site: Watch, tmp_path: Path) -> None:
    for wrong in (("--alert", "nonsense"), ("--ping", "ftp://x"), ("--metrics", tmp_path / "no" / "file")):
        ran = site.crawl(*wrong)
        assert ran.code == 2 and len(ran.err.strip().splitlines()[-1]) < 200, wrong
    assert not site.server.requests


def test_the_numbers_are_read_by_prometheus_own_parser(site: Watch) -> None:
    site.server.site.fail("/feed/", 500)
    file = site.folder / "watchfloor.prom"
    told = site.crawl("--metrics", file).json
    families = {f.name: f for f in text_string_to_metric_families(file.read_text("utf-8"))}
    pages = {s.labels["outcome"]: s.value for s in families["watchfloor_source_pages"].samples}
    assert pages["new"] == told["sources"]["demo"]["new"] > 10
    assert families["watchfloor_run_exit_code"].samples[0].value == 1
    (problem,) = families["watchfloor_source_problem"].samples
    assert problem.labels == {"source": "demo", "problem": "listing failed"}
    (waiting,) = families["watchfloor_comments_waiting"].samples
    assert waiting.value == told["sources"]["demo"]["comments_flagged"]


def test_alert_tries_each_address_and_shows_none_of_them(inbox: Inbox, tmp_path: Path) -> None:
    listed = tmp_path / "alerts.txt"
    listed.write_text(f"{inbox.address}?secret=hunter2\n", "utf-8")
    told = watchfloor("alert", "hello", "--alert", listed, "--alert", "json://user:hunter2@127.0.0.1:9/")
    assert told.code == 1 and inbox.messages[0]["message"] == "hello"
    assert told.out.splitlines() == ["address 1: reached", "address 2: not reached"]
    assert "hunter2" not in told.out + told.err
    assert watchfloor("alert").code == 2
    named = watchfloor("alert", env={"WATCHFLOOR_ALERT": str(listed)})
    assert named.code == 0 and inbox.messages[1]["message"] == "This is a test."
