"""The clock is wrong, or jumps: nothing that is measured with it is negative, no pace is given up, and what has changed
is known by the number of a run. `make faults` runs it.

With libfaketime where it is installed; else, and for jumps, the child gives Python another `time.time` and
`datetime.now`, which are all that the product reads the clock with.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT, Ran, Watch
from soundness import arguments, check, long_test, one_at_a_time, slower, told, undisturbed

pytestmark = long_test()
YEAR = 365.25 * 86400
JUMPS = {
    "ten years on": (10 * YEAR, 10 * YEAR),
    "a year back": (-YEAR, -YEAR),
    "ten years on in the middle": (0, 10 * YEAR),
    "a year back in the middle": (0, -YEAR),
    "an hour back in the middle": (0, -3600),
    "before 1970 in the middle": (0, -60 * YEAR),
}
"""By how many seconds the clock is wrong at first, and after some requests."""

_OTHERWISE = """
import datetime, os, sys, time
at_first, then, after = map(float, sys.argv[1:4])
del sys.argv[1:4]
real, since = time.time, time.monotonic()
def shift():
    return at_first if time.monotonic() - since < after else then
class Shifted(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        found = _real.now(datetime.timezone.utc) + datetime.timedelta(seconds=shift())
        found = found.astimezone(tz) if tz else found.astimezone().replace(tzinfo=None)
        return cls(*found.timetuple()[:6], found.microsecond, found.tzinfo)
    @classmethod
    def utcnow(cls):
        return cls.now(datetime.timezone.utc).replace(tzinfo=None)
_real = datetime.datetime
time.time = lambda: real() + shift()
time.time_ns = lambda: int(time.time() * 10**9)
datetime.datetime = Shifted
from app.cli.main import main
main()
"""


def ran(watch: Watch, at_first: float, then: float, *more: str) -> Ran:
    """A crawl by another clock, which jumps in its middle."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    if shutil.which("faketime") and at_first == then:
        start = ["faketime", "-f", f"{at_first:+.0f}s", sys.executable, "-m", "app.cli.main"]
    else:
        start = [sys.executable, "-c", _OTHERWISE, str(at_first), str(then), "2.5"]
    done = subprocess.run(
        [*start, *arguments(watch, "--json", *more)],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_is_wrong_or_jumps_costs_no_page_and_no_pace(jump: str, tmp_path: Path) -> None:
    watch = one_at_a_time(undisturbed().server, tmp_path)
    delay = 0.1
    slower(watch, delay)
    before = len(watch.server.times)
    done = ran(watch, *JUMPS[jump])
    print(f"{jump}: exit code {done.code}, {[p['name'] for p in done.json['problems']]}")
    assert done.code in (0, 1) and {p["name"] for p in done.json["problems"]} <= {"clock"}, done.err
    assert "Traceback" not in done.err
    times = watch.server.times[before:]
    assert times[-1] - times[0] > delay * (len(times) - 1) * 0.8, "the pace was given up"
    ((seconds, kept),) = watch.rows("SELECT seconds, delay_kept FROM run_sources")
    assert 0 < seconds < 120 and kept >= delay * 0.9
    found = told(watch.db, watch.server.url)
    for table in ("comments", "links", "verdicts"):
        assert found[table] == undisturbed().rows[table]
    check(watch.db, broken=bool(done.code))


@pytest.mark.parametrize("jump", ["a year back", "ten years on"])
def test_the_run_after_a_jump_finds_what_is_new_and_says_that_the_clock_is_behind(jump: str, tmp_path: Path) -> None:
    watch = one_at_a_time(undisturbed().server, tmp_path)
    by = JUMPS[jump][0]
    assert ran(watch, by, by).code in (0, 1)
    second = ran(watch, 0, 0, "--again")
    assert [p["name"] for p in second.json["problems"]] == ["clock"] * (by > 0)
    third = ran(watch, 0, 0)
    names = [p["name"] for p in third.json["problems"]]
    print(f"{jump}, and back: {names}")
    assert set(names) <= {"clock"}
    assert not watch.rows("SELECT 1 FROM runs WHERE status = 'running'")
    ((seconds,),) = watch.rows("SELECT min(seconds) FROM run_sources")
    assert seconds >= 0
    for command in ("status", "doctor", "latest", "runs"):
        read = watch(command)
        assert read.code in (0, 1) and "Traceback" not in read.err
    check(watch.db, broken=bool(third.code))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Pacific/Apia"])
def test_the_time_of_a_place_and_its_summer_time_make_no_difference(zone: str, tmp_path: Path) -> None:
    watch = one_at_a_time(undisturbed().server, tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "app.cli.main", *arguments(watch, "-q")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TZ": zone},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert told(watch.db, watch.server.url) == undisturbed().rows
    ((off,),) = watch.rows("SELECT abs(julianday('now') - julianday(started_at)) FROM runs")
    assert off < 1 / 24
