"""Times in words: which are read, and which are left alone because they cannot be known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.cleaning.comments.byline import name_in
from crawler.cleaning.comments.when import Order, best_time, find_time, order_of


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("December 23, 2024 at 10:00 am", "2024-12-23T10:00:00"),
        ("December 14, 2019 8:44 pm", "2019-12-14T20:44:00"),
        ("12:05 AM on 9/19/2010", "2010-09-19T00:05:00"),
        ("Posted on 3rd November 2023", "2023-11-03"),
        ("19. Juni 2018 um 15:28 Uhr", "2018-06-19T15:28:00"),
        ("17. März 2011 um 12:22", "2011-03-17T12:22:00"),
        ("17. Ma\u0308rz 2011 um 12:22", "2011-03-17T12:22:00"),
        ("Le 24/11/2019 à 18:19:59", "2019-11-24T18:19:59"),
        ("1er mars 2020 à 8 h 30", "2020-03-01T08:30:00"),
        ("26 abril 2022 a las 14:02", "2022-04-26T14:02:00"),
        ("5 de mayo de 2020", "2020-05-05"),
        ("Вт, 5 мая 2020, 12:30", "2020-05-05T12:30:00"),
        ("2020年3月5日 10:22", "2020-03-05T10:22:00"),
        ("Ven 7 Oct 2011 08:23", "2011-10-07T08:23:00"),
        ("5.6.2020 12.30", "2020-06-05T12:30:00"),
        ("26/10/13, 03:48 pm", "2013-10-26T15:48:00"),
        ("May 3, 2024 10:00 am UTC", "2024-05-03T10:00:00Z"),
        ("3 May 2024, 10:00 +02:00", "2024-05-03T08:00:00Z"),
        ("2024-05-03T10:00:00.123+02:00", "2024-05-03T08:00:00Z"),
        ("Fri, 03 May 2024 10:00:00 +0200", "2024-05-03T08:00:00Z"),
    ],
)
def test_a_time_in_words_is_read(text: str, iso: str) -> None:
    found = find_time(text, Order.UNKNOWN)
    assert found is not None
    assert found[0].iso == iso


@pytest.mark.parametrize(
    "text",
    [
        "3 hours ago",
        "yesterday",
        "Sat Apr 23 at 3:40 pm",
        "04/05/2020",
        "31/31/2020",
        "1394/11/27, 00:31",
        "#12",
        "10:30",
        "",
    ],
)
def test_what_cannot_be_known_is_not_guessed(text: str) -> None:
    assert find_time(text, Order.UNKNOWN) is None


def test_one_certain_date_settles_the_order_for_its_page() -> None:
    assert order_of(["04/05/2020", "04/25/2020"]) is Order.MONTH
    assert order_of(["04/05/2020", "25/04/2020"]) is Order.DAY
    assert order_of(["04/05/2020"]) is Order.UNKNOWN
    assert order_of(["25/04/2020", "04/25/2020"]) is Order.UNKNOWN
    found = find_time("04/05/2020", Order.MONTH)
    assert found is not None
    assert found[0].iso == "2020-04-05"


def test_a_bare_day_gains_the_clock_time_of_the_same_day() -> None:
    found = best_time(["2020-07-29", "29.07.2020 // 12:56"], (), Order.UNKNOWN)
    assert found is not None
    assert found.iso == "2020-07-29T12:56:00"


@given(st.text(max_size=400), st.sampled_from(list(Order)))
def test_no_text_raises(text: str, order: Order) -> None:
    found = find_time(text, order)
    assert found is None or found[0].iso


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ann says:", "Ann"),
        ("Comment by Ann — 17.07.2011 @ 13:04", "Ann"),
        ("von Ann am 26. Oktober 2013, 15:48", "Ann"),
        ("Ann | Di, 21. April 2020 - 16:40", "Ann"),
        ("par Horus", "Horus"),
        ("Ann said...", "Ann"),
        ("Rafael", "Rafael"),
        ("Daniel", "Daniel"),
        ("Britt-Cole", "Britt-Cole"),
        ("Debbie", "Debbie"),
        ("Paris", "Paris"),
    ],
)
def test_a_name_is_found_in_its_line(text: str, name: str) -> None:
    assert name_in(text) == name
