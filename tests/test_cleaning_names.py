"""Authors and headlines out of what pages say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.cleaning.authors import names, people
from crawler.cleaning.headline import extends, key, without_site
from crawler.text import line, tidy

BYLINES = {
    "By Ann Lee": ("Ann Lee",),
    "Von Ann Lee und Bo Ek": ("Ann Lee", "Bo Ek"),
    "Ann Lee, Bo Ek and Cy Ray": ("Ann Lee", "Bo Ek", "Cy Ray"),
    "Ann Lee, Defense Correspondent": ("Ann Lee",),
    "Ann Lee | Bo Ek": ("Ann Lee", "Bo Ek"),
    "Written by: Ann Lee (Photo: Getty Images)": ("Ann Lee",),
    "Ann Lee; ANN LEE": ("Ann Lee",),
    "Anna Martel und Lea Wagner, Nairobi": ("Anna Martel", "Lea Wagner"),
    "https://www.facebook.com/paper": (),
    "Staff": (),
    "admin": (),
    "ann-lee": (),
    "5 minutes": (),
    "María del Carmen de la Torre": ("María del Carmen de la Torre",),
}


@pytest.mark.parametrize(("raw", "expected"), BYLINES.items())
def test_a_byline_gives_its_people(raw, expected):
    assert names([raw]) == expected


def test_listed_authors_keep_their_agencies_but_not_the_site_itself():
    assert people(["Ann Lee", "AFP", "The Harbour"], ["the harbour"]) == ("Ann Lee", "AFP")
    assert people(["Le Figaro et AFP"]) == ("Le Figaro et AFP",)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Fleet leaves | Harbour Defense", "Fleet leaves"),
        ("Harbour Defense: Fleet leaves", "Harbour Defense: Fleet leaves"),
        ("Fleet leaves - Navy - Harbour Defense", "Fleet leaves - Navy"),
        ("BUDGET 3.0 | Fleet gets more", "BUDGET 3.0 | Fleet gets more"),
        ("Fleet leaves » harbour.example", "Fleet leaves"),
    ],
)
def test_the_sites_name_is_no_part_of_the_headline(title, expected):
    assert without_site(title, "Harbour Defense", "www.harbour.example") == expected


def test_what_a_title_has_beyond_the_headline_shown_is_told_from_a_longer_headline():
    assert extends("Fleet leaves port today | Paper | 28.04.2024", "Fleet leaves port today")
    assert not extends("Fleet leaves port today with five ships", "Fleet leaves port today")


@given(st.text())
def test_tidy_text_is_storable_and_tidying_twice_is_tidying_once(text):
    once = tidy(text)
    once.encode("utf-8")
    assert tidy(once) == once
    assert "\x00" not in once


@given(st.text(), st.integers(1, 20))
def test_a_line_is_one_line_within_its_limit(text, limit):
    found = line(text, limit)
    assert len(found) <= limit
    assert "\n" not in found


@given(st.text(max_size=200))
def test_any_text_is_some_names_and_some_title(text):
    assert all(names([text]))
    assert key(without_site(text, "A", "b.example")) is not None
