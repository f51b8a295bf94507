"""The line of a robots.txt that decides on a URL is named, and the decision is the one that the crawl keeps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protego import Protego

from crawler import limits, settings
from crawler.robots import AGENT, decide
from crawler.robots_txt import Rules

TEXT = """\
# a comment
User-agent: Googlebot
Disallow: /

User-agent: otherbot
User-agent: *
Disallow: /private/   # not for machines
Disallow: /*.pdf$
Allow: /private/press/
Crawl-delay: 7
Sitemap: https://paper.example/sitemap.xml
"""
HOME = "https://paper.example"


@pytest.mark.parametrize(
    ("path", "allowed", "rule"),
    [
        ("/2026/11/frigate", True, ""),
        ("/private/list", False, "Disallow: /private/"),
        ("/private/press/1", True, "Allow: /private/press/"),
        ("/a/report.pdf", False, "Disallow: /*.pdf$"),
    ],
)
def test_the_longest_rule_that_matches_is_named(path: str, allowed: bool, rule: str) -> None:
    decision = decide(TEXT, HOME + path)
    assert (decision.allowed, decision.rule) == (allowed, rule)
    assert decision.group == ("otherbot, *" if rule else "")
    assert decision.delay == 7


def test_a_group_of_our_own_is_the_only_one_that_counts() -> None:
    decision = decide(f"{TEXT}\nUser-agent: Watchfloor\nDisallow: /2026/\n", f"{HOME}/2026/11/frigate")
    assert (decision.allowed, decision.rule, decision.group) == (False, "Disallow: /2026/", "Watchfloor")
    assert decide(f"{TEXT}\nUser-agent: watchfloor\nAllow: /\n", f"{HOME}/private/list").allowed


def test_an_empty_one_and_one_that_is_a_web_page_allow_everything() -> None:
    for text in ("", "<html><body><p>Not found: nothing here</p></body></html>"):
        assert decide(text, HOME).allowed and not decide(text, HOME).rule


def test_the_crawl_asks_by_the_same_name() -> None:
    assert settings.ROBOTSTXT_USER_AGENT == AGENT


def test_many_rules_are_no_trouble() -> None:
    text = "User-agent: *\n" + "\n".join(f"Disallow: /a/{n}/" for n in range(5_000))
    assert decide(text, f"{HOME}/a/77/x").rule == "Disallow: /a/77/"


@pytest.mark.parametrize("line", ["User-agent: bot{}", "User agent\tbot{}", "useragent *{}", "USER-AGENT:{}*"])
def test_thousands_of_names_over_thousands_of_rules_are_read_at_once(line: str) -> None:
    names, rules = (line.format(n) for n in range(4_000)), "Disallow: /x/\n" * 4_000
    text = "\n".join([*names, rules, "User-agent: *", "Disallow: /y/"])
    assert Rules(text.encode()).allowed(f"{HOME}/x/") and not Rules(text.encode()).allowed(f"{HOME}/y/")
    assert decide(text, f"{HOME}/x/").allowed


def test_of_a_large_one_the_first_half_megabyte_counts_and_no_half_line() -> None:
    padding = "# nothing\n" * (limits.ROBOTS_BYTES // 10 - 3)
    whole = f"User-agent: *\nDisallow: /a/\n{padding}Disallow: /long/long/long/path\nDisallow: /b/\n".encode()
    rules = Rules(whole)
    assert not rules.allowed(f"{HOME}/a/")
    assert rules.allowed(f"{HOME}/b/") and rules.allowed(f"{HOME}/long/") and rules.allowed(HOME)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_robots_txt(body: bytes) -> None:
    rules = Rules(body)
    assert rules.allowed(HOME) in (True, False) and (rules.crawl_delay() or 0) >= 0


_LINES = st.one_of(
    st.sampled_from(
        ["User-agent: *", "User-agent: watchfloor", "user-agent: other", "", "# x", "Crawl-delay: 2", "nonsense"]
    ),
    st.sampled_from(["user-agent: watch*", "User agent wat", "useragent: **", "user-agent: floor # x"]),
    st.builds(
        "{}: {}".format,
        st.sampled_from(["Allow", "Disallow", "disalow"]),
        st.text("/ab*$.%", max_size=6),
    ),
    st.text(max_size=12),
)


@given(st.lists(_LINES, max_size=12), st.text("/ab.", max_size=6))
def test_the_decision_is_the_crawls_own(lines: list[str], path: str) -> None:
    text, url = "\n".join(lines), f"{HOME}/{path}"
    decision = decide(text, url)
    assert decision.allowed == Protego.parse(text).can_fetch(url, AGENT)
    assert decision.allowed or decision.rule
    assert decision.rule in text
