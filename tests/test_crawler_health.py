"""The report of a run tells the truth, and so does its exit code."""

from __future__ import annotations

import pytest

from crawler import health
from crawler.health import Ending, judge_run, source_problems, yielded
from crawler.items import Past, Problem, RunReport, SourceTally

WELL = SourceTally(listings=2, links=40, fetched=40, new=3, unchanged=36, rejected=1)
DOWN = SourceTally(listings=2, listings_failed=2)
ONE_DOWN = SourceTally(listings=2, listings_failed=1, new=1, fetched=1)
EMPTY = SourceTally(listings=1)
NO_ARTICLE = SourceTally(listings=1, links=9, fetched=9, rejected=9)
FORBIDDEN = SourceTally(skipped=1)
GOOD, NEVER, FIRST = Past(visits=9, most=39), Past(visits=9), Past()
ALL_FAILED = SourceTally(listings=1, links=9, fetched=9, failed=9)


def judged(*tallies: SourceTally, past: Past = GOOD, **ending: object) -> RunReport:
    names = [f"s{i}" for i in range(len(tallies))]
    return judge_run(dict(zip(names, tallies, strict=True)), dict.fromkeys(names, past), Ending(**ending))


def names(report: RunReport) -> list[str]:
    return [p.name for p in report.problems]


@pytest.mark.parametrize(
    ("tally", "past", "problem", "detail"),
    [
        (DOWN, GOOD, "source failed", "none of its 2 listings could be read"),
        (ONE_DOWN, GOOD, "listing failed", "1 of 2 listings could not be read"),
        (SourceTally(listings=1, fetched=10, failed=1, new=9), GOOD, "pages failed", "1 of 10 pages failed"),
        (EMPTY, GOOD, "yields nothing", "its listings hold no links; it has given up to 39 before"),
        (EMPTY, FIRST, "yields nothing", "its listings hold no links, on this first visit"),
        (EMPTY, NEVER, "yields nothing", "its listings hold no links; it never gave one"),
        (NO_ARTICLE, GOOD, "yields nothing", "none of its 9 pages is an article; it has given up to 39 before"),
        (FORBIDDEN, GOOD, "yields nothing", "robots.txt forbids all of it; it has given up to 39 before"),
        (SourceTally(), GOOD, "yields nothing", "it was not visited; it has given up to 39 before"),
    ],
)
def test_each_problem_is_named_with_its_numbers(tally, past, problem, detail):
    assert source_problems("s", tally, past, 0.05) == [Problem(name=problem, source="s", detail=detail)]


def test_a_source_can_have_two_problems():
    tally = SourceTally(listings=2, listings_failed=1, fetched=10, failed=5, new=5)
    assert [p.name for p in source_problems("s", tally, GOOD, 0.05)] == ["listing failed", "pages failed"]


@pytest.mark.parametrize(
    "tally",
    [
        WELL,
        SourceTally(listings=1, links=5, fetched=5, unchanged=5),
        SourceTally(listings=1, links=20, fetched=20, new=19, failed=1),
        SourceTally(listings=1, links=9, fetched=1, skipped=8, new=1),
        SourceTally(listings=1, links=9, fetched=9, gone=8, edited=1),
    ],
    ids=[
        "new",
        "nothing changed",
        "failures within the share",
        "robots-skipped pages",
        "gone pages",
    ],
)
def test_what_belongs_to_a_run_is_no_trouble(tally):
    report = judged(tally)
    assert (report.status, report.exit_code, report.problems) == ("ok", health.OK, ())


@pytest.mark.parametrize(("failed", "problems"), [(0, []), (10, []), (11, ["pages failed"])])
def test_pages_may_fail_up_to_the_share(failed, problems):
    tally = SourceTally(listings=1, fetched=100, failed=failed, new=50)
    assert [p.name for p in source_problems("s", tally, FIRST, 0.1)] == problems


@pytest.mark.parametrize("past", [FIRST, NEVER])
def test_a_source_that_robots_txt_always_forbade_is_no_trouble(past):
    assert source_problems("s", FORBIDDEN, past, 0.05) == []


def test_thirty_healthy_runs_raise_no_alarm():
    past = FIRST
    for run in range(30):
        new = max(0, 3 - run)
        tally = SourceTally(listings=2, links=40, fetched=40, new=new, unchanged=37, rejected=2, failed=run % 2)
        assert judged(tally, past=past).exit_code == health.OK
        past = Past(visits=run + 1, most=max(past.most, yielded(tally)))


def test_an_interrupted_run_does_not_miss_what_it_did_not_reach():
    assert names(judged(EMPTY, signal=15)) == []


@pytest.mark.parametrize(
    ("tallies", "ending", "status", "code"),
    [
        ((WELL, WELL), {}, "ok", 0),
        ((), {}, "ok", 0),
        ((WELL, DOWN), {}, "trouble", 1),
        ((WELL, EMPTY), {}, "trouble", 1),
        ((WELL,), {"unrecorded": 2}, "trouble", 1),
        ((DOWN, DOWN), {}, "failed", 3),
        ((DOWN, ALL_FAILED), {}, "failed", 3),
        ((WELL, WELL), {"database": "disk full"}, "failed", 4),
        ((DOWN,), {"database": "disk full", "signal": 2}, "failed", 4),
        ((WELL,), {"signal": 1}, "interrupted", 129),
        ((WELL,), {"signal": 2}, "interrupted", 130),
        ((WELL,), {"signal": 15}, "interrupted", 143),
        ((DOWN,), {"signal": 15}, "interrupted", 143),
    ],
)
def test_every_outcome_has_its_status_and_exit_code(tallies, ending, status, code):
    report = judged(*tallies, **ending)
    assert (report.status, report.exit_code) == (status, code)
    assert list(report.tallies.values()) == list(tallies)


def test_what_broke_the_run_is_a_problem_of_no_source():
    assert judged(WELL, database="disk full").problems == (Problem(name="database", source="", detail="disk full"),)
    assert names(judged(WELL, unrecorded=2)) == ["not recorded"]


def test_a_problem_names_its_source():
    assert [(p.source, p.name) for p in judged(WELL, DOWN).problems] == [("s1", "source failed")]


def test_an_article_counts_whether_it_is_new_edited_or_unchanged():
    assert yielded(SourceTally(new=1, edited=2, unchanged=4, rejected=8, gone=16)) == 7
