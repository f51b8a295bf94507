"""The deny list in each format, read as the system that takes it reads it."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.deny_lists import FORMATS, DenyList, deny_list
from strategies import ODD

DENIED = ("shop-a.com", "t.co", "xn--80aairftm.xn--p1ai", "93.184.216.34", "cheap-pills.example")


def wordpress_holds(keys: str, *fields: str) -> bool:
    """As wp_check_comment_disallowed_list does: every line, trimmed, anywhere in any field, whatever its case."""
    lines = [key.strip() for key in keys.split("\n")]
    return any(re.search(re.escape(key), field, re.IGNORECASE) for key in lines if key for field in fields)


def automoderator_patterns(rule: str) -> list[str]:
    return [item[1:-1] for item in re.findall(r"^    - (.*)$", rule, re.MULTILINE)]


def automoderator_holds(rule: str, body: str) -> bool:
    """As AutoModerator does with (regex, includes): all of them as one group, anywhere, whatever its case."""
    joined = "|".join(automoderator_patterns(rule))
    return bool(re.search(f"({joined})", body, re.DOTALL | re.IGNORECASE)) if joined else False


def rspamd_holds(listed: str, host: str) -> bool:
    """As a regexp map does with the host of an address."""
    rules = [line for line in listed.splitlines() if line and not line.startswith("#")]
    assert all(line.startswith("/") and line.endswith("/i") for line in rules)
    return any(re.search(line[1:-2], host, re.IGNORECASE) for line in rules)


CAUGHT = (
    "see http://shop-a.com/x",
    "see www.shop-a.com now",
    "SHOP-A.COM",
    "[b](https://eu.shop-a.com)",
    "http://t.co/abc",
    "https://www.t.co/abc",
    "тут магазин.рф лучше",
    "http://xn--80aairftm.xn--p1ai/",
    "http://93.184.216.34/a",
)
LET_PASS = ("we chat.com here", "see http://t.company.org/x", "What.Could go wrong", "nothing.com", "http://x.com/t.co")


@pytest.mark.parametrize("text", CAUGHT)
def test_what_is_denied_is_caught_by_wordpress_and_by_automoderator(text: str) -> None:
    assert wordpress_holds(deny_list("wordpress", DENIED).text, text)
    assert automoderator_holds(deny_list("automoderator", DENIED).text, text)


@pytest.mark.parametrize("text", LET_PASS)
def test_what_only_looks_like_it_passes(text: str) -> None:
    assert not wordpress_holds(deny_list("wordpress", DENIED).text, text)
    if "t.co" not in text.split("/"):
        assert not automoderator_holds(deny_list("automoderator", DENIED).text, text)


@pytest.mark.parametrize(
    "text", ["http://my-shop-a.com/", "http://shop-a.com.au/", "shop-a.community", "x93.184.216.34"]
)
def test_automoderator_tells_a_longer_name_from_the_denied_one(text: str) -> None:
    assert not automoderator_holds(deny_list("automoderator", DENIED).text, text)


def test_rspamd_catches_the_host_and_those_below_it_alone() -> None:
    listed = deny_list("rspamd", DENIED).text
    for host in ("shop-a.com", "eu.shop-a.com", "SHOP-A.com", "t.co", "93.184.216.34"):
        assert rspamd_holds(listed, host)
    for host in ("my-shop-a.com", "shop-a.com.au", "shop-axcom", "chat.com", "at.co", "1.93.184.216.34"):
        assert not rspamd_holds(listed, host)


def test_short_domains_are_anchored_for_wordpress_and_that_is_told() -> None:
    made = deny_list("wordpress", ["t.co"])
    assert made.text == "//t.co/\n.t.co/\n"
    assert "matches inside words" in made.warnings[0] and "t.co" in made.warnings[0]


def test_a_domain_that_is_part_of_an_honest_host_is_anchored_too() -> None:
    assert deny_list("wordpress", ["paper-one.com"]).text == "paper-one.com\n"
    made = deny_list("wordpress", ["paper-one.com"], ["news.newspaper-one.com"])
    assert made.text == "//paper-one.com/\n.paper-one.com/\n"
    assert deny_list("wordpress", ["paper-one.com"], ["www.paper-one.com"]).text == "paper-one.com\n"
    assert not wordpress_holds(made.text, "see newspaper-one.com/story")


def test_wordpress_has_no_remarks_so_that_every_line_is_a_key() -> None:
    assert "#" not in deny_list("wordpress", DENIED).text
    assert deny_list("wordpress", []).text == ""


def test_a_top_level_domain_is_left_out_where_it_would_be_a_word_of_any_text() -> None:
    for kind in ("wordpress", "automoderator"):
        made = deny_list(kind, ["zip"])
        assert made.text == "" and "zip" in made.warnings[0]
    assert rspamd_holds(deny_list("rspamd", ["zip"]).text, "update.zip")


def test_the_rule_for_automoderator_is_one_document_of_yaml() -> None:
    lines = deny_list("automoderator", ["shop-a.com"]).text.splitlines()
    assert lines[0] == lines[-1] == "---"
    assert lines[2:4] == ["type: any", "domain+url+title+body (regex, includes):"]
    assert lines[4] == r"    - '(?<![\w-])shop-a\.com(?![\w-]|\.\w)'"
    assert lines[5:7] == ["action: filter", 'action_reason: "denied domain: {{match}}"']
    assert deny_list("automoderator", []) == DenyList("")


HOSTILE = (
    "a.com'\naction: approve",
    "a.com/i\n/.*",
    "a.com\n*",
    "a.com #",
    "x'); DROP",
    "a..com",
    "",
    ".",
    "xn--\n",
    "a.com\u2028b",
)
escapes = st.text(ODD + "abc.-:*'\"\n/#|()[]{}$^\\", max_size=30)


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_no_domain_never_reaches_a_list(kind: str) -> None:
    made = deny_list(kind, HOSTILE)
    assert made.text == deny_list(kind, []).text
    assert made.warnings[-1].startswith("no domains, left out: ")


LINES = {
    "plain": r"[a-z0-9_.-]+",
    "wordpress": r"(?://|\.)?[\w.-]+/?",
    "automoderator": r"    - '\(\?<!\[\\w\.?-\]\)(?:[\w-]|\\\.)+\(\?!\[\\w-\]\|\\\.\\w\)'",
    "rspamd": r"/(?:\^|\(\^\|\\\.\))(?:[a-z0-9_-]|\\\.)+\$/i",
}
"""What a line with a domain looks like, and no more."""


@pytest.mark.parametrize("kind", FORMATS)
@given(st.lists(escapes | escapes.map("xn--{}.com".format) | escapes.map("{}é.com".format), max_size=4))
def test_no_domain_breaks_out_of_its_line(kind: str, domains: list[str]) -> None:
    written = deny_list(kind, domains).text
    lines = "".join(c for c in written if not unicodedata.category(c).startswith("M")).splitlines()
    frame = {re.sub(r"\d+", "N", known) for known in deny_list(kind, ["a.example.com"]).text.splitlines()}
    for line in lines:
        assert re.fullmatch(LINES[kind], line) or re.sub(r"\d+", "N", line) in frame
    if kind == "automoderator":
        assert all(re.compile(pattern) for pattern in automoderator_patterns("\n".join(lines)))


def test_the_grammar_of_lines_is_met() -> None:
    for kind, line in LINES.items():
        assert sum(bool(re.fullmatch(line, found)) for found in deny_list(kind, DENIED).text.splitlines()) >= 5, kind
