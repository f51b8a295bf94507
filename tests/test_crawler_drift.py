"""A field that falls is named with its culprit; what only varies is not. Simulated watches, in a real database."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.drift import NEW_NORMAL, PROBLEMS, doubtful, drift_problems, drifted, lower_bound
from crawler.fields import BODY_CHARACTERS, FieldTally, asked, refused, spoken
from crawler.items import (
    Article,
    Block,
    Comment,
    Cut,
    Delta,
    Fetch,
    FieldCount,
    Known,
    Moment,
    Page,
    Past,
    PastRun,
    Problem,
    Section,
    SourceTally,
)
from crawler.rhythm import QUIET_LEAST, quiet
from pipelines.compare import article_fields, compare
from simulation import KINDS, START, Site, Watched, stamp

NOW = "2026-11-22T12:00:00Z"
LONG = "A sentence of an article. " * 20
URL = "https://s.example/a"


def runs(*counts: tuple[int, int], at: str = "2026-11-20T12:00:00Z") -> list[FieldCount]:
    """(filled, read) of runs 1, 2, …, with addresses that tell the run."""
    return [
        FieldCount(
            run_id=number,
            at=at,
            read=read,
            filled=filled,
            filled_url=f"good/{number}" if filled else "",
            missing_url=f"bad/{number}" if filled < read else "",
        )
        for number, (filled, read) in enumerate(counts, 1)
    ]


WELL = [(5, 5)] * 8


def test_a_fall_names_its_run_the_last_good_and_the_first_bad_page() -> None:
    (problem,) = drift_problems("s", {"published": runs(*WELL, (0, 4), (0, 4))}, Past(), NOW)
    assert (problem.name, problem.source, problem.field, problem.since) == ("dates missing", "s", "published", 9)
    assert (problem.good_url, problem.bad_url) == ("good/8", "bad/9")
    assert problem.detail == (
        "0 of 8 pages have a date since run 9, 40 of 40 before; the last with it good/8, the first without bad/9"
    )


@pytest.mark.parametrize(
    "counts",
    [
        [],
        [(5, 5)],
        [(0, 5)] * 20,
        [(0, 9), (9, 9)],
        [*WELL, (0, 2)],
        [*WELL, (4, 5), (4, 5), (4, 5)],
        [(3, 3), (0, 9)],
        [*[(3, 5)] * 8, (0, 4)],
        [*WELL[:4], (0, 6), *WELL, (0, 6)],
        [*WELL, (0, 8), (5, 5)],
        [*WELL, *[(2, 5)] * 6],
    ],
    ids=[
        "nothing",
        "one run",
        "never had it",
        "gained it",
        "two pages",
        "a small fall",
        "too little is known",
        "a batch where half have it",
        "as bad before",
        "over by now",
        "half of it, and no week is known",
    ],
)
def test_what_is_no_fall_is_not_named(counts: list[tuple[int, int]]) -> None:
    assert drifted(runs(*counts), NOW) is None


def test_half_of_a_field_is_a_fall_where_a_week_is_known() -> None:
    week = [FieldCount(run_id=day, at=f"2026-11-{day:02}T12:00:00Z", read=20, filled=19) for day in range(1, 11)]
    after = FieldCount(run_id=11, at="2026-11-11T12:00:00Z", read=20, filled=7, missing_url="bad")
    assert drifted([*week, after], NOW) is not None
    assert drifted([*week[4:], after], NOW) is None


def test_a_fall_is_told_until_the_latest_pages_have_the_field_again() -> None:
    fallen = [*WELL, (0, 8)]
    assert drifted(runs(*fallen, (1, 1), (0, 2)), NOW, open_since=9) is not None
    assert drifted(runs(*fallen, (2, 2), (3, 3)), NOW, open_since=9) is None


def test_after_a_month_a_source_is_what_it_has_become() -> None:
    since = "2026-10-01T12:00:00Z"
    late = stamp(datetime.fromisoformat(since) + NEW_NORMAL + timedelta(hours=1))
    assert drifted(runs(*WELL, (0, 30), at=since), since, open_since=9) is not None
    assert drifted(runs(*WELL, (0, 30), at=since), late, open_since=9) is None


def test_pages_refused_for_want_of_a_text_are_named_once_by_their_culprit() -> None:
    counts = runs(*WELL, (0, 8))
    assert [p.name for p in drift_problems("s", {"body": counts, "article": counts}, Past(), NOW)] == ["bodies missing"]
    (problem,) = drift_problems("s", {"article": counts}, Past(), NOW, {"rejected": "index page, 8 times, first bad/9"})
    assert problem.name == "more rejected" and problem.detail.endswith("index page, 8 times, first bad/9")


def test_what_the_last_run_named_stands_though_its_run_has_left_what_is_known() -> None:
    before, since = runs(*WELL), [FieldCount(run_id=n, read=1, missing_url=f"bad/{n}") for n in range(50, 90)]
    standing = Problem(name="dates missing", source="s", detail="", since=50, field="published")
    past = Past(runs=(PastRun(run_id=89, at=NOW, tally=SourceTally(), problems=(standing,)),))
    assert doubtful({}, past) == {"published": 50}
    (problem,) = drift_problems("s", {"published": [*before, *since]}, past, NOW)
    assert (problem.since, problem.bad_url) == (50, "bad/50")


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60), st.integers(0, 70))
def test_judging_never_fails_and_a_fall_is_one(pairs: list[tuple[int, int]], since: int) -> None:
    counts = runs(*((min(p), max(p)) for p in pairs))
    fall = drifted(counts, NOW, open_since=since)
    if fall:
        assert fall.after.read and fall.after.missing_url
        assert lower_bound(fall.before.filled, fall.before.read) <= fall.before.filled / fall.before.read
        assert 1 < fall.since <= len(counts)


# ---- what counts


def article(**changes: object) -> Article:
    text = str(changes.pop("body", LONG))
    fields = {"headline": "A story", "authors": ("Ann",), "published": Moment(iso="2026-11-20", raw="x"), **changes}
    sections = (Section(blocks=(Block(kind="paragraph", text=text),)),)
    return Article(url=URL, sections=sections, **fields)  # type: ignore[arg-type]


def known(stored: Article) -> Known:
    return Known(article_id=1, revision=1, fields=article_fields(stored))


def test_a_new_article_speaks_for_every_field_and_an_unchanged_one_for_none() -> None:
    said = spoken(compare(Page(article=article()), Known()))
    assert said == {
        **dict.fromkeys(("headline", "authors", "published", "body", "article"), True),
        **dict.fromkeys(("published_time", "summary", "image", "section"), False),
    }
    assert spoken(compare(Page(article=article()), known(article()))) == {}


def test_a_known_article_speaks_where_what_it_has_changed() -> None:
    lost = compare(Page(article=article(authors=(), body="x" * (BODY_CHARACTERS - 1))), known(article()))
    assert spoken(lost) == {"authors": False, "body": False}
    assert spoken(compare(Page(article=article(headline="Another")), known(article()))) == {}


def test_comments_are_lost_only_where_there_were_some() -> None:
    talk, silent = Page(article=article(), comments=(Comment(text="no", site_id="1"),)), Page(article=article())
    assert "comments" not in spoken(compare(silent, Known()))
    cut = Cut(limit="COMMENT_PAGES", kept=0, left_out=1, unit="comment pages")
    had = Known(article_id=1, revision=1, fields=article_fields(article()), comments=_stored(compare(talk, Known())))
    assert spoken(compare(talk, had)) == {"comments": True}
    assert spoken(compare(silent, had)) == {"comments": False}
    assert spoken(compare(replace(silent, cuts=(cut,)), had)) == {}


def _stored(delta: Delta) -> dict[str, object]:
    from crawler.items import KnownComment

    return {
        k.key: KnownComment(id=1, revision=1, fingerprint=k.fingerprint, gone=False, judged_by="", decided="")
        for k in delta.new
    }


def test_a_text_that_another_page_of_the_run_had_is_no_body_of_its_own() -> None:
    tally = FieldTally()
    for number in range(3):
        tally.add(compare(Page(article=article(headline=f"Story {number}")), Known()), f"page/{number}")
    assert (tally.counts["body"].read, tally.counts["body"].filled) == (3, 1)
    assert tally.counts["body"].missing_url == "page/1"
    assert tally.counts["headline"].filled == 3


@pytest.mark.parametrize(
    ("reason", "before", "said"),
    [
        ("index page", None, {"article": False}),
        ("no text", None, {"article": False, "body": False}),
        ("index page", "stored", {"article": False, "body": False}),
        ("index page", "rejected", {}),
        ("bot wall", "stored", {}),
        ("no comments", None, {}),
    ],
)
def test_a_rejected_page_speaks_once_and_a_wall_never(reason: str, before: object, said: dict[str, bool]) -> None:
    fetch = Fetch(url=URL, source_id="s", outcome="rejected", reason=reason)
    assert refused(fetch, before) == said  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcome", "kept_out", "before", "said"),
    [
        ("failed", True, None, {"let in": False}),
        ("failed", True, "stored", {"let in": False}),
        ("failed", False, "stored", {"page": False, "let in": True}),
        ("failed", True, "failed", {}),
        ("rejected", True, "stored", {"let in": False}),
        ("rejected", False, None, {"page": True, "let in": True}),
        ("unchanged", False, "stored", {}),
    ],
)
def test_a_page_that_fails_speaks_once(outcome: str, kept_out: bool, before: object, said: dict[str, bool]) -> None:
    fetch = Fetch(url=URL, source_id="s", outcome=outcome)  # type: ignore[arg-type]
    assert asked(fetch, before, kept_out=kept_out) == said  # type: ignore[arg-type]


def test_of_a_source_that_failed_lately_every_answer_counts() -> None:
    tally = FieldTally(anxious=True)
    tally.answer(Fetch(url=URL, source_id="s", outcome="unchanged"), "stored", kept_out=False)
    tally.answer(Fetch(url=URL, source_id="s", outcome="failed"), "failed", kept_out=True)
    assert (tally.counts["let in"].read, tally.counts["let in"].filled) == (2, 1)


def test_a_source_with_one_page_a_run_that_keeps_us_out_is_named_all_the_same() -> None:
    counts = {"let in": runs(*[(1, 1)] * 30, *[(0, 1)] * 7)}
    (problem,) = drift_problems("s", counts, Past(), NOW, {"blocked": "HTTP 403, u"})
    assert (problem.name, problem.since) == ("blocked", 31)
    assert problem.detail.startswith("0 of 7 pages let us in since run 31, 30 of 30 before")
    assert problem.detail.endswith("; HTTP 403, u")
    assert drift_problems("s", counts, Past(), NOW, named=["blocked"]) == []


# ---- simulated watches


def sites(*kinds: str, seed: int) -> list[Site]:
    return [Site(kind.replace(" ", ""), kind, random.Random(f"{seed} {kind}")) for kind in kinds]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("hours", [1, 6, 24])
def test_thirty_simulated_healthy_runs_raise_no_alarm(tmp_path: Path, seed: int, hours: int) -> None:
    """Of an agency, a daily, a ministry, a weekly blog and a think tank; with late comments, edits, lost authors, pages
    that are no articles, time-outs and weekends."""
    watched = Watched(tmp_path / "w.db", sites(*KINDS, seed=seed))
    for _ in range(30):
        report = watched.run(after=timedelta(hours=hours))
        assert (report.problems, report.exit_code) == ((), 0)


NAMED_WITHIN = {
    "published": 6,
    "authors": 12,
    "body": 6,
    "headline": 6,
    "comments": 30,
    "article": 36,
    "blocked": 8,
    "slow": 1,
}
"""Hourly runs after which what broke at an agency is named at the latest."""


@pytest.mark.parametrize("broken", NAMED_WITHIN)
def test_what_breaks_is_named_in_time_and_only_where_it_broke(tmp_path: Path, broken: str) -> None:
    watched = Watched(tmp_path / "w.db", sites("agency", "daily", seed=1))
    agency = watched.sites[0]
    agency.shares["authors"], agency.rejected, agency.talk = 0.9, 0.03, 0.5
    for _ in range(40):
        assert watched.run().problems == ()
    agency.broken.add(broken)
    first, named = len(watched.reports) + 1, PROBLEMS.get(broken, (broken, ""))[0]
    for _ in range(NAMED_WITHIN[broken]):
        report = watched.run()
        if report.problems:
            break
    (problem,) = report.problems
    assert (problem.source, problem.name, report.exit_code) == ("agency", named, 1)
    assert problem.since >= first
    if problem.field:
        assert problem.good_url and problem.bad_url


def test_a_fall_stands_with_its_first_run_and_is_over_when_the_source_is_mended(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "w.db", sites("agency", seed=1))
    for _ in range(30):
        watched.run()
    watched.sites[0].broken.add("published")
    told = [p for _ in range(60) for p in watched.run().problems]
    assert len(told) >= 58
    assert {(p.name, p.since, p.bad_url) for p in told} == {("dates missing", told[0].since, told[0].bad_url)}
    watched.sites[0].broken.clear()
    for _ in range(6):
        report = watched.run()
    assert report.problems == ()


# ---- how often something new comes


def arrivals(kind: str, seed: int, days: int) -> list[str]:
    chance, found = random.Random(f"{kind} {seed}"), []
    for hour in range(24 * days):
        at = START + timedelta(hours=hour)
        if chance.random() < 1 - 2.718 ** -KINDS[kind](at.hour, at.weekday() >= 5):
            found.append(stamp(at))
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_a_source_that_publishes_as_it_does_is_never_called_quiet(kind: str, seed: int) -> None:
    came = arrivals(kind, seed, 300)
    for number in range(1, len(came)):
        assert quiet(came[max(0, number - 1000) : number], came[number]) == ""


@pytest.mark.parametrize(("kind", "days"), [("agency", 3), ("daily", 7), ("ministry", 12), ("blog", 100)])
def test_a_source_that_stops_is_called_quiet_by_its_own_measure(kind: str, days: int) -> None:
    """A weekly blog that posts when it likes may pause for two months; a daily that is silent for a week may not."""
    came = arrivals(kind, 1, 200)[-1000:]
    last = datetime.fromisoformat(came[-1])
    assert quiet(came, stamp(last + QUIET_LEAST)) == ""
    assert "nothing new for" in quiet(came, stamp(last + timedelta(days=days)))


def test_little_is_known_little_is_said() -> None:
    came = arrivals("agency", 1, 20)
    assert quiet(came, stamp(datetime.fromisoformat(came[-1]) + timedelta(days=6))) == ""
    assert quiet((), NOW) == quiet(came, "") == ""
