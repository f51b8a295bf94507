"""Only what changed is a change, comment by comment."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from crawler.items import Article, Block, Comment, Cut, Href, Known, Moment, Page, Section
from pipelines.compare import article_fields, compare, fingerprint, keyed_comments
from strategies import comments, known_after, pages

ARTICLE = Article(
    url="https://example.com/a",
    headline="Frigate slips",
    sections=(Section(blocks=(Block(kind="paragraph", text="A."),)),),
)
FIRST = Comment(text="First.", author="Ann", site_id="1")
REPLY = Comment(text="Reply.", author="Bob", site_id="2", parent=0, position=1)


def page(*comments: Comment, **article: object) -> Page:
    return Page(article=replace(ARTICLE, **{"comments_state": "open", **article}), comments=comments)


def stored(before: Page) -> Known:
    return known_after(compare(before, Known()))


@given(pages)
def test_a_page_that_is_stored_as_it_is_changes_nothing(before):
    delta = compare(before, stored(before))
    assert delta.empty
    assert (delta.new, delta.edited, delta.returned, delta.unjudged, delta.gone, delta.changed) == ((),) * 6


@given(pages)
def test_a_page_never_seen_is_all_new(before):
    delta = compare(before, Known())
    assert [k.comment for k in delta.new] == list(before.comments)
    assert set(delta.changed) == set(article_fields(before.article))
    assert not delta.empty


@given(pages, pages)
def test_each_comment_is_in_one_lot_and_what_is_stored_next_is_the_page(before, after):
    delta = compare(after, stored(before))
    lots = [k.key for lot in (delta.new, delta.edited, delta.returned, delta.unjudged) for k in lot] + list(delta.gone)
    assert len(lots) == len(set(lots))
    assert compare(after, known_after(delta)).empty


@given(comments())
def test_keys_are_unique_and_a_parent_has_its_own(made):
    keyed = keyed_comments(made)
    keys = [k.key for k in keyed]
    assert len(set(keys)) == len(keys)
    for k in keyed:
        assert k.parent_key == (None if k.comment.parent is None else keys[k.comment.parent])


def test_a_late_comment_is_new_under_an_unchanged_article():
    delta = compare(page(FIRST, REPLY), stored(page(FIRST)))
    assert [k.comment for k in delta.new] == [REPLY]
    assert delta.new[0].parent_key == "id:1"
    assert (delta.changed, delta.edited, delta.gone) == ((), (), ())


@pytest.mark.parametrize(
    "change",
    [
        {"text": "First!"},
        {"author": "Anna"},
        {"author_url": "https://spam.example/"},
        {"links": (Href(url="https://spam.example/", text="First."),)},
    ],
)
def test_what_a_reader_sees_otherwise_is_an_edit(change):
    delta = compare(page(replace(FIRST, **change)), stored(page(FIRST)))
    assert [k.key for k in delta.edited] == ["id:1"]
    assert (delta.new, delta.gone, delta.unjudged) == ((), (), ())


@pytest.mark.parametrize("change", [{"position": 9}, {"depth": 2}, {"posted": Moment(iso="", raw="3 hours ago")}])
def test_place_and_relative_time_are_no_edit(change):
    assert compare(page(replace(FIRST, **change)), stored(page(FIRST))).empty


def test_without_a_site_id_a_relative_time_does_not_change_the_key_but_a_date_does():
    def key(raw: str, iso: str = "") -> str:
        return keyed_comments([Comment(text="Hi", author="Ann", posted=Moment(iso=iso, raw=raw))])[0].key

    assert key("3 hours ago") == key("4 hours ago")
    assert key("1 May 2024", "2024-05-01") != key("2 May 2024", "2024-05-02")


def test_without_a_site_id_a_comment_keeps_its_key_wherever_it_stands():
    one, other = Comment(text="One"), Comment(text="Other")
    keys = [{k.comment.text: k.key for k in keyed_comments(made)} for made in ((one, other), (other, one))]
    assert keys[0] == keys[1]


@pytest.mark.parametrize(
    ("ids", "keys"),
    [
        (("5", "5", "5"), ["id:5", "id:5#2", "id:5#3"]),
        (("5", "5", "5#2"), ["id:5", "id:5#2", "id:5#2#2"]),
        (("5#2", "5", "5"), ["id:5#2", "id:5", "id:5#3"]),
    ],
)
def test_a_key_that_a_page_uses_twice_gets_a_number_of_its_own(ids, keys):
    assert [k.key for k in keyed_comments([Comment(text="x", site_id=i) for i in ids])] == keys


def test_a_parent_on_another_page_is_known_by_its_site_id():
    (keyed,) = keyed_comments([Comment(text="x", site_id="7", parent_site_id="3")])
    assert keyed.parent_key == "id:3"


def test_the_parts_of_a_fingerprint_do_not_run_into_one_another():
    assert fingerprint(Comment(text="bc", author="a")) != fingerprint(Comment(text="c", author="ab"))


def test_a_comment_that_is_no_longer_there_is_gone_once():
    delta = compare(page(FIRST), stored(page(FIRST, REPLY)))
    assert delta.gone == ("id:2",)
    assert compare(page(FIRST), known_after(delta)).empty


@pytest.mark.parametrize(
    ("state", "gone"),
    [("open", ("id:1",)), ("closed", ("id:1",)), ("none", ("id:1",)), ("script", ()), ("unknown", ())],
)
def test_a_page_without_comments_proves_them_gone_only_when_it_would_have_them(state, gone):
    assert compare(page(comments_state=state), stored(page(FIRST, comments_state=state))).gone == gone


def test_a_page_whose_comments_were_cut_proves_none_gone():
    cut = Cut(limit="COMMENTS_A_PAGE", kept=1, left_out=1, unit="comments")
    assert compare(replace(page(FIRST), cuts=(cut,)), stored(page(FIRST, REPLY))).gone == ()


def test_a_gone_comment_that_is_there_again_has_returned_or_is_edited():
    gone = known_after(compare(page(FIRST), stored(page(FIRST, REPLY))))
    back = compare(page(FIRST, REPLY), gone)
    assert [k.key for k in back.returned] == ["id:2"]
    changed = compare(page(FIRST, replace(REPLY, text="Other.")), gone)
    assert ([k.key for k in changed.edited], changed.returned) == (["id:2"], ())


def test_a_stored_comment_without_a_verdict_is_judged_again():
    known = stored(page(FIRST))
    known = replace(known, comments={"id:1": replace(known.comments["id:1"], judged_by="")})
    delta = compare(page(FIRST), known)
    assert [k.key for k in delta.unjudged] == ["id:1"]
    assert not delta.empty


def test_only_the_fields_that_differ_have_changed():
    delta = compare(page(FIRST, headline="Frigate sails", tags=("navy",)), stored(page(FIRST)))
    assert set(delta.changed) == {"headline", "tags"}


def test_an_article_that_was_gone_and_answers_again_is_a_change():
    known = replace(stored(page(FIRST)), gone=True)
    assert not compare(page(FIRST), known).empty
