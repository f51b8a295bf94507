"""What is typed into a search means what a person means by it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.asking import WORDS, Asked, Term, parse, period

TODAY = date(2026, 11, 22)


def asked(text: str) -> Asked:
    return parse(text, TODAY)


def term(*words: str, **how) -> Term:
    return Term(words=words, **how)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("naval yard", [term("naval"), term("yard")]),
        ('"naval yard"', [term("naval", "yard")]),
        ('naval "the yard', [term("naval"), term("the", "yard")]),
        ("“naval yard” «au large»", [term("naval", "yard"), term("au", "large")]),
        ("frig*", [term("frig", beginning=True)]),
        ('"north kor*" "north kor"*', [term("north", "kor", beginning=True)] * 2),
        ("*wor", [term("wor")]),
        ("F-35: o'brien", [term("F", "35"), term("o", "brien")]),
        ("https://x.example/a_b", [term("https", "x", "example", "a", "b")]),
        ("foo:bar", [term("foo", "bar")]),
        ('foo:"bar baz"', [term("foo", "bar", "baz")]),
        ("title:frigate headline:x", [term("frigate", place="headline"), term("x", place="headline")]),
        ('by:"Jane Smith"', [term("Jane", "Smith", place="author")]),
        ("BY:jan*", [term("jan", beginning=True, place="author")]),
        ("防衛", [term("防衛", beginning=True)]),
        ("source: since: by: -", [term("source"), term("since"), term("by")]),
        ("NOT (a OR b) NEAR(c)", [*(term(w) for w in ("NOT", "a", "OR", "b")), term("NEAR", "c")]),
        ("cafe\u0301", [term("café")]),
        ("- ( * ☃ \" '", []),
    ],
)
def test_terms(text, terms):
    assert asked(text).terms == tuple(terms)


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("a -b", [term("b")]),
        ('a -"b c"', [term("b", "c")]),
        ("a -by:bob", [term("bob", place="author")]),
        ("a -b*", [term("b", beginning=True)]),
        ("a--b a-b", []),
    ],
)
def test_what_must_not_occur(text, without):
    assert asked(text).without == tuple(without)


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("source:twz x", "sources", ("twz",)),
        ("source:twz,isw source:Janes", "sources", ("twz", "isw", "janes")),
        ("-source:twz", "not_sources", ("twz",)),
        ("lang:EN", "languages", ("en",)),
        ("-language:de", "not_languages", ("de",)),
        ("since:2026-11-03", "since", "2026-11-03"),
        ("since:2026-11 since:2026-11-09", "since", "2026-11-09"),
        ("until:2026-11-03", "until", "2026-11-04"),
        ("until:2026", "until", "2027-01-01"),
        ("-since:2026-11", "until", "2026-11-01"),
        ("-until:2026-11", "since", "2026-12-01"),
        ("since:7d", "since", "2026-11-15"),
        ("since:2W", "since", "2026-11-08"),
        ("since:yesterday", "since", "2026-11-21"),
        ("until:today", "until", "2026-11-23"),
    ],
)
def test_filters(text, field, value):
    assert getattr(asked(text), field) == value


@pytest.mark.parametrize(
    ("value", "days"),
    [
        ("2026-12", ("2026-12-01", "2027-01-01")),
        ("2024-2-29", ("2024-02-29", "2024-03-01")),
        ("2025-02-29", None),
        ("2026-13", None),
        ("0000", None),
        ("9999", None),
        ("9999-12-31", None),
        ("999999w", ("0001-01-01", "0001-01-02")),
        ("7", None),
        ("٢٠٢٦", None),
        ("", None),
    ],
)
def test_a_day_a_month_a_year_or_so_long_ago_is_a_period(value, days):
    assert period(value, TODAY) == days


def test_a_time_that_is_none_is_looked_for_as_words_and_said():
    found = asked("since:spring x")
    assert found.terms == (term("since", "spring"), term("x"))
    assert "since:spring is no time" in found.notes[0]


def test_only_what_must_not_occur_is_nothing_to_look_for():
    assert asked("-a -b").nothing
    assert asked("").nothing
    assert not asked("source:x -a").nothing


def test_a_pasted_text_is_cut_to_its_first_words():
    pasted = asked("word " * 1000)
    assert len(pasted.terms) == WORDS
    assert pasted.notes
    assert len(asked('"' + "word " * 1000 + '"').terms[0].words) == WORDS


def test_without_keys_a_filter_is_words():
    assert parse("source:x since:7d", TODAY, {}).terms == (term("source", "x"), term("since", "7d"))


@given(st.text(alphabet=st.sampled_from("ab-:*\"'()\x00\n .,source:since:by:2026-7d防\u0301\ud800"), max_size=80))
def test_anything_typed_is_a_value_of_words_without_operators(text):
    found = asked(text)
    for each in (*found.terms, *found.without):
        assert each.words
        assert all(c.isalnum() or "\u0300" <= c <= "\u036f" for word in each.words for c in word)
