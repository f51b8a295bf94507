"""A crawl that is killed at any moment loses nothing: the next one ends where an undisturbed one would have ended.

Every other kill comes at a random time, the rest in turn in each stage of a run: its start, fetching, writing, judging,
and its end. `make kills` tries 50, five of them at least in each stage.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

import pytest

from conftest import ROOT, Watch
from crashing import STAGES
from soundness import SEED, arguments, begun, check, complete, made_up_for, one_at_a_time, same, told_as_ok, undisturbed

KILLS = int(os.environ.get("WATCHFLOOR_KILLS", "4"))
"""How many moments are tried."""
EARLY = 0.8
"""Of the calls that a stage took once: some fewer may do the next time."""


def killed_after(watch: Watch, requests: int, seconds: float) -> int:
    """A crawl that is killed some time after the site got so many requests; what it returned."""
    before = len(watch.server.times)
    process = begun(watch, "-q", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and len(watch.server.times) - before < requests:
        time.sleep(0.001)
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(seconds)
    process.send_signal(signal.SIGKILL)
    return process.wait()


def killed_in(watch: Watch, stage: str, number: int, acknowledged: Path) -> tuple[int, dict[str, int]]:
    """A crawl that ends with the n-th call of a stage; what it returned, and the calls it counted if it did not."""
    script = [sys.executable, str(ROOT / "tests" / "crashing.py"), stage, str(number), str(acknowledged)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [*script, *arguments(watch, "-q")], env=env, cwd=ROOT, capture_output=True, timeout=120, check=False
    )
    return ran.returncode, json.loads(ran.stdout) if ran.stdout else {}


@cache
def calls() -> dict[str, int]:
    """How many calls each stage takes."""
    with tempfile.TemporaryDirectory() as folder:
        watch = one_at_a_time(undisturbed().server, Path(folder))
        code, counts = killed_in(watch, STAGES[0], 0, Path(folder, "acknowledged"))
        assert code == 0
        return counts


@pytest.mark.parametrize("number", range(KILLS))
def test_the_run_after_a_kill_ends_where_an_undisturbed_one_does(number: int, tmp_path: Path) -> None:
    watch = one_at_a_time(undisturbed().server, tmp_path)
    moment, acknowledged = random.Random(SEED + number), tmp_path / "acknowledged"
    if number % 2:
        stage = STAGES[number // 2 % len(STAGES)]
        at = moment.randrange(1, int(calls()[stage] * EARLY))
        code, _ = killed_in(watch, stage, at, acknowledged)
        told = f"in {stage}, at call {at} of about {calls()[stage]}"
    else:
        requests, seconds = moment.randrange(undisturbed().requests), moment.uniform(0, 0.05)
        code = killed_after(watch, requests, seconds)
        told = f"{seconds * 1000:.0f} ms after request {requests}"
    print(f"seed {SEED + number}: killed {told}")
    assert code == -signal.SIGKILL
    urls = set(acknowledged.read_text("utf-8").split()) if acknowledged.exists() else set()
    ended = told_as_ok(watch.db)
    if ended:  # killed when its last word was written down: then all that it says is so
        same(watch.db, undisturbed().rows, watch.server.url)
    check(watch.db, acknowledged=urls, broken=not ended)
    complete(watch.db, undisturbed().rows, watch.server.url)
    made_up_for(watch)
