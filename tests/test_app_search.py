"""`watchfloor search` on a crawled site: what a person types, and what comes of it."""

from __future__ import annotations

import json

import pytest

from conftest import Watch


@pytest.fixture(scope="module")
def crawled(demo_crawled: Watch, tmp_path_factory: pytest.TempPathFactory) -> Watch:
    return demo_crawled.copied(tmp_path_factory.mktemp("search"))


def ids(crawled: Watch, *words: str) -> list[int]:
    ran = crawled("search", *words, "--json")
    assert ran.code == 0, ran.err
    return [row["id"] for row in ran.json]


def test_every_sign_of_the_syntax_narrows_the_answer(crawled: Watch) -> None:
    everything = ids(crawled, "the")
    assert ids(crawled, "the", "-yard", "--limit", "100") == [n for n in everything if n not in ids(crawled, "yard")]
    assert set(ids(crawled, '"air policing"')) <= set(ids(crawled, "air policing"))
    assert ids(crawled, "yards") and set(ids(crawled, "yards")) < set(ids(crawled, "yard*"))
    assert ids(crawled, "title:frigate") == ids(crawled, "title:frig*") != []
    assert ids(crawled, "source:demo", "--limit", "100") and not ids(crawled, "-source:demo")
    assert len(ids(crawled, "lang:de")) == 1
    dated = crawled("search", "since:2026-10 until:2026-10-09", "--json").json
    assert dated and all("2026-10-01" <= row["published_at"] < "2026-10-10" for row in dated)


def test_by_finds_what_an_author_wrote(crawled: Watch) -> None:
    (listed,) = crawled.rows("SELECT authors FROM articles WHERE authors <> '[]' ORDER BY id LIMIT 1")[0]
    name = json.loads(listed)[0]
    theirs = [id for (id,) in crawled.rows("SELECT id FROM articles WHERE instr(authors, ?) ORDER BY id", name)]
    assert sorted(ids(crawled, f'by:"{name}"')) == theirs != []


def test_comments_are_found_with_their_state_and_under_what_they_stand(crawled: Watch) -> None:
    rows = crawled("search", "--comments", "the", "--json").json
    assert rows and all({"author", "posted_at", "state", "headline", "url", "source_id"} <= set(row) for row in rows)
    shown = crawled("search", "--comments", "the", "--limit", "1").out
    assert "] on " in shown and "⟦" in shown
    author = rows[0]["author"]
    assert {row["author"] for row in crawled("search", "--comments", f'by:"{author}"', "--json").json} == {author}


def test_a_word_that_must_not_occur_is_no_option_but_a_misspelled_option_is_told(crawled: Watch) -> None:
    assert crawled("search", "yard", "-house").code == 0
    ran = crawled("search", "yard", "--limt", "3")
    assert ran.code == 2 and "--limt" in ran.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("-yard", "nothing to look for"),
        ("xyzzy", "nothing found for: xyzzy"),
        ("since:xyzzy", "since:xyzzy is no time"),
        ("word " * 40, "only the first 32 words"),
    ],
)
def test_what_cannot_be_answered_is_said_in_a_line(crawled: Watch, words: str, told: str) -> None:
    ran = crawled("search", words)
    assert ran.code == 0 and told in ran.err and ran.out == "" and "Traceback" not in ran.err


def test_an_unknown_source_is_told_with_the_nearest(crawled: Watch) -> None:
    ran = crawled("search", "yard", "--source", "demx")
    assert ran.code == 1 and "did you mean demo" in ran.err
