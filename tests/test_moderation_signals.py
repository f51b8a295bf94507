"""Signals: a comment where each fires, and a near miss where it does not."""

from __future__ import annotations

import pytest

from crawler.items import Comment, Context, Href
from moderation.links import find_links
from moderation.signals import SIGNALS, Clues

CONTEXT = Context(own_hosts=frozenset({"www.site.example", "site.example"}), article_hosts=frozenset({"www.gao.gov"}))
BY_NAME = {signal.__name__: signal for signal in SIGNALS}


def _fires(name: str, comment: Comment, context: Context = CONTEXT, **lists: frozenset[str]) -> bool:
    clues = Clues(comment=comment, context=context, links=find_links(comment), **lists)
    return any(BY_NAME[name](clues))


def _phish(shown: str) -> Comment:
    return Comment(text=f"see {shown} now", links=(Href(url="https://bad.example.org/login", text=shown),))


FIRING = {
    "link": (Comment(text="see http://example.com"), Comment(text="see https://www.site.example/story")),
    "author_link": (Comment(text="a", author_url="http://me.example.com"), Comment(text="see http://example.com")),
    "own_site": (Comment(text="https://site.example/a"), Comment(text="https://site.example.evil.com/a")),
    "disguised_link": (Comment(text="bank dot com"), Comment(text="bank.com")),
    "shortener": (Comment(text="bit.ly/3x"), Comment(text="example.com/3x")),
    "text_href_mismatch": (_phish("www.defense.gov"), _phish("bad.example.org")),
    "hidden_link": (
        Comment(text="Nice.", links=(Href(url="http://a.example.com", text=""),)),
        Comment(text="Nice.", links=(Href(url="http://a.example.com", text="Nice"),)),
    ),
    "script_link": (
        Comment(text="a", links=(Href(url="javascript:alert(1)", text="a"),)),
        Comment(text="a", links=(Href(url="http://javascript.example.com", text="a"),)),
    ),
    "ip_link": (Comment(text="http://3118236972/"), Comment(text="http://example.com/3118236972")),
    "messenger": (Comment(text="t.me/channel_a"), Comment(text="http://example.com/t.me")),
    "many_links": (Comment(text="http://a.com http://b.com http://c.com"), Comment(text="http://a.com http://b.com")),
    "cited_by_article": (Comment(text="https://www.gao.gov/x"), Comment(text="https://www.other.gov/x")),
    "contact": (Comment(text="WhatsApp me on +34 600 123 456"), Comment(text="WhatsApp was down in 2024")),
    "spam_phrase": (Comment(text="I earn  money, work from home"), Comment(text="They earn medals at home")),
    "shouting": (
        Comment(text="THIS IS THE WORST JET EVER BUILT"),
        Comment(text="F-35, F-22, HIMARS and ATACMS are fine"),
    ),
}


@pytest.mark.parametrize("name", FIRING)
def test_signal_fires_where_it_should_and_not_at_the_near_miss(name: str) -> None:
    hit, near_miss = FIRING[name]
    assert _fires(name, hit)
    assert not _fires(name, near_miss)


def test_allow_and_deny_reach_hosts_below_a_domain() -> None:
    comment = Comment(text="http://a.b.example.com/x")
    domains = frozenset({"example.com"})
    assert _fires("allowed_domain", comment, allow=domains)
    assert _fires("denied_domain", comment, deny=domains)
    assert not _fires("denied_domain", Comment(text="http://notexample.com"), deny=domains)


def test_denied_beats_allowed() -> None:
    comment = Comment(text="http://example.com/x")
    both = frozenset({"example.com"})
    assert _fires("link", comment, allow=both, deny=both)
    assert not _fires("allowed_domain", comment, allow=both, deny=both)


def test_edit_after_a_decision_fires() -> None:
    assert _fires("edited_after_decision", Comment(text="a"), Context(decided_before="ok"))
    assert not _fires("edited_after_decision", Comment(text="a"))


def test_note_says_what_the_comment_says_and_where_it_leads() -> None:
    comment = Comment(text="try bank dot com")
    clues = Clues(comment=comment, context=CONTEXT, links=find_links(comment))
    (fired,) = BY_NAME["link"](clues)
    assert fired.note == "says 'bank dot com' -> bank.com"
    assert comment.text[fired.start : fired.end] == "bank dot com"
