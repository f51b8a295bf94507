"""Signals: a comment where each fires, and a near miss where it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler import limits
from crawler.items import Comment, Context, Href
from moderation.links import find_links
from moderation.signals import SIGNALS, WITHOUT_LINKS, Clues, content_words

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


ARTICLE = content_words(
    "The navy has ordered twelve frigates from three shipyards. The first vessel enters service within seven years,"
    " armed with cruise missiles and helicopters against submarines. The contract includes training, maintenance and"
    " spare parts. Parliament approved the budget despite objections from several committees, which had demanded lower"
    " prices, stricter penalties for delays, and production inside the country. Engineers expect problems with the"
    " electric propulsion, because similar engines failed during earlier trials in northern waters. Analysts doubt that"
    " enough sailors can be recruited before the launching ceremony; recruitment has fallen short since the pandemic."
)
APART = "Finally somebody explains psychic healing: marriage became wonderful through candlelight meditation sessions"


@pytest.mark.parametrize(
    ("text", "topic", "fires"),
    [
        (APART, ARTICLE, True),
        (f"{APART}, and the frigate?", ARTICLE, False),
        ("Psychic healing is wonderful, candlelight too", ARTICLE, False),
        (APART, frozenset(list(ARTICLE)[:40]), False),
        (APART, frozenset(), False),
        (
            "Недавно прочитала учебник психологии, советую каждому человеку попробовать дыхательные упражнения",
            ARTICLE,
            True,
        ),
        ("我昨天在网上买了一台新电脑", ARTICLE, True),
        ("ฉันซื้อคอมพิวเตอร์เครื่องใหม่จากร้านค้าออนไลน์เมื่อวานนี้", ARTICLE, False),
    ],
)
def test_a_comment_of_some_length_without_a_word_of_its_article_is_unrelated(
    text: str, topic: frozenset[str], fires: bool
) -> None:
    clues = Clues(comment=Comment(text=text), context=CONTEXT, links=(), topic=topic)
    assert any(BY_NAME["unrelated"](clues)) is fires


def test_endings_do_not_make_another_word_and_two_signs_are_a_word_where_a_sign_is_a_syllable() -> None:
    assert content_words("Ракетами, ракетный") & content_words("РАКЕТНОГО")
    assert content_words("新しい護衛艦を建造する") & content_words("護衛艦が足りない")
    assert content_words("The jet and the men") == frozenset()


@given(st.text(max_size=200))
def test_the_words_of_any_text_are_found_again_in_it(text: str) -> None:
    assert content_words(text) <= content_words(f"{text} {text}")


def test_a_phrase_is_found_among_others_wherever_it_stands() -> None:
    clues = Clues(comment=Comment(text="Easy money! I make MONEY  online. Visit my money"), context=CONTEXT, links=())
    assert [fired.note for fired in BY_NAME["spam_phrase"](clues)] == ["Easy money", "make MONEY", "Visit my"]


def test_accounts_and_addresses_are_told_in_the_order_in_which_they_stand() -> None:
    text = "ann [at] example.com or Telegram @ann_sells or line id: ann7777"
    clues = Clues(comment=Comment(text=text), context=CONTEXT, links=())
    notes = [fired.note for fired in BY_NAME["contact"](clues)]
    assert notes == ["ann [at] example.com", "Telegram @ann_sells", "line id: ann7777"]


def test_many_places_of_one_text_are_counted_up_to_a_limit_and_said_so() -> None:
    for times, said in ((1, "posted 1 more"), (limits.SAME_TEXTS, f"posted at least {limits.SAME_TEXTS} more")):
        clues = Clues(comment=Comment(text="a"), context=Context(same_text=times), links=())
        (fired,) = BY_NAME["same_text_elsewhere"](clues)
        assert fired.note.startswith(said)


@given(st.text(max_size=60), st.integers(0, 30), st.sampled_from(["", "ok"]))
def test_only_some_signals_fire_on_a_comment_without_a_link_and_those_are_listed(
    text: str, times: int, before: str
) -> None:
    everything = Context(
        own_hosts=CONTEXT.own_hosts,
        article_hosts=CONTEXT.article_hosts,
        decided_before=before,
        domain_spam=frozenset({"a.com"}),
        domain_ok=frozenset({"b.com"}),
        author_spam=times,
        same_text=times,
    )
    clues = Clues(comment=Comment(text=text), context=everything, links=(), topic=ARTICLE)
    assert {signal for signal in SIGNALS if any(signal(clues))} <= set(WITHOUT_LINKS)
    assert [signal for signal in SIGNALS if signal in WITHOUT_LINKS] == list(WITHOUT_LINKS)


def test_edit_after_a_decision_fires() -> None:
    assert _fires("edited_after_decision", Comment(text="a"), Context(decided_before="ok"))
    assert not _fires("edited_after_decision", Comment(text="a"))


def test_note_says_what_the_comment_says_and_where_it_leads() -> None:
    comment = Comment(text="try bank dot com")
    clues = Clues(comment=comment, context=CONTEXT, links=find_links(comment))
    (fired,) = BY_NAME["link"](clues)
    assert fired.note == "says 'bank dot com' -> bank.com"
    assert comment.text[fired.start : fired.end] == "bank dot com"
