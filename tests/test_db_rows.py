"""What lies in the database reads back as what was stored."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from crawler.items import Block, Section
from crawler.source import Source
from db.rows import comment_row, sections_of, source_of, source_row
from pipelines.compare import article_fields, keyed_comments
from pipelines.normalise import normalise
from strategies import pages


@given(pages)
def test_sections_come_back_from_body_and_blocks(made):
    article = normalise(made, asked="https://example.com/a").article
    fields = article_fields(article)
    assert sections_of(fields["body"], fields["blocks"]) == article.sections
    assert fields["body"] == article.body


@given(pages)
def test_a_comment_lies_in_its_row_as_it_was(made):
    for keyed in keyed_comments(made.comments):
        row = comment_row(keyed)
        assert (row["key"], row["text"], row["author"]) == (keyed.key, keyed.comment.text, keyed.comment.author)
        hrefs = [{"url": link.url, "text": link.text} for link in keyed.comment.links]
        assert json.loads(row["hrefs"]) == hrefs


@pytest.mark.parametrize(
    ("body", "blocks", "sections"),
    [
        ("", "[]", ()),
        ("a\n\nB\n\nc", '["paragraph","h2","item"]', ("a", "B", "c")),
        ("B", '["h6"]', ("B",)),
        ("a\n\nb", '["paragraph"]', ("a",)),
    ],
)
def test_a_heading_begins_a_section(body, blocks, sections):
    texts = tuple(t for s in sections_of(body, blocks) for t in (s.heading, *(b.text for b in s.blocks)) if t)
    assert texts == sections


def test_a_heading_keeps_its_level():
    assert sections_of("B\n\nc", '["h3","quote"]') == (
        Section(heading="B", level=3, blocks=(Block(kind="quote", text="c"),)),
    )


def test_a_source_comes_back_from_its_row_as_it_went_in() -> None:
    source = Source(
        id="e", name="E", home="https://e.example/", enabled=False, affiliation="government", breaks=("a wall", "dates")
    )
    assert source_of(source_row(source)) == source
