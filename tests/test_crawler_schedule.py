"""What is due: new links first, known pages on a widening schedule, nothing twice that nothing speaks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.items import Found, Moment
from crawler.schedule import HOUR, LONGEST_RETRY, WATCHED, Visited, due

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def known(*, seen: timedelta = DAY, last: timedelta = HOUR, **more: object) -> Visited:
    """A page first seen and last visited so long before now."""
    plain = {"outcome": "stored", "failures": 0, "lastmod": "", "cleaned_by": "1", "talks": False}
    return Visited(**{**plain, "first_seen_at": stamp(NOW - seen), "fetched_at": stamp(NOW - last), **more})  # type: ignore[arg-type]


def link(lastmod: str = "") -> Found:
    return Found(url="https://e.example/a", listing="", lastmod=Moment(iso=lastmod, raw=lastmod) if lastmod else None)


def asked(page: Visited | None, found: Found | None = None, cleaned_by: str = "1") -> bool:
    return due(page, found or link(), now=NOW, cleaned_by=cleaned_by).now


def test_a_link_never_seen_is_due():
    assert asked(None)


def test_a_page_of_the_last_two_hours_is_looked_at_in_every_run():
    assert asked(known(seen=timedelta(0), last=timedelta(0)))
    assert asked(known(seen=2 * HOUR, last=timedelta(minutes=5)))


def test_the_older_a_page_the_longer_it_is_left_alone():
    assert not asked(known(seen=10 * HOUR, last=HOUR))
    assert asked(known(seen=10 * HOUR, last=4 * HOUR))
    assert not asked(known(seen=30 * DAY, last=3 * DAY))


@given(st.integers(1, 24))
def test_hourly_runs_visit_a_page_a_few_dozen_times_and_then_no_more(hours: int):
    first, at, visits = NOW, NOW, [NOW]
    for _ in range(24 * 400 // hours):
        at += hours * HOUR
        page = known(first_seen_at=stamp(first), fetched_at=stamp(visits[-1]))
        if due(page, link(), now=at, cleaned_by="1").now:
            visits.append(at)
    assert 4 <= len(visits) <= 30
    assert visits[-1] - first <= WATCHED + 24 * HOUR


def test_a_page_whose_lastmod_has_not_moved_is_left_alone():
    page = known(seen=HOUR, last=HOUR, lastmod="2026-11-20T08:00:00Z")
    assert not asked(page, link("2026-11-20T08:00:00Z"))


def test_a_page_whose_lastmod_moved_is_due_however_old_it_is():
    page = known(seen=300 * DAY, last=200 * DAY, lastmod="2026-01-20T08:00:00Z")
    assert asked(page, link("2026-11-22T08:00:00Z"))


def test_late_comments_are_looked_for_although_lastmod_has_not_moved_but_not_at_once_and_not_for_ever():
    stays = link("2026-11-20T08:00:00Z")
    talking = {"lastmod": "2026-11-20T08:00:00Z", "talks": True}
    assert not asked(known(seen=HOUR / 2, last=HOUR / 2, **talking), stays)
    assert asked(known(seen=3 * HOUR, last=2 * HOUR, **talking), stays)
    assert not asked(known(seen=100 * DAY, last=20 * DAY, **talking), stays)


@pytest.mark.parametrize("stated", ["2026-11-22T11:30:00Z", "2026-11-20T08:00:00Z"])
def test_a_lastmod_seen_for_the_first_time_tells_nothing_for_the_clocks_of_sites_are_often_wrong(stated: str):
    assert asked(known(seen=HOUR, last=HOUR), link(stated))
    assert not asked(known(seen=10 * HOUR, last=HOUR), link(stated))


def test_a_bare_day_does_not_hide_a_second_change_on_the_day_of_the_visit():
    page = known(seen=HOUR, last=HOUR, lastmod="2026-11-22")
    assert asked(page, link("2026-11-22"))
    assert not asked(known(seen=5 * DAY, last=4 * DAY, lastmod="2026-11-01"), link("2026-11-01"))


def test_a_page_that_failed_is_tried_again_at_once_then_after_ever_longer():
    assert asked(known(outcome="failed", failures=1, last=timedelta(0)))
    assert not asked(known(outcome="failed", failures=5, last=2 * HOUR))
    assert asked(known(outcome="failed", failures=5, last=9 * HOUR))
    assert asked(known(outcome="failed", failures=10**6, last=LONGEST_RETRY))


def test_a_page_refused_by_another_cleaning_is_read_again():
    refused = known(outcome="rejected", seen=10 * DAY, last=DAY)
    assert not asked(refused)
    assert asked(refused, cleaned_by="2")


def test_what_was_never_visited_is_due_and_a_clock_set_back_stops_nothing():
    assert asked(known(outcome="skipped"))
    assert asked(known(last=-DAY))


def test_what_is_not_due_says_why_and_when_it_will_be():
    later = due(known(seen=10 * HOUR, last=HOUR), link(), now=NOW, cleaned_by="1")
    assert later.why and later.at == stamp(NOW + 3.5 * HOUR)


@given(
    st.timedeltas(timedelta(0), 900 * DAY),
    st.timedeltas(-DAY, 900 * DAY),
    st.sampled_from(["stored", "unchanged", "rejected", "failed", "skipped", "gone"]),
    st.integers(0, 10**9),
    st.sampled_from(["", "2026-11-20", "2026-11-20T08:00:00", "2026-11-20T08:00:00Z"]),
    st.sampled_from(["", "2026-11-21", "2026-11-20", "2026-11-20T08:00:00", "2026-11-22T08:00:00Z"]),
    st.booleans(),
)
def test_every_page_is_due_now_or_says_why_not(seen, last, outcome, failures, lastmod, stated, talks):
    page = known(seen=seen, last=last, outcome=outcome, failures=failures, lastmod=lastmod, talks=talks)
    said = due(page, link(stated), now=NOW, cleaned_by="1")
    assert said.why and (not said.at or (not said.now and said.at > stamp(NOW - timedelta(seconds=1))))
