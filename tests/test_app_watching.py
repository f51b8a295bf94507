"""`status` and `schedule`: the watch is kept, and somebody is told when it is not."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from conftest import Watch, watchfloor


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


def test_the_line_for_cron_runs_where_cron_runs_it(site: Watch, tmp_path: Path) -> None:
    strange = tmp_path / "a % b's"
    strange.mkdir()
    told = watchfloor("schedule", "--home", strange, "--db", strange / "watch.db")
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
    told = watchfloor("schedule", "--systemd", "--every", every, "--ping", "https://check.example/x", "--db", "/x/w.db")
    files = {}
    for line in told.out.splitlines():
        if line.startswith("# ~/"):
            files[name := Path(line.removeprefix("# ")).name] = ""
        elif not line.startswith("#"):
            files[name] += f"{line}\n"
    assert list(files) == [
        f"watchfloor{part}" for part in (".service", ".timer", "-watchdog.service", "-watchdog.timer")
    ]
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        assert all(line.startswith("[") or "=" in line for line in text.splitlines() if line)
    if analyze := shutil.which("systemd-analyze"):
        calendar = [line for line in "\n".join(files.values()).splitlines() if line.startswith("OnCalendar=")]
        for line in calendar:
            subprocess.run([analyze, "calendar", line.partition("=")[2]], check=True, capture_output=True)


@pytest.mark.parametrize("ping", ["ftp://x", "https://x/'; rm -rf ~", "https://x/%20", "https://x/\n* * * * * y"])
def test_an_address_that_would_end_the_line_is_refused(ping: str) -> None:
    assert watchfloor("schedule", "--ping", ping).code == 2
