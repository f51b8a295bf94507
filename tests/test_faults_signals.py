"""A crawl that is told to end: in time, with its run marked, nothing half written; the next one goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.demo.server import serve
from app.demo.site import Response
from conftest import ROOT, Watch
from crawler import limits
from soundness import (
    arguments,
    check,
    complete,
    long_test,
    made_up_for,
    one_at_a_time,
    same,
    under_way,
    undisturbed,
    until,
)

AT_ONCE, SOON = 2, 10
"""Seconds for a second signal, and for one whose pages answer."""
SLOW_MACHINE = 5
"""Seconds more for a machine that has much to do: what is promised is no matter of ours alone."""


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[Watch]:
    """A site whose listings answer and whose articles never do."""
    never = threading.Event()
    with serve() as server:
        answer = server.site.get

        def get(path: str, headers: dict[str, str] | None = None) -> Response:
            if path.startswith("/20"):
                never.wait()
            return answer(path, headers)

        server.site.get = get  # type: ignore[method-assign,assignment]
        yield one_at_a_time(server, tmp_path)
        server.site.get = answer  # type: ignore[method-assign]
        never.set()


def asked_for_an_article(watch: Watch, process: subprocess.Popen[str]) -> None:
    listings = 6
    until(lambda: len(watch.server.times) > listings or process.poll() is not None)
    time.sleep(0.5)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 129), pytest.param(signal.SIGINT, 130, marks=long_test())],
    ids=["TERM", "HUP", "INT"],
)
def test_a_signal_ends_a_run_soon_and_the_next_one_goes_on(number: signal.Signals, code: int, tmp_path: Path) -> None:
    watch = one_at_a_time(undisturbed().server, tmp_path)
    with under_way(watch) as process:
        process.send_signal(number)
        began = time.monotonic()
        out, err = process.communicate(timeout=60)
        assert process.returncode == code
        assert time.monotonic() - began < SOON + SLOW_MACHINE
    assert "Traceback" not in out + err
    assert watch.rows("SELECT status, exit_code FROM runs") == [("interrupted", code)]
    check(watch.db)
    complete(watch.db, undisturbed().rows, watch.server.url)
    made_up_for(watch)


def test_a_second_signal_ends_a_run_at_once_that_waits_for_a_site(hanging: Watch) -> None:
    with under_way(hanging, pages=0) as process:
        asked_for_an_article(hanging, process)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert time.monotonic() - began < AT_ONCE + SLOW_MACHINE
    assert "Traceback" not in out + err
    check(hanging.db)
    assert hanging.rows("SELECT count(*) FROM articles") == [(0,)]


@pytest.mark.parametrize("number", [pytest.param(signal.SIGTERM, marks=long_test())])
def test_a_run_that_waits_for_a_site_ends_when_the_site_had_its_time(number: signal.Signals, hanging: Watch) -> None:
    with under_way(hanging, pages=0) as process:
        asked_for_an_article(hanging, process)
        process.send_signal(number)
        began = time.monotonic()
        process.communicate(timeout=120)
        assert process.returncode == 128 + number
        assert time.monotonic() - began < limits.DOWNLOAD_SECONDS + SLOW_MACHINE
    check(hanging.db)
    ((links,),) = hanging.rows("SELECT links FROM run_sources")
    assert hanging.rows("SELECT count(*) FROM fetches WHERE kind = 'page'") == [(links,)]


def test_who_reads_the_output_may_leave(tmp_path: Path) -> None:
    """`crawl -v 2>&1 | head -1`: the crawl goes on to its end, or ends as one that was told to, and is whole."""
    watch = one_at_a_time(undisturbed().server, tmp_path)
    command = " ".join([sys.executable, "-m app.cli.main", *arguments(watch, "-v")])
    shell = f"{command} 2>&1 | head -1; echo ${{PIPESTATUS[0]}}"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        ["bash", "-c", shell], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert "Traceback" not in ran.stdout + ran.stderr
    assert int(ran.stdout.split()[-1]) in (0, 120, 129), ran  # 120: Python's own for output that nobody took
    check(watch.db, broken=False)
    same(watch.db, undisturbed().rows, watch.server.url)
