"""`status` and `schedule`: the watch is kept, and somebody is told when it is not."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from conftest import Inbox, Watch, watchfloor
from crawler.source import Source
from simulation import Site, Watched, stamp


def test_status_shows_each_source_and_is_well_after_a_good_run(site: Watch) -> None:
    site.crawl()
    told = site("status", "--max-age", "1")
    assert told.code == 0
    assert "demo" in told.out and "0 of 1 sources in trouble" in told.out
    shown = site("status", "--json").json
    assert shown["late"] is False and shown["sources"][0]["new"] == [shown["sources"][0]["articles"]]


def test_status_names_what_was_wrong_with_the_latest_run_of_a_source(site: Watch) -> None:
    site.crawl()
    site.server.site.fail("/news-sitemap.xml", 500)
    site.crawl()
    told = site("status")
    assert told.code == 1
    assert told.out.startswith("! demo") and "listing failed" in told.out


def test_the_watchdog_complains_when_no_run_has_ended_in_time(site: Watch) -> None:
    site.crawl()
    with sqlite3.connect(site.db) as db:
        db.execute("UPDATE runs SET ended_at = '2026-01-01T00:00:00Z'")
    told = site("status", "--max-age", "3")
    assert told.code == 1
    assert "no run has ended within 3 hours" in told.err
    assert site("status").code == 0


def test_an_import_is_no_visit_and_keeps_no_watch(site: Watch) -> None:
    site.crawl()
    with sqlite3.connect(site.db) as db:
        db.execute("UPDATE runs SET ended_at = '2026-01-01T00:00:00Z'")
        db.execute(
            "INSERT INTO runs (kind, started_at, ended_at, status, exit_code, version, problems)"
            " VALUES ('import', '2026-11-22T12:00:00Z', strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), 'ok', 0, 't', '[]')"
        )
    assert site("status", "--max-age", "3").code == 1


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Site]]:
    """Eighty sources: the first lost its dates, the second is down and rests, the last was never visited."""
    path = tmp_path_factory.mktemp("watched") / "w.db"
    sites = [Site(f"s{number:02}", "blog", random.Random(number)) for number in range(79)]
    watch = Watched(path, sites)
    watch.now = datetime.now(UTC) - timedelta(hours=16)
    for _ in range(8):
        watch.run()
    sites[0].broken |= {"published"}
    sites[1].broken |= {"down"}
    for _ in range(7):
        watch.run()
    watch.store.begin_run([Source(id="zz", name="zz", home="https://zz.example/")], version="t", now=stamp(watch.now))
    watch.store.close()
    return path, sites


def test_status_shows_eighty_sources_each_with_its_word(watched: tuple[Path, list[Site]]) -> None:
    told = watchfloor("status", "--db", watched[0])
    assert told.code == 1
    lines = [line for line in told.out.splitlines() if re.match(r". (?:s\d\d|zz) ", line)]
    assert len(lines) == 80 and all(len(line) < 100 for line in lines)
    assert [line[2:].split()[1] for line in lines] == ["trouble", "resting", *["ok"] * 77, "never"]
    assert "dates missing: 0 of" in told.out and "quarantined since run" in told.out and "rests until" in told.out
    assert told.out.splitlines()[-1].endswith("1 of 80 sources in trouble, 1 resting")


def test_status_as_json_names_the_culprit_of_a_drift(watched: tuple[Path, list[Site]]) -> None:
    rows = {row["source_id"]: row for row in watchfloor("status", "--json", "--db", watched[0]).json["sources"]}
    (problem,) = rows["s00"]["problems"]
    assert (problem["name"], problem["field"], problem["since"]) == ("dates missing", "published", 9)
    assert problem["good_url"].startswith("https://s00.example/") and problem["bad_url"].startswith("https://s00.")
    assert rows["s01"]["state"] == "resting" and rows["s01"]["resting_until"] > rows["s01"]["visited_at"]
    assert rows["s01"]["new"][-1] is None and rows["s02"]["new"][-1] is not None


def test_status_of_one_source_shows_its_fields_and_problems_run_by_run(watched: tuple[Path, list[Site]]) -> None:
    told = watchfloor("status", "s00", "--db", watched[0])
    assert told.code == 1 and "s01" not in told.out
    assert re.search(r"^  published .*▁  ", told.out, re.MULTILINE)
    assert re.search(r"^run 15 .*! dates missing$", told.out, re.MULTILINE)
    (row,) = watchfloor("status", "s00", "--json", "--db", watched[0]).json["sources"]
    assert row["runs"][-1]["run_id"] == 15 and row["fields"]["published"][-1]["filled"] == 0
    assert watchfloor("status", "nobody", "--db", watched[0]).code == 1


def test_status_counts_a_source_that_only_rests_as_no_trouble(watched: tuple[Path, list[Site]]) -> None:
    assert watchfloor("status", "s01", "--db", watched[0]).code == 0


def test_the_line_for_cron_runs_where_cron_runs_it(site: Watch, tmp_path: Path) -> None:
    strange = tmp_path / "a % b's"
    strange.mkdir()
    with Inbox() as inbox:
        _runs_from_cron(site, strange, inbox)
    assert inbox.pings == ["/it%20went?a='well'&b=$1"]


def _runs_from_cron(site: Watch, strange: Path, inbox: Inbox) -> None:
    ping = f"http://127.0.0.1:{inbox.port}/it%20went?a='well'&b=$1"
    told = watchfloor("schedule", "--home", strange, "--db", strange / "watch.db", "--ping", ping)
    assert told.code == 0
    line = next(line for line in told.out.splitlines() if " crawl -q " in line)
    command = line.split(" ", 5)[5].replace("\\%", "%") + f" --sources '{site.file}'"
    address = f"127.0.0.1:{site.server.port}"
    ran = subprocess.run(
        ["/bin/sh", "-c", f"{command} --allow-address {address}"], env={}, cwd="/", capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert (strange / "watch.db").exists()


@pytest.mark.parametrize("every", ["1", "2", "24"])
def test_the_units_for_systemd_are_accepted_by_it(tmp_path: Path, every: str) -> None:
    told = watchfloor(
        "schedule", "--systemd", "--every", every, "--ping", "https://check.example/%20$x", "--db", "/x/w.db"
    )
    files = {}
    for line in told.out.splitlines():
        if line.startswith("# ~/"):
            files[name := Path(line.removeprefix("# ")).name] = ""
        elif not line.startswith("#"):
            files[name] += f"{line}\n"
    assert list(files) == [
        f"watchfloor{part}" for part in (".service", ".timer", "-watchdog.service", "-watchdog.timer")
    ]
    assert '"--ping" "https://check.example/%%20$$x"' in files["watchfloor.service"]
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        assert all(line.startswith("[") or "=" in line for line in text.splitlines() if line)
    if analyze := shutil.which("systemd-analyze"):
        calendar = [line for line in "\n".join(files.values()).splitlines() if line.startswith("OnCalendar=")]
        for line in calendar:
            subprocess.run([analyze, "calendar", line.partition("=")[2]], check=True, capture_output=True)


@pytest.mark.parametrize("ping", ["ftp://x", "https://x/'; rm -rf ~", "https://x/\n* * * * * y"])
def test_an_address_that_would_end_the_line_is_refused(ping: str) -> None:
    assert watchfloor("schedule", "--ping", ping).code == 2
