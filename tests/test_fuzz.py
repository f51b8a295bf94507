"""The short run of fuzzing: all that was ever found, and some hundreds of new inputs for each target."""

from __future__ import annotations

import itertools
import resource
import time
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz import run
from fuzz.heavy import HEAVY, heavy
from fuzz.mutation import mutated
from fuzz.targets import TARGETS, Target

MUTATIONS = 300
"""Of the corpus of a target, at most."""
SECONDS = 0.3
"""Of processor time for the mutations of one target."""
SMALL = 2_000
"""Bytes of a mutation: enough for several mistakes in one input."""
LARGE, LARGE_SECONDS = 10_000, 0.4
"""Bytes of one thing over and over, and processor time for them: what takes quadratic time takes longer."""
ENTRIES = [(name, file) for name in TARGETS for file in run.entries(name)]


@pytest.mark.parametrize(("name", "file"), ENTRIES, ids=lambda part: getattr(part, "name", part))
def test_what_is_in_the_corpus_breaks_nothing(name, file) -> None:
    began = time.process_time()
    TARGETS[name].run(file.read_bytes())
    assert time.process_time() - began < run.HANG_SECONDS


@pytest.mark.parametrize("name", TARGETS)
def test_pieces_of_the_format_in_any_order_break_nothing(name) -> None:
    @settings(max_examples=25, deadline=None, database=None, derandomize=True)
    @given(st.lists(st.sampled_from(TARGETS[name].pieces), max_size=20).map(b"".join))
    def breaks_nothing(data: bytes) -> None:
        TARGETS[name].run(data)

    breaks_nothing()


@pytest.mark.parametrize("name", TARGETS)
def test_mutations_of_the_corpus_break_nothing(name) -> None:
    seeds, until = [file.read_bytes() for file in run.entries(name)], time.process_time() + SECONDS
    for seed in itertools.takewhile(lambda _: time.process_time() < until, range(MUTATIONS)):
        chance = Random(seed)
        data = mutated(chance, chance.choice(seeds), seeds, TARGETS[name].pieces, SMALL)
        try:
            TARGETS[name].run(data)
        except Exception as e:
            raise AssertionError(f"seed {seed}: {data!r}") from e


@pytest.mark.parametrize("name", TARGETS)
def test_one_thing_over_and_over_takes_no_time(name) -> None:
    for (before, unit, _), data in zip(HEAVY.get(name, ()), heavy(name, LARGE), strict=True):
        began = time.process_time()
        TARGETS[name].run(data)
        assert time.process_time() - began < LARGE_SECONDS, f"{before}{unit}…"


def test_every_target_has_a_corpus_of_small_entries() -> None:
    assert {folder.name for folder in run.CORPUS.iterdir()} == set(TARGETS)
    assert all(0 < file.stat().st_size <= 4096 for _, file in ENTRIES)


def test_what_ends_a_target_is_told_and_made_smaller(monkeypatch) -> None:
    def breaks(data: bytes) -> None:
        if b"slow" in data:
            while True:
                pass
        if b"large" in data:
            bytearray(run.MEMORY_BYTES)
        assert b"<b>" not in data, "bold"

    monkeypatch.setitem(TARGETS, "cleaning", Target(run=breaks, pieces=()))
    monkeypatch.setattr(run, "HANG_SECONDS", 0.1)
    here = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    monkeypatch.setattr(run, "MEMORY_BYTES", here + run.MEMORY_BYTES)
    ends = {b"": "", b"slow": "hang: longer than 0.1 s", b"large": "MemoryError", b"a<b>c": "AssertionError: bold"}
    for data, why in ends.items():
        assert run.watched("once", run.Noted(), "cleaning", data).why == why
    small = run.Noted()
    run.watched("smaller", small, "cleaning", b"a" * 20 + b"<b>" + b"c" * 40, ends[b"a<b>c"])
    assert small.last == b"<b>"
