"""The report of a run tells the truth, and so does its exit code."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from crawler import health
from crawler.health import Ending, clock_off, judge_run, source_problems, yielded
from crawler.incidents import Incidents
from crawler.items import Fetch, Met, Past, PastRun, Problem, RunReport, SourceTally
from crawler.quarantine import FAILURES, FIRST_REST, LONGEST_REST, failures, rest, resting, rests_until
from crawler.rhythm import slow

WELL = SourceTally(listings=2, links=40, fetched=40, new=3, unchanged=36, rejected=1)
DOWN = SourceTally(listings=2, listings_failed=2)
ONE_DOWN = SourceTally(listings=2, listings_failed=1, new=1, fetched=1)
EMPTY = SourceTally(listings=1)
NO_ARTICLE = SourceTally(listings=1, links=9, fetched=9, rejected=9)
FORBIDDEN = SourceTally(skipped=1)
GOOD, NEVER, FIRST = Past(visits=9, most=39), Past(visits=9), Past()
RESTING = SourceTally(resting=1)
HALF_BLOCKED = SourceTally(listings=1, fetched=10, failed=5, blocked=5, new=5)
NOW = "2026-11-22T12:00:00Z"
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
        (SourceTally(listings=1, fetched=10, failed=2, new=8), GOOD, "pages failed", "2 of 10 pages failed"),
        (HALF_BLOCKED, GOOD, "blocked", "kept from 5 of 10 pages"),
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
        SourceTally(listings=1, links=3, fetched=3, new=2, failed=1),
        SourceTally(listings=1, links=9, fetched=1, skipped=8, new=1),
        SourceTally(listings=1, links=9, fetched=9, gone=8, edited=1),
    ],
    ids=[
        "new",
        "nothing changed",
        "failures within the share",
        "a single failure among few",
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
        ((DOWN, RESTING), {}, "failed", 3),
        ((WELL, RESTING), {}, "ok", 0),
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


def test_one_lost_page_is_trouble_only_where_none_may_be() -> None:
    tally = SourceTally(listings=1, fetched=2, failed=1, new=1)
    assert source_problems("s", tally, GOOD, 0.05) == []
    assert [p.name for p in source_problems("s", tally, GOOD, 0.0)] == ["pages failed"]


@pytest.mark.parametrize(
    ("tally", "met", "problems"),
    [
        (DOWN, Met(listings_html=2), ["feed is HTML"]),
        (ONE_DOWN, Met(listings_html=1), ["feed is HTML"]),
        (DOWN, Met(listings_html=1), ["source failed", "feed is HTML"]),
        (DOWN, Met(listings_blocked=2), ["blocked"]),
        (DOWN, Met(listings_blocked=1), ["source failed"]),
        (ONE_DOWN, Met(listings_blocked=1), ["listing failed"]),
        (SourceTally(listings=1, fetched=9, rejected=9, blocked=9), Met(walls=9), ["blocked"]),
        (SourceTally(listings=1, fetched=9, new=3, failed=6, blocked=3), Met(), ["blocked", "pages failed"]),
        (
            SourceTally(listings=1, fetched=9, new=3, failed=3, rejected=3, blocked=3),
            Met(walls=3),
            ["blocked", "pages failed"],
        ),
    ],
    ids=[
        "every listing is HTML",
        "one of two is HTML",
        "one is HTML, one fails",
        "kept from all listings",
        "kept from one, the other fails",
        "kept from one of two",
        "a wall on every page",
        "kept from some pages, others fail",
        "walls are no failures",
    ],
)
def test_what_keeps_us_out_and_what_is_no_feed_have_names_of_their_own(tally, met, problems):
    assert [p.name for p in source_problems("s", tally, GOOD, 0.05, met)] == problems


def test_what_was_met_says_why_and_where_first() -> None:
    incidents = Incidents()
    for number, status in enumerate((403, 403, 500)):
        fetch = Fetch(url=f"u/{number}", source_id="s", outcome="failed", reason=f"HTTP {status}", status=status)
        incidents.add(fetch)
    met = incidents.met()
    assert met.because["blocked"] == "HTTP 403, 2 times, first u/0" and met.because["page"] == "HTTP 500, u/2"
    (blocked,) = source_problems("s", HALF_BLOCKED, GOOD, 0.05, met)
    assert blocked.detail == "kept from 5 of 10 pages: HTTP 403, 2 times, first u/0"
    html = Fetch(url="f", source_id="s", outcome="failed", kind="listing", detail="an HTML page where a feed should be")
    incidents.add(html)
    met = incidents.met()
    assert (met.listings_html, met.listings_blocked, met.walls) == (1, 0, 0)


def test_a_problem_that_stays_tells_since_which_run() -> None:
    last = PastRun(
        run_id=6, at=NOW, tally=DOWN, problems=(Problem(name="source failed", source="s", detail="", since=4),)
    )
    (problem,) = source_problems("s", DOWN, Past(runs=(last,)), 0.05, ending=Ending(run_id=7))
    assert problem.since == 4
    (problem,) = source_problems("s", DOWN, Past(), 0.05, ending=Ending(run_id=7))
    assert problem.since == 7


# ---- the clock, and how long it takes


@pytest.mark.parametrize(
    ("ending", "problems"),
    [
        ({"started": NOW, "last_end": "2026-11-22T12:00:59Z"}, []),
        ({"started": NOW, "last_end": "2026-11-22T13:00:00Z"}, ["clock"]),
        ({"clock_off": 300.0}, []),
        ({"clock_off": -86_400.0}, ["clock"]),
    ],
)
def test_a_clock_that_is_wrong_is_named(ending, problems):
    assert names(judged(WELL, **ending)) == problems


def test_one_server_with_a_wrong_clock_is_not_believed() -> None:
    assert clock_off({"a": [9e9]}) == clock_off({"a": [9e9], "b": [9e9], "c": []}) == 0.0
    assert clock_off({"a": [9e9], "b": [1.0, 2.0], "c": [0.0]}) == 1.5


def test_a_visit_is_slow_by_its_own_past() -> None:
    past = [PastRun(run_id=n, at=NOW, tally=SourceTally(fetched=20, seconds=30.0 + n)) for n in range(10)]
    assert slow(SourceTally(fetched=20, seconds=900.0), past).startswith("45.0 seconds a page, usually 1.7")
    assert slow(SourceTally(fetched=20, seconds=100.0), past) == ""
    assert slow(SourceTally(fetched=200, seconds=600.0), past) == ""
    assert slow(SourceTally(fetched=3, seconds=900.0), past) == ""
    assert slow(SourceTally(fetched=20, seconds=900.0), past[1:]) == ""


# ---- quarantine


def failed(number: int, *, others_gave: bool = True, tally: SourceTally = DOWN, hours: float = 0) -> list[PastRun]:
    at = datetime.fromisoformat(NOW) - timedelta(hours=hours)
    run = PastRun(run_id=1, at=f"{at:%Y-%m-%dT%H:%M:%SZ}", tally=tally, others_gave=others_gave)
    return [run] * number


def test_failures_in_a_row_count_where_others_gave_something() -> None:
    well = failed(1, tally=WELL)
    assert failures([*failed(3), *well, *failed(2)]) == 2
    assert failures([*failed(3), *failed(9, others_gave=False), *failed(1, tally=RESTING)]) == 3
    assert failures([*failed(3), *well]) == failures([]) == 0
    assert failures(failed(2, tally=SourceTally(listings=1, fetched=4, failed=4, blocked=4))) == 2


def test_a_source_rests_ever_longer_and_never_longer_than_a_week() -> None:
    hours = [rest(n) / timedelta(hours=1) for n in range(FAILURES - 1, FAILURES + 7)]
    assert hours == [0, 6, 12, 24, 48, 96, 168, 168]
    assert (rest(FAILURES), rest(10_000)) == (FIRST_REST, LONGEST_REST)


def test_a_rest_ends_by_the_clock_and_a_clock_that_was_set_back_ends_it_too() -> None:
    assert rests_until(failed(FAILURES, hours=5), NOW) == "2026-11-22T13:00:00Z"
    assert rests_until(failed(FAILURES, hours=6), NOW) == ""
    assert rests_until(failed(FAILURES, hours=-1000), NOW) == ""


def test_when_every_source_would_rest_none_does() -> None:
    down, well = Past(runs=tuple(failed(FAILURES))), Past(runs=tuple(failed(1, tally=WELL)))
    assert resting({"a": down, "b": well}, NOW) == {"a"}
    assert resting({"a": down, "b": down}, NOW) == frozenset()


def test_the_beginning_of_a_rest_and_each_try_in_vain_are_named_and_the_rest_itself_is_not() -> None:
    past = {"s0": Past(runs=tuple(failed(FAILURES - 1))), "s1": GOOD}

    def named(first: SourceTally, second: SourceTally, past: dict[str, Past] = past) -> list[str]:
        return names(judge_run({"s0": first, "s1": second}, past, Ending(now=NOW, run_id=9)))

    assert named(DOWN, WELL) == ["source failed", "quarantined"]
    assert named(DOWN, DOWN) == ["source failed", "source failed"]
    assert named(RESTING, WELL) == []
    assert named(DOWN, WELL, {**past, "s0": Past(runs=tuple(failed(FAILURES - 2)))}) == ["source failed"]
    assert named(WELL, WELL) == []


def test_a_run_that_ended_at_its_deadline_is_trouble_and_says_nothing_of_what_it_did_not_reach():
    report = judged(WELL, EMPTY, past=GOOD, deadline="it was ended after 240 minutes, its limit", now=NOW, run_id=3)
    assert (report.status, report.exit_code) == ("trouble", health.TROUBLE)
    assert report.problems == (
        Problem(name="cut short", source="", detail="it was ended after 240 minutes, its limit", since=3),
    )


def test_a_source_that_was_not_asked_for_all_its_pages_is_named():
    report = judged(WELL, WELL, cut_short={"s1": "the host gives no answers: slow.example"})
    assert [(p.name, p.source) for p in report.problems] == [("cut short", "s1")]
