"""Lines of decisions and rules: what is let in, what is not, and how words settle among those that are here."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation import exchange
from moderation.exchange import (
    KNOWN,
    NEW,
    NO_DECISION,
    OLDER,
    BrokenLine,
    Mark,
    Word,
    domain_of,
    numbered,
    open_to_all,
    read_decision,
    read_rule,
    settle,
)

NOW = "2026-11-22T12:00:00Z"
DECISION: dict[str, Any] = {
    "type": "decision",
    "format": 1,
    "said": "spam",
    "by": "ann",
    "at": "2026-11-22T10:00:00Z",
    "note": "shop",
    "article_url": "http://s.example/a",
    "key": "id:1",
    "content": "00ff",
    "revision": 1,
}
RULE: dict[str, Any] = {**DECISION, "type": "rule", "said": "deny", "domain": "shop-a.com", "source": ""}


def line(row: Mapping[str, Any], **changes: Any) -> bytes:
    return json.dumps({**row, **changes}).encode()


def word(said: str, at: int, by: str = "ann", undoes: Mark | None = None, nth: int = 1) -> Word:
    return Word(mark=Mark(said, by, f"2026-11-22T10:00:{at:02}Z", nth), undoes=undoes)


def outcomes(here: list[Word], brought: list[Word]) -> list[str]:
    return [what for _, what in settle(here, brought)]


# ---- reading


def test_a_whole_line_is_read_as_it_was_written() -> None:
    read = read_decision(7, line(DECISION, text="unasked", nth=2), NOW)
    assert read.word == Word(mark=Mark("spam", "ann", "2026-11-22T10:00:00Z", 2), note="shop", line=7)
    assert (read.article_url, read.key, read.content, read.revision) == ("http://s.example/a", "id:1", "00ff", 1)
    assert read_rule(1, line(RULE), NOW).domain == "shop-a.com"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"said": "maybe"}, "said must be one of spam, ok, undo"),
        ({"said": None}, "said must be a text"),
        ({"by": ""}, "by must be"),
        ({"by": "  "}, "by must be a name"),
        ({"by": "a\x1b[2J"}, "by must be a name without control characters"),
        ({"by": "a\ud800"}, "by must be a name without control characters"),
        ({"by": "a" * 201}, "by is longer than 200 characters"),
        ({"by": ["ann"]}, "by must be a text"),
        ({"at": "yesterday"}, "at must be a time"),
        ({"at": "2026-02-31T10:00:00Z"}, "at must be a time"),
        ({"at": "2026-11-22T10:00:00+01:00"}, "at must be a time"),
        ({"at": "٢٠٢٦-11-22T10:00:00Z"}, "at must be a time"),
        ({"at": "2027-01-01T00:00:00Z"}, "at lies in the future"),
        ({"note": 5}, "note must be a text"),
        ({"note": "n" * 20_001}, "note is longer than 20,000 characters"),
        ({"revision": 0}, "revision must be a number"),
        ({"revision": True}, "revision must be a number"),
        ({"revision": 1e400}, "revision must be a number"),
        ({"nth": 2**31}, "nth must be a number"),
        ({"article_url": "h" * 4_001}, "article_url is longer than"),
        ({"key": ""}, "key must be a text"),
        ({"said": "undo"}, "undoes must be an object"),
        ({"said": "undo", "undoes": {"said": "undo", "by": "a", "at": NOW}}, "said must be one of spam, ok"),
        ({"format": 2}, "format is a newer watchfloor's"),
        ({"type": "rule"}, "no decision; `watchfloor rules import` takes it"),
        ({"type": {}}, "no decision"),
    ],
)
def test_a_broken_decision_is_said_with_its_line_and_field(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(BrokenLine, match=r"^line 12: ") as broken:
        read_decision(12, line(DECISION, **changes), NOW)
    assert says in str(broken.value)


@pytest.mark.parametrize(
    ("domain", "says"),
    [
        ("shop", "no domain"),
        ("Shop-A.com", "no domain"),
        ("магазин.рф", "no domain"),
        ("a.com\n", "no domain"),
        ("a.com' OR", "no domain"),
        ("a" * 64 + ".com", "no domain"),
        (("a" * 60 + ".") * 5 + "com", "no domain"),
        ("", "must be a text"),
    ],
)
def test_a_rule_for_what_is_no_domain_is_refused(domain: str, says: str) -> None:
    with pytest.raises(BrokenLine, match=says):
        read_rule(1, line(RULE, domain=domain), NOW)


def test_a_suffix_that_is_open_to_all_can_be_denied_and_not_allowed() -> None:
    assert open_to_all("co.uk") and not open_to_all("gao.gov")
    assert read_rule(1, line(RULE, domain="co.uk"), NOW).domain == "co.uk"
    with pytest.raises(BrokenLine, match="anybody can register"):
        read_rule(1, line(RULE, domain="co.uk", said="allow"), NOW)


@pytest.mark.parametrize(
    "text",
    [
        b"x",
        b"[]",
        b"null",
        b"\xff{}",
        b"[" * 100_000,
        b'{"type":"decision","format":' + b"9" * 5000 + b"}",
        b'"\\ud800"',
    ],
)
def test_a_line_that_is_no_object_is_broken_and_nothing_worse(text: bytes) -> None:
    with pytest.raises(BrokenLine, match="line 3"):
        read_decision(3, text, NOW)


def test_lines_are_numbered_from_one_and_empty_ones_counted_not_read() -> None:
    assert list(numbered(io.BytesIO(b"a\n\n  \r\nb").readline)) == [(1, b"a\n"), (4, b"b")]


def test_a_line_or_a_file_beyond_the_limit_is_broken_not_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "LINE_BYTES", 1 << 20)
    with pytest.raises(BrokenLine, match="line 2: longer than 1 MB"):
        list(numbered(io.BytesIO(b"a\n" + b"x" * ((1 << 20) + 1)).readline))
    monkeypatch.setattr(exchange, "LINES", 3)
    assert len(list(numbered(io.BytesIO(b"a\n" * 3).readline))) == 3
    with pytest.raises(BrokenLine, match="line 4: more than 3 lines"):
        list(numbered(io.BytesIO(b"a\n" * 4).readline))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*RULE, "undoes"]), values, max_size=4))
def test_no_line_is_worse_than_broken(changes: dict[str, Any]) -> None:
    for read, row in ((read_decision, DECISION), (read_rule, RULE)):
        with contextlib.suppress(BrokenLine):
            read(1, line(row, **changes), NOW)


@given(st.text(max_size=40))
def test_a_domain_is_spelled_the_one_way_or_none(text: str) -> None:
    domain = domain_of(text)
    assert domain == "" or domain_of(domain) == domain
    assert all(c in "abcdefghijklmnopqrstuvwxyz0123456789-." for c in domain)


def test_a_domain_is_found_inside_an_address() -> None:
    assert domain_of(" https://Sub.Shop-A.com:8080/x?y ") == "sub.shop-a.com"
    assert domain_of("*.shop-a.com") == "shop-a.com"
    assert domain_of("магазин.рф") == "xn--80aairftm.xn--p1ai"


# ---- settling


def test_what_is_new_comes_in_the_order_of_time() -> None:
    settled = settle([], [word("ok", 5), word("spam", 3, "bob")])
    assert [(w.mark.said, what) for w, what in settled] == [("spam", NEW), ("ok", NEW)]


def test_what_is_here_already_is_known() -> None:
    here = [word("spam", 3), word("undo", 4, undoes=word("spam", 3).mark)]
    assert outcomes(here, here) == [KNOWN, KNOWN]


def test_a_later_word_of_a_person_here_is_never_overwritten() -> None:
    assert outcomes([word("ok", 5, "bob")], [word("spam", 3)]) == [OLDER]
    assert outcomes([word("ok", 5, "bob")], [word("spam", 5)]) == [OLDER]
    assert outcomes([word("ok", 5, "bob")], [word("spam", 6)]) == [NEW]


def test_a_word_that_was_taken_back_stands_in_nobodys_way() -> None:
    back = word("undo", 6, "bob", undoes=word("ok", 5, "bob").mark)
    assert outcomes([word("ok", 5, "bob"), back], [word("spam", 3)]) == [NEW]
    assert outcomes([word("ok", 5, "bob")], [word("spam", 3), back]) == [NEW, NEW]


def test_an_undo_of_what_is_not_here_is_told() -> None:
    assert outcomes([], [word("undo", 4, undoes=word("spam", 3).mark)]) == [NO_DECISION]


def test_the_same_said_twice_in_a_second_is_twice_and_a_line_given_twice_is_once() -> None:
    twice = [word("spam", 3), word("spam", 3, nth=2)]
    assert outcomes([], [*twice, *twice]) == [NEW, NEW]
    assert outcomes(twice[:1], twice) == [KNOWN, NEW]
    assert outcomes([], twice[1:]) == [NO_DECISION]


words = st.builds(word, st.sampled_from(["spam", "ok"]), st.integers(0, 5), st.sampled_from(["ann", "bob"]))


@given(st.lists(words, max_size=6), st.lists(words, max_size=6))
def test_settling_again_brings_nothing_new_and_the_latest_word_holds(here: list[Word], brought: list[Word]) -> None:
    here = list({w.mark: w for w in sorted(here, key=lambda w: w.mark.at)}.values())
    after = [*here, *(w for w, what in settle(here, brought) if what == NEW)]
    assert all(what != NEW for _, what in settle(after, brought))
    assert not after or after[-1].mark.at == max(w.mark.at for w in (*here, *brought))
