"""Rows of shards: nothing of a page or a verdict is lost in them, and nothing that is no row of ours comes back."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.items import Article, Block, Comment, Delta, Href, Known, Page, Rejected, Section
from crawler.source import Source
from moderation.policy import default_policy
from moderation.rejudge import Bench
from pipelines.compare import compare
from pipelines.normalise import normalise
from pipelines.records import (
    COLUMNS,
    MEANING,
    BadRow,
    Origin,
    Row,
    failed,
    numbers,
    page_of,
    rejected,
    stored,
    verdicts_of,
)
from strategies import articles, comments, texts

SOURCE = Source(id="paper", name="Paper", home="https://paper.example/")
ORIGIN = Origin(
    asked="https://paper.example/a",
    source_id="paper",
    fetched_at="2026-11-22T12:00:00Z",
    cleaned_by="0.1.0+x",
    file="a.warc.gz",
    start=7,
    status=200,
    bytes=99,
)
SPAM = Comment(
    text="Buy pills at http://pills.example/now!!!", author="Bob", links=(Href(url="http://b.example", text="b"),)
)
PLAIN = Page(
    article=Article(
        url="https://paper.example/a",
        headline="A story",
        sections=(Section(blocks=(Block(kind="paragraph", text="Some words of 12 men."),)),),
    ),
    comments=(SPAM, Comment(text="Well said.", author="Ann", parent=0, depth=1, position=1)),
)


def judged(page: Page) -> Delta:
    delta = compare(normalise(page, asked=ORIGIN.asked, source=SOURCE), Known())
    return replace(delta, verdicts=Bench(None, default_policy()).verdicts(delta, SOURCE))


def row_of(page: Page) -> Row:
    return stored(judged(page), ORIGIN)


def changed(name: str, change: Any) -> Row:
    row = row_of(PLAIN)
    said = json.loads(row[name])
    change(said)
    return {**row, name: json.dumps(said)}


@given(st.builds(Page, article=articles, comments=comments()))
def test_a_page_and_its_verdicts_come_back_as_they_were(page: Page) -> None:
    delta = judged(page)
    row = stored(delta, ORIGIN)
    again = json.loads(json.dumps(row))
    assert page_of(again) == delta.page
    assert verdicts_of(again) == delta.verdicts
    assert [type(value) for value in row.values()] == list(COLUMNS.values())


def test_what_people_query_stands_in_columns_of_its_own() -> None:
    row = row_of(PLAIN)
    told = {name: row[name] for name in ("url", "headline", "outcome", "words", "comments", "flagged", "start", "text")}
    assert told == {
        "url": "https://paper.example/a",
        "headline": "A story",
        "outcome": "stored",
        "words": 5,
        "comments": 2,
        "flagged": 1,
        "start": 7,
        "text": "Some words of 12 men.",
    }
    assert list(MEANING) == list(COLUMNS)


def test_a_page_without_an_article_is_a_row_that_says_why() -> None:
    for row in (rejected(Rejected(reason="bot wall", detail="x"), ORIGIN), failed("bot wall", "x", ORIGIN)):
        assert list(row) == list(COLUMNS)
        assert (row["url"], row["reason"], row["detail"], row["page"]) == (ORIGIN.asked, "bot wall", "x", "")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda page: page.pop("article"), "article is missing"),
        (lambda page: page["article"].update(headline=7), "page.article.headline: not of the type"),
        (lambda page: page["article"].update(comments_state="ajar"), "'ajar' is none of"),
        (lambda page: page["article"].update(colour="red"), "'colour' is no field"),
        (lambda page: page["comments"][1].update(parent=1), "comment 1 answers to comment 1"),
        (lambda page: page["comments"][1].update(parent=-1), "comment 1 answers to comment -1"),
        (lambda page: page["comments"][0].update(position=2**63), "not of the type"),
        (lambda page: page["comments"].extend([page["comments"][0]] * 5_000), "more than 5000 comments"),
    ],
)
def test_a_row_that_is_not_as_it_was_written_is_told_by_place(change: Any, said: str) -> None:
    with pytest.raises(BadRow, match=said):
        page_of(changed("page", change))


@pytest.mark.parametrize("page", ["", "{", "[" * 100_000, "null", "[]", '"x"', "1" * 5_000, None, 7])
def test_what_is_no_page_is_a_bad_row(page: Any) -> None:
    with pytest.raises(BadRow):
        page_of({**row_of(PLAIN), "page": page})


def test_a_row_of_another_version_is_not_guessed_at() -> None:
    with pytest.raises(BadRow, match="version '2', not 1"):
        page_of({**row_of(PLAIN), "version": 2})


json_values = st.recursive(st.none() | st.booleans() | st.integers() | texts, lambda inner: st.lists(inner, max_size=3))


@given(st.sampled_from(["article", "comments", "cuts"]), json_values)
def test_any_json_is_a_page_or_a_bad_row(name: str, value: Any) -> None:
    with contextlib.suppress(BadRow):
        assert isinstance(page_of(changed("page", lambda page: page.update({name: value}))), Page)


def test_numbers_of_a_text_are_told_apart_by_the_words_next_to_them() -> None:
    assert numbers("By 3.5 km at 12:30; some (1,200)!") == numbers("by\n3.5 KM at: 12:30 some 1,200.")
    assert len(numbers("12 men, 12 boats of 12")) == 3
    assert numbers("on day 5 came 3 drones") != numbers("on day 3 came 5 drones")
    assert numbers("none") == []
