"""Search finds what was meant, whatever is typed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.items import Article, Block, Fetch, Known, Page, Section
from crawler.source import Source
from db.search import CLOSE, OPEN, WORDS, match_query, search
from db.store import Store
from pipelines.compare import compare

NOW = "2024-12-23T10:00:00Z"
TEXTS = {
    "harbour": ("Frigate slips fill up", "The naval yard builds frigates. Über die Größe sagt niemand etwas."),
    "air": ("Baltic air policing", "Fighter jets guard the Baltic air. The yard is not naval here."),
    "odd": ("C++ and F-35 “notes”", "It's a O'Brien test: café naïve résumé, Страна 防衛 100% NOT AND OR NEAR."),
    "title": ("Minehunters", "Nothing about it in the text."),
    "text": ("Another headline", "The minehunters sail, and a long way on they sail again."),
}


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    with Store(Path(tmp_path_factory.mktemp("search")) / "x.db") as store:
        sources = [Source(id=id, name=id, home=f"https://{id}.example/") for id in ("one", "two")]
        run = store.begin_run(sources, version="1", now=NOW)
        for name, (headline, text) in TEXTS.items():
            save(store, run, name, headline, text)
        yield store.db


def save(store: Store, run: int, name: str, headline: str, text: str) -> None:
    url = f"https://one.example/{name}"
    sections = (Section(blocks=(Block(kind="paragraph", text=text),)),)
    delta = compare(Page(article=Article(url=url, headline=headline, sections=sections)), Known())
    source = "two" if name == "air" else "one"
    store.apply(delta, Fetch(url=url, source_id=source, outcome="stored"), run_id=run, now=NOW)


def found(db, words: str, **how: object) -> list[str]:
    rows = search(db, words, **{"limit": 10, **how})
    return [r["url"].rpartition("/")[2] for r in rows]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("frigate", {"harbour"}),
        ("FRIGATE Slips", {"harbour"}),
        ("naval yard", {"harbour", "air"}),
        ('"naval yard"', {"harbour"}),
        ('baltic "the yard"', {"air"}),
        ('"naval yard', {"harbour"}),
        ("frig*", {"harbour"}),
        ("frig", set()),
        ("mine* sail", {"text"}),
        ("uber grosse", set()),
        ("uber große", {"harbour"}),
        ("cafe naive RESUME", {"odd"}),
        ("страна", {"odd"}),
        ("防衛", {"odd"}),
        ("F-35", {"odd"}),
        ("o'brien", {"odd"}),
        ("NOT NEAR OR", {"odd"}),
        ("headline:frigate", set()),
        ("frigate submarine", set()),
        ("", set()),
        ('* " ( ^ -- % _', set()),
    ],
)
def test_articles_that_hold_every_word_are_found(db, words, names):
    assert set(found(db, words)) == names


def test_a_hit_in_the_headline_stands_before_one_in_the_text(db):
    assert found(db, "minehunters") == ["title", "text"]


def test_limit_and_source_narrow_the_answer(db):
    assert len(found(db, "yard", limit=1)) == 1
    assert found(db, "yard", source="two") == ["air"]
    assert found(db, "yard", source="none") == []


def test_a_snippet_holds_its_hits_between_the_marks(db):
    (row,) = search(db, "guard jets", limit=1)
    hits = [part.partition(CLOSE)[0] for part in row["snippet"].split(OPEN)[1:]]
    assert hits == ["jets", "guard"]
    assert row["snippet"].replace(OPEN, "").replace(CLOSE, "") in TEXTS["air"][1]


def test_an_edit_is_found_by_its_new_words_only(tmp_path):
    with Store(tmp_path / "x.db") as store:
        run = store.begin_run([Source(id="one", name="one", home="https://one.example/")], version="1", now=NOW)
        save(store, run, "a", "Old headline", "Text.")
        url = "https://one.example/a"
        edited = compare(Page(article=Article(url=url, headline="New", sections=())), store.known(url))
        store.apply(edited, Fetch(url=url, source_id="one", outcome="stored"), run_id=run, now=NOW)
        assert (found(store.db, "old"), found(store.db, "text"), found(store.db, "new")) == ([], [], ["a"])


@pytest.mark.parametrize(
    ("words", "query"),
    [
        ("a b", '"a" "b"'),
        ('x "a b" y', '"x" "a b" "y"'),
        ("wor*", '"wor"*'),
        ("*wor", '"wor"'),
        ('a""b', '"a" "b"'),
        ("a\x00b\nc", '"a" "b" "c"'),
        ("- ( * ☃", ""),
        ('""', ""),
    ],
)
def test_what_is_typed_becomes_quoted_terms(words, query):
    assert match_query(words) == query


def test_a_pasted_text_is_cut_to_its_first_words():
    assert match_query("word " * 1000).count('"word"') == WORDS


PARTS = [
    *"\"'*^():-+{}[]\\/,.;~!@#$%&|<>=?_ \t\n\x00\x02\x1b",
    "NEAR(",
    " AND ",
    " OR ",
    " NOT ",
    "headline:",
    "a",
    "é",
    "ß",
]
PARTS += [
    "\ud800",
    "\u200b",
    "\u0301",
    "²",
    "½",
    "۳",
    "ꙮ",
    "😀",
    "防",
    "\U0010ffff",
    "--",
    "/*",
    "''",
    "rowid",
    "yard",
    "x" * 500,
]


def test_500_odd_inputs_never_raise(db):
    odd = random.Random(1)
    for _ in range(500):
        words = "".join(odd.choices(PARTS, k=odd.randint(1, 12)))
        assert isinstance(search(db, words, limit=3), list), ascii(words)


@pytest.mark.parametrize("part", PARTS, ids=ascii)
def test_each_odd_part_can_stand_beside_a_word(db, part):
    for words in (part, part + "yard", "yard" + part, f'"{part}"', f"yard {part}"):
        assert isinstance(search(db, words, limit=3), list)
