"""A page's text cannot give a terminal orders."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.terminal import as_json, complain, marked, one_line, safe, say
from strategies import texts

spans = st.lists(st.tuples(st.integers(-2, 15), st.integers(-2, 15)), max_size=4)
anything = texts | st.text()


@given(anything)
def test_safe_leaves_nothing_that_a_terminal_obeys_or_nobody_sees(text):
    left = set(safe(text)) - {"\n", "\t"}
    assert not [c for c in left if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")]
    safe(text).encode("utf-8")


@given(anything)
def test_safe_twice_is_safe_once(text):
    assert safe(safe(text)) == safe(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Größe ты 漢 😀\n\tx", "Größe ты 漢 😀\n\tx"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31m", "\\x9b31m"),
        ("a\rb\x07\x00\x7f", "a\\x0db\\x07\\x00\\x7f"),
        ("\u202emoc", "\\u202emoc"),
        ("sp\u200bam", "sp\\u200bam"),
        ("\u2028\ud800", "\\u2028\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_is_hidden_is_spelled_out(text, shown):
    assert safe(text) == shown


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        (" a\n b\t c ", 0, "a b c"),
        ("abcdef", 6, "abcdef"),
        ("abcdefg", 6, "abcde…"),
        ("\x1b" * 3, 6, "\\x1b\\…"),
        ("", 3, ""),
    ],
)
def test_one_line_fits_its_width(text, width, shown):
    assert one_line(text, width) == shown


@pytest.mark.parametrize(
    ("spans", "shown"),
    [
        ([], "see spam.com now"),
        ([(4, 12)], "see ⟦spam.com⟧ now"),
        ([(0, 3), (13, 16)], "⟦see⟧ spam.com ⟦now⟧"),
        ([(0, 4), (4, 12)], "⟦see ⟧⟦spam.com⟧ now"),
        ([(0, 16)], "⟦see spam.com now⟧"),
        ([(4, 4), (5, 2), (-1, 2), (10, 99)], "see spam.com now"),
    ],
)
def test_marks_stand_around_the_slices_of_the_raw_text(spans, shown):
    assert marked("see spam.com now", spans) == shown


def test_marks_count_in_the_raw_text_not_in_what_is_shown():
    assert marked("\x1b\x1bspam", [(2, 6)]) == "\\x1b\\x1b⟦spam⟧"


@given(anything, spans)
def test_marked_is_the_safe_text_with_marks_in_pairs(text, spans):
    text = text.replace("⟦", "").replace("⟧", "")
    shown = marked(text, spans)
    assert shown.replace("⟦", "").replace("⟧", "") == safe(text)
    valid = [(start, end) for start, end in spans if 0 <= start < end <= len(text)]
    assert shown.count("⟦") == shown.count("⟧") == len(valid)


@given(anything, st.integers(0, 11), st.integers(1, 12))
def test_one_span_marks_its_slice(text, start, end):
    if start < end <= len(text) and not set(text) & {"⟦", "⟧"}:
        inside = marked(text, [(start, end)]).partition("⟦")[2].partition("⟧")[0]
        assert inside == safe(text[start:end])


def test_lines_go_to_their_streams(capsys):
    say("out")
    complain("bad \x1b[2J")
    assert capsys.readouterr() == ("out\n", "watchfloor: bad \\x1b[2J\n")


def test_json_is_ascii_and_reads_back(capsys):
    value = {"text": "\x1b\u202e漢\ud800"}
    as_json(value)
    out = capsys.readouterr().out
    assert out.isascii()
    assert "\x1b" not in out
    assert json.loads(out) == value
