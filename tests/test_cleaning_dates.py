"""Dates as sites write them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.cleaning.dates import moment

READ = {
    "2024-12-23T10:00:00Z": "2024-12-23T10:00:00Z",
    "2024-12-23T10:00:00.123+01:00": "2024-12-23T09:00:00Z",
    "2024-12-23T10:00:00+0530": "2024-12-23T04:30:00Z",
    "2024-12-23 10:00": "2024-12-23T10:00:00",
    "2024-12-23": "2024-12-23",
    "20241223T030405Z": "2024-12-23T03:04:05Z",
    "Mon, 23 Dec 2024 10:00:00 GMT": "2024-12-23T10:00:00Z",
    "Mon Dec 23 2024 10:00:00 GMT+0000 (UTC)": "2024-12-23T10:00:00Z",
    "December 23, 2024 10:00 am EST": "2024-12-23T15:00:00Z",
    "Dec. 23, 2024, 7 p.m.": "2024-12-23T19:00:00",
    "Published on: 23. Dezember 2024, 14:05 Uhr": "2024-12-23T14:05:00",
    "23 de diciembre de 2024": "2024-12-23",
    "23.12.2024 14:05": "2024-12-23T14:05:00",
    "2024年12月23日": "2024-12-23",
    "1734950000": "2024-12-23T10:33:20Z",
}
NOT_READ = [
    "03/04/2024", "2024-13-44", "0001-01-01T00:00:00+23:59", "1989-12-31", "yesterday", "5 minutes ago", "1" * 64, "",
    "2024-01-01T00:00:00+99:99", "January 2024", "٢٠٢٤-١٢-٢٣", "2024-12-23 " + " " * 64 + "1", "Flight 2024",
]  # fmt: skip


@pytest.mark.parametrize(("raw", "iso"), READ.items())
def test_a_date_that_can_be_read_in_one_way_is_read(raw, iso):
    found = moment(raw)
    assert found is not None
    assert (found.iso, found.raw) == (iso, raw)


@pytest.mark.parametrize("raw", NOT_READ)
def test_nothing_is_guessed(raw):
    assert moment(raw) is None


def test_a_name_of_several_zones_leaves_the_zone_unknown():
    found = moment("2024-12-23 10:00 IST")
    assert found is not None
    assert not found.zoned


@given(st.text(max_size=80) | st.from_regex(r"[0-9]{1,4}[-/. :TZ+][0-9]{1,4}[-/. :TZ+][0-9]{1,9}", fullmatch=True))
def test_any_text_gives_a_moment_in_form_or_none(raw):
    found = moment(raw)
    assert found is None or re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ?)?", found.iso)
