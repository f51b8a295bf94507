"""Campaigns: what belongs together is found, what does not is left apart, whatever the text."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from crawler.items import Comment
from moderation.campaigns import KEYS, Member, advertised, campaigns, like, near_keys, same_text, text_keys
from moderation.links import find_links

PITCH = "Hello friends, I earn four thousand a week from my kitchen table, ask me how on my page today!"


def _member(id: int, text: str) -> Member:
    return Member(id, text, advertised(find_links(Comment(text=text))))


def test_same_domain_is_one_group_however_it_is_disguised() -> None:
    members = [_member(1, "see shop-a.com"), _member(2, "go to shop-a dot com/x"), _member(3, "see shop-b.com")]
    assert campaigns(members) == ((1, 2),)


def test_near_same_text_is_one_group() -> None:
    varied = PITCH.replace("four thousand", "9 thousand").replace("friends", "everyone").upper()
    members = [_member(1, PITCH), _member(2, "An honest remark on the range of the new missile."), _member(3, varied)]
    assert campaigns(members) == ((1, 3),)
    assert same_text(PITCH, varied)
    assert not same_text(PITCH, "Nothing of the kind is said here at all, believe me.")


def test_short_texts_are_no_campaign() -> None:
    assert campaigns([_member(1, "Great article!"), _member(2, "Great article!")]) == ()


def test_two_links_to_a_public_site_belong_together_only_when_they_lead_to_the_same_page() -> None:
    one, two = "https://www.youtube.com/watch?v=aaaaaaaaaaa", "https://www.youtube.com/watch?v=bbbbbbbbbbb"
    assert campaigns([_member(1, one), _member(2, two)]) == ()
    assert campaigns([_member(1, one), _member(2, f"look: {one}")]) == ((1, 2),)


def test_like_does_not_reach_beyond_the_comment_that_was_named() -> None:
    bridge = _member(2, "shop-a.com and honest-paper.com")
    others = [_member(1, "shop-a.com"), bridge, _member(3, "honest-paper.com")]
    assert like(others[0], others) == (2,)
    assert campaigns(others) == ((1, 2, 3),)


def test_ten_thousand_comments_take_seconds() -> None:
    members = [_member(n, f"{PITCH} {n * 7919} {n}") for n in range(500)]
    members += [
        Member(n, f"{n * n} quite another remark about {n * 31} tanks in place {n * 17}", frozenset())
        for n in range(500, 2_500)
    ]
    began = time.process_time()
    found = campaigns(members)
    assert len(found[0]) >= 495
    assert time.process_time() - began < 5


@given(st.lists(st.text(max_size=80), max_size=8))
def test_any_text_is_grouped_without_an_exception_and_each_comment_once(texts: list[str]) -> None:
    found = campaigns([_member(n, text) for n, text in enumerate(texts)])
    ids = [id for group in found for id in group]
    assert len(ids) == len(set(ids))


@given(st.text(min_size=40, max_size=200, alphabet="abcdefghij "))
def test_the_same_text_shares_every_key(text: str) -> None:
    assert text_keys(text) == text_keys(f"  {text}!!")


@given(st.text(max_size=200))
def test_keys_for_the_database_are_few_small_and_the_same_for_the_same_text(text: str) -> None:
    keys = near_keys(text)
    assert len(keys) <= KEYS and all(0 <= key < 2**31 for key in keys)
    near_keys.cache_clear()
    assert near_keys(text) == keys == near_keys(str(text))


def test_small_changes_keep_a_key_and_another_text_has_none_of_them() -> None:
    keys = set(near_keys(PITCH))
    for changed in (PITCH.upper(), PITCH.replace("today", "tonight"), f"{PITCH} http://shop.example/{9}", PITCH[6:]):
        assert keys & set(near_keys(changed))
    assert not keys & set(near_keys("The range of that missile is shorter than the article says, believe me."))


def test_the_keys_are_those_that_databases_hold() -> None:
    kept = (174926641, 311007929, 545069734, 926403473, 1153963099, 1533441252)
    assert near_keys(PITCH) == kept, "a migration has to make the table text_keys anew"


def test_a_text_without_words_is_found_again_as_it_stands() -> None:
    address = "https://example.com/a/rather/long/address?with=a&query=1"
    assert near_keys(address) and near_keys(address) == near_keys(str(address))
    assert not set(near_keys(address)) & set(near_keys(f"{address}0"))
    assert near_keys("+1") == ()
