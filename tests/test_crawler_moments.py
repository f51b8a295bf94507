"""Machine times are read exactly or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.items import Moment
from crawler.moments import as_iso, machine_time
from strategies import texts

offsets = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
instants = st.datetimes(datetime(1991, 1, 1), datetime(2090, 1, 1), timezones=offsets).map(
    lambda t: t.replace(microsecond=0)
)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2024-12-23", "2024-12-23"),
        ("2024-12-23T10:00", "2024-12-23T10:00:00"),
        ("2024-12-23 10:00:05", "2024-12-23T10:00:05"),
        (" 2024-12-23T10:00:00Z\n", "2024-12-23T10:00:00Z"),
        ("2024-12-23T10:00:00.123456789Z", "2024-12-23T10:00:00Z"),
        ("2024-12-23T10:00:00,5+02:00", "2024-12-23T08:00:00Z"),
        ("2024-12-23 10:00:00 +0530", "2024-12-23T04:30:00Z"),
        ("2024-12-23T10:00:00-05", "2024-12-23T15:00:00Z"),
        ("2024-12-23T10:00:00 UTC", "2024-12-23T10:00:00Z"),
        ("2024-12-31T23:30:00-01:00", "2025-01-01T00:30:00Z"),
        ("Mon, 23 Dec 2024 10:00:00 GMT", "2024-12-23T10:00:00Z"),
        ("23 Dec 2024 10:00 EST", "2024-12-23T15:00:00Z"),
        ("Mon, 23 Dec 2024 10:00:00 +0100", "2024-12-23T09:00:00Z"),
        ("Mon, 23 Dec 2024 10:00:00 -0000", "2024-12-23T10:00:00"),
        ("Mon, 23 Dec 2024 10:00:00 CET", "2024-12-23T10:00:00"),
        ("2024-02-29", "2024-02-29"),
    ],
)
def test_a_machine_time_is_read_with_its_zone_only_where_it_states_one(text, iso):
    assert machine_time(text) == Moment(iso=iso, raw=text.strip())


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "yesterday",
        "3 hours ago",
        "12/11/2024",
        "2024",
        "20241223",
        "10:00",
        "2024-02-30",
        "2023-02-29",
        "2024-13-01",
        "2024-12-23T25:00:00Z",
        "2024-12-23T10:00:00+99:99",
        "2024-12-23T10:00:00-",
        "2024-12-23 or so",
        "٢٠٢٤-١٢-٢٣",
        "1989-12-31",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:00:00-05:00",
        "Mon, 23 Dec 2024 25:00:00 GMT",
        "Mon, 32 Dec 2024 10:00:00 GMT",
        "2024-12-23T10:00:00" + "0" * 64,
    ],
)
def test_what_is_not_certain_is_not_guessed(text):
    assert machine_time(text) is None


@given(texts | st.text("0123456789-+:TZ ., MonDecGMT", max_size=40))
def test_any_text_gives_a_moment_or_none(text):
    moment = machine_time(text)
    assert moment is None or (moment.iso and moment.raw == text.strip())


@given(instants)
def test_both_spellings_of_an_instant_give_the_same_moment(when):
    iso = as_iso(when)
    assert [m and m.iso for m in map(machine_time, (when.isoformat(), format_datetime(when), iso))] == [iso] * 3
    assert datetime.fromisoformat(iso) == when


def test_as_iso_spells_the_three_forms():
    naive = datetime(2024, 12, 23, 10)
    assert as_iso(naive) == "2024-12-23T10:00:00"
    assert as_iso(naive.replace(tzinfo=UTC)) == "2024-12-23T10:00:00Z"
    assert as_iso(naive, day_only=True) == "2024-12-23"


def test_a_year_before_the_web_is_refused():
    with pytest.raises(ValueError, match="1989"):
        as_iso(datetime(1989, 12, 31))
