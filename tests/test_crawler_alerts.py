"""People are told when something begins to be wrong and when it is over, not once an hour."""

from __future__ import annotations

from crawler.alerts import TOLD, alert
from crawler.items import Problem, RunReport, SourceTally

VISITED = SourceTally(listings=1, fetched=3, new=3)


def problem(source: str, name: str = "blocked") -> Problem:
    return Problem(name=name, source=source, detail="half of its pages")


def report(*problems: Problem, status: str = "trouble", **tallies: SourceTally) -> RunReport:
    return RunReport(
        status=status,  # type: ignore[arg-type]
        exit_code=int(bool(problems)),
        tallies={"one": VISITED, "two": VISITED, **tallies},
        problems=problems,
    )


def test_a_new_problem_is_told_with_its_source_and_detail() -> None:
    told = alert(report(problem("one")), ())
    assert told and not told.good
    assert told.title == "watchfloor: 1 problem began"
    assert told.text == "one: blocked: half of its pages"


def test_a_problem_that_stays_is_not_told_again() -> None:
    assert alert(report(problem("one")), [problem("one")]) is None


def test_a_run_without_problems_is_silent() -> None:
    assert alert(report(status="ok"), ()) is None


def test_what_is_over_is_told_too() -> None:
    told = alert(report(problem("one"), status="trouble"), [problem("two")])
    assert (
        told and not told.good and told.text.splitlines() == ["one: blocked: half of its pages", "over: two: blocked"]
    )
    told = alert(report(status="ok"), [problem("two"), problem("", "not recorded")])
    assert told and told.good and told.title == "watchfloor: 2 problems over"


def test_a_source_that_was_not_visited_or_rests_is_not_well_again() -> None:
    assert alert(report(status="ok"), [problem("three")]) is None
    assert alert(report(status="ok", two=SourceTally(resting=1)), [problem("two")]) is None


def test_an_interrupted_run_says_nothing_of_what_is_over() -> None:
    assert alert(report(status="interrupted"), [problem("two")]) is None


def test_a_long_list_is_cut_and_counted() -> None:
    told = alert(report(*(problem(f"s{i}") for i in range(TOLD + 5))), ())
    assert told and told.text.splitlines()[-1] == "and 5 more" and len(told.text.splitlines()) == TOLD + 1
