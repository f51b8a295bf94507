"""Markup is made harmless before a parser sees it, whatever it is made of."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from crawler import limits
from crawler.markup import FULL, PLAIN, within_limits

PIECES = st.lists(
    st.sampled_from(["a", "=", '"', "'", ">", " ", "/", "\n", "<", "<b ", "x=", "='", '="', ' x="', '" ', "\\"]),
    max_size=7,
)


def most_attributes(markup: str) -> int:
    tree = etree.fromstring(f"<html><body>{markup}</body></html>", parser=etree.HTMLParser(huge_tree=True))
    return max(len(element.attrib) for element in tree.iter("*"))


@settings(max_examples=150, deadline=None)
@given(PIECES.map("".join), PIECES.map("".join), st.sampled_from(["", " "]))
def test_no_way_of_writing_attributes_gets_more_of_them_past_the_limit(start, behind, before):
    markup = f"<x{start}" + "".join(f"{before}n{number}{behind}" for number in range(limits.ATTRIBUTES_A_TAG + 200))
    kept, _ = within_limits(markup)
    assert most_attributes(kept) <= limits.ATTRIBUTES_A_TAG + 10, "the few that a cut in a value leaves open"


@settings(max_examples=300, deadline=None)
@given(PIECES.map("".join), PIECES.map("".join))
def test_a_plain_tag_ends_where_the_long_way_of_reading_ends_it(name, attributes):
    tag = f'<x{name} a="b"{attributes}>'
    plain, read = re.match(f"<[a-zA-Z]{PLAIN}", tag), re.match(f"<[a-zA-Z]{FULL}", tag)
    assert not (plain and read) or tag[read.end() : plain.end()].strip("\n /") == ">"


@pytest.mark.parametrize("value", ['"<b>"', "'>'", '=" "', "'/x'"])
def test_what_is_cut_is_said_and_what_stands_behind_the_tag_stays(value):
    attributes = " ".join(f"n{number}='>'" for number in range(limits.ATTRIBUTES_A_TAG + 50))
    kept, cuts = within_limits(f"<p title={value}></p><div {attributes}>inside</div><p>behind</p>")
    assert [cut.limit for cut in cuts] == ["ATTRIBUTES_A_TAG"]
    assert kept.endswith(">inside</div><p>behind</p>")


@pytest.mark.parametrize("script", ["<script>{}</script>", "<!--{}-->", "<style>{}</style>"])
def test_what_is_no_markup_is_left_as_it_is(script):
    text = script.format("<x " + " ".join(f"n{number}" for number in range(limits.ATTRIBUTES_A_TAG * 2)) + ">")
    assert within_limits(text) == (text, ())


@pytest.mark.parametrize(
    "piece",
    ["<a", "<a ", "<a b='", "<a b=\"'", "<a " * (limits.ATTRIBUTES_A_TAG - 1) + ">", '<a ="', "<a/", "<a<1", "<a\n="],
)
def test_repeated_beginnings_of_tags_take_linear_time(piece):
    began = time.process_time()
    within_limits(piece * (1_000_000 // len(piece)))
    assert time.process_time() - began < 3
