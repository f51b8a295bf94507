"""The gate: scores on the open data that may not fall. Lowering one is an explicit act, with its reason."""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import spam
from bench.adapters import links

EVALUATION = Path(os.environ.get("WATCHFLOOR_EVAL", Path(__file__).parents[2] / "shared" / "eval"))
DATA = EVALUATION / "data"
pytestmark = pytest.mark.skipif(
    not (DATA / "links").exists(), reason="the evaluation data is not here; WATCHFLOOR_EVAL names its folder"
)
EXACT_F1 = {"linkify": 0.97, "urlextract": 0.95}
"""What stood when the gate was set: 0.972 and 0.950."""
DISGUISES_F1, DISGUISES_PRECISION = 0.99, 0.99
"""All of the open ones are right; one slip is let pass."""


def _scorer() -> Any:
    sys.path.insert(0, str(EVALUATION))
    return importlib.import_module("score_links")


def _scored(suite: str) -> Any:
    scorer = _scorer()
    cases = scorer.load_suites(None, DATA / "links" / "disguises.jsonl", DATA / "links" / "cases.jsonl")
    chosen = [c for c in cases if c.suite == suite and c.extra.get("kind") != "contact"]
    return scorer.score_urls(chosen, [{"urls": links(c.text)} for c in chosen])


@pytest.mark.parametrize("suite", EXACT_F1)
def test_links_of_other_projects_suites_are_found_to_the_character(suite: str) -> None:
    assert _scored(suite)["exact"][2] >= EXACT_F1[suite]


def test_disguised_links_are_found_and_look_alikes_are_not() -> None:
    found = _scored("disguises")["bool"]
    assert found["f1"] >= DISGUISES_F1 and found["precision"] >= DISGUISES_PRECISION


def test_links_in_real_spam_are_found() -> None:
    lines = (DATA / "links" / "youtube_gold.jsonl").read_text("utf-8").splitlines()
    gold = {row["id"]: row for row in map(json.loads, lines)}
    rows = [row for rows in spam.load(EVALUATION).values() for row in rows]
    with_link = [r for r in rows if gold.get(r["id"], {}).get("has_url") and r["spam"]]
    disguised = [r for r in with_link if gold[r["id"]].get("disguised")]
    assert sum(bool(links(r["text"])) for r in with_link) >= 0.99 * len(with_link)
    assert sum(bool(links(r["text"])) for r in disguised) >= 0.94 * len(disguised)


def test_the_classifier_knows_spam_under_a_video_that_it_never_saw() -> None:
    scores = spam.measure(spam.leave_one_out(spam.load(EVALUATION)))
    assert scores["mcc"] >= 0.87
    assert scores["blocked_ham"] <= 0.05


def test_a_hundred_decisions_are_enough_to_be_useful() -> None:
    assert spam.measure(spam.after(spam.load(EVALUATION), 100))["f1"] >= 0.80
