"""Search finds what was meant, whatever is typed, and all of it."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.items import Article, Block, Comment, Fetch, Known, Moment, Page, Section
from crawler.source import Source
from db import finding
from db import search as ranking
from db.connect import Database, open_reader
from db.search import CLOSE, OPEN, among, count, match_query, search
from db.store import Store
from pipelines.compare import compare

NOW = "2024-12-23T10:00:00Z"
SOURCES = ("one", "two", "three")
TEXTS = {
    "harbour": ("Frigate slips fill up", "The naval yard builds frigates. Über die Größe sagt niemand etwas."),
    "air": ("Baltic air policing", "Fighter jets guard the Baltic air. The yard is not naval here."),
    "odd": ("C++ and F-35 “notes”", "It's a O'Brien test: café naïve résumé, Страна 防衛省 100% NOT AND OR NEAR a_b."),
    "title": ("Minehunters", "Nothing about it in the text."),
    "text": ("Another headline", "The minehunters sail, and a long way on they sail again."),
}


def save(
    store: Store,
    run: int,
    name: str,
    headline: str,
    text: str,
    *,
    source: str = "one",
    comments: tuple[Comment, ...] = (),
    **fields: object,
) -> None:
    url = f"https://{source}.example/{name}"
    sections = (Section(blocks=(Block(kind="paragraph", text=text),)),)
    article = Article(url=url, headline=headline, sections=sections, **fields)
    delta = compare(Page(article=article, comments=comments), Known())
    store.apply(delta, Fetch(url=url, source_id=source, outcome="stored"), run_id=run, now=NOW)


def begun(path: Path) -> tuple[Store, int]:
    store = Store(path)
    sources = [Source(id=id, name=id, home=f"https://{id}.example/") for id in SOURCES]
    return store, store.begin_run(sources, version="1", now=NOW)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    store, run = begun(tmp_path_factory.mktemp("search") / "x.db")
    with store:
        for name, (headline, text) in TEXTS.items():
            save(store, run, name, headline, text, source="two" if name == "air" else "one")
        store.index(now=NOW)
        yield store.db


def found(db: Database, words: str, **how: object) -> list[str]:
    rows = search(db, words, **{"limit": 10, "now": NOW, **how})
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
        ("yard -jets", {"harbour"}),
        ("yard -source:two", {"harbour"}),
        ("the -jet* -sail", {"harbour", "title"}),
        ("source:one -the", {"odd"}),
        ("source:two,three", {"air"}),
        ("title:minehunters", {"title"}),
        ("minehunters -title:minehunters", {"text"}),
        ("uber grosse", set()),
        ("uber große", {"harbour"}),
        ("cafe naive RESUME", {"odd"}),
        ("re\u0301sume\u0301", {"odd"}),
        ("страна", {"odd"}),
        ("防衛", {"odd"}),
        ("衛省", set()),
        ("F-35", {"odd"}),
        ("o'brien", {"odd"}),
        ("NOT NEAR OR", {"odd"}),
        ("frigate:slips", {"harbour"}),
        ("frigate submarine", set()),
        ("-frigate", set()),
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
    assert found(db, "yard source:one", source="two") == []
    assert count(db, "yard", most=10) == 2
    assert count(db, "yard", most=1) == 1


def test_a_snippet_holds_its_hits_between_the_marks(db):
    (row,) = search(db, "guard jets", limit=1)
    hits = [part.partition(CLOSE)[0] for part in row["snippet"].split(OPEN)[1:]]
    assert hits == ["jets", "guard"]
    assert row["snippet"].replace(OPEN, "").replace(CLOSE, "") in TEXTS["air"][1]


def test_what_begins_so_is_marked_to_its_end(db):
    (row,) = search(db, "frig*", limit=1)
    assert f"{OPEN}frigates{CLOSE}" in row["snippet"]


def test_an_edit_is_found_by_its_new_words_only(tmp_path):
    store, run = begun(tmp_path / "x.db")
    with store:
        save(store, run, "a", "Old headline", "Text.")
        url = "https://one.example/a"
        edited = compare(Page(article=Article(url=url, headline="New", sections=())), store.known(url))
        store.apply(edited, Fetch(url=url, source_id="one", outcome="stored"), run_id=run, now=NOW)
        store.index(now=NOW)
        assert (found(store.db, "old"), found(store.db, "text"), found(store.db, "new")) == ([], [], ["a"])


def test_newer_stands_before_older_unless_the_headline_says_it(tmp_path):
    store, run = begun(tmp_path / "x.db")
    told = {"2024-12-22": "Harbour", "2024-12-12": "Frigate", "2024-06-01": "Frigate", "2024-12-20": "Nothing"}
    with store:
        for day, headline in told.items():
            moment = Moment(iso=day, raw=day)
            save(store, run, day, headline, "A frigate." if headline == "Harbour" else "Frigate.", published=moment)
        store.index(now=NOW)
        assert found(store.db, "frigate") == ["2024-12-12", "2024-12-22", "2024-12-20", "2024-06-01"]
        assert found(store.db, "source:one") == ["2024-12-22", "2024-12-20", "2024-12-12", "2024-06-01"]
        assert found(store.db, "frigate since:2w until:yesterday") == ["2024-12-12", "2024-12-22", "2024-12-20"]


def test_a_search_with_marks_of_terminals_or_of_fts_stays_a_search(db):
    for text in ("\x00frigate\x1b[31m", "headline:" * 50, "(" * 5000, '"' * 4999, "a" * 10_000, "x y " * 2500):
        for subject in ("articles", "comments"):
            assert isinstance(search(db, text, limit=3, subject=subject), list)
    assert found(db, "frigate\x00slips") == ["harbour"]


@pytest.mark.parametrize(
    ("words", "query"),
    [
        ("a b", '"a" AND "b"'),
        ('x "a b" y', '"x" AND "a b" AND "y"'),
        ("wor* -b -c", '("wor"*) NOT ("b" OR "c")'),
        ("*wor", '"wor"'),
        ("a\x00b\nc", '"a" AND "b" AND "c"'),
        ("source:x by:y", '"source x" AND "by y"'),
        ("-b", ""),
        ("- ( * ☃", ""),
        ('""', ""),
    ],
)
def test_for_the_query_pack_what_is_typed_becomes_quoted_words(words, query):
    assert match_query(words) == query


PARTS = [
    *"\"'*^():-+{}[]\\/,.;~!@#$%&|<>=?_ \t\n\x00\x02\x1b",
    "NEAR(",
    " AND ",
    " NOT ",
    "title:",
    "by:",
    "source:",
    "-source:",
    "lang:",
    "since:",
    "until:2024",
    "-",
    "a",
    "é",
    "ß",
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


@given(st.lists(st.sampled_from(PARTS), max_size=12), st.sampled_from(["articles", "comments"]))
def test_anything_typed_gives_a_list(db, parts, subject):
    assert isinstance(search(db, "".join(parts), limit=3, subject=subject), list)
    assert isinstance(among(db, "".join(parts), [1, 2, 3], subject=subject), list)


@given(st.text(max_size=60))
def test_any_text_gives_a_list(db, text):
    assert isinstance(search(db, text, limit=3), list)


# ---- the same as a slow and simple one

WORDS = ("alpha", "alarm", "bravo", "charlie", "delta", "échelon", "a")
NAMES = ("Ann Lee", "Bob", "Ann Bo")


def corpus(path: Path) -> list[dict[str, object]]:
    """Articles and comments of few words, and what they are as rows."""
    chance, stored = random.Random(7), []
    store, run = begun(path)
    with store:
        for n in range(60):
            day = f"2024-{chance.randint(10, 12)}-{chance.randint(1, 22):02}"
            row = {
                "headline": " ".join(chance.choices(WORDS, k=2)),
                "text": " ".join(chance.choices(WORDS, k=5)),
                "author": chance.choice(NAMES),
                "source": chance.choice(SOURCES),
                "language": chance.choice(["en", "en-GB", "de", ""]),
                "day": day,
            }
            said = [
                Comment(
                    text=" ".join(chance.choices(WORDS, k=4)),
                    author=chance.choice(NAMES),
                    site_id=f"{n}-{i}",
                    position=i,
                    posted=Moment(iso=f"2024-12-{22 - i:02}T10:00:00Z", raw="x"),
                )
                for i in range(2)
            ]
            save(
                store,
                run,
                f"{n}",
                str(row["headline"]),
                str(row["text"]),
                source=str(row["source"]),
                comments=tuple(said),
                authors=(str(row["author"]),),
                language=str(row["language"]),
                published=Moment(iso=day, raw=day),
            )
            stored.append({**row, "comments": [(c.text, c.author, str(c.posted and c.posted.iso)) for c in said]})
        store.index(now=NOW)
    return stored


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, list[dict[str, object]]]]:
    path = tmp_path_factory.mktemp("many") / "x.db"
    rows = corpus(path)
    db = open_reader(path)
    yield db, rows
    db.close()


WORD = st.sampled_from(WORDS)
TERM = st.one_of(
    WORD,
    st.tuples(WORD, WORD).map(lambda two: '"' + " ".join(two) + '"'),
    st.sampled_from(["al*", "a*", "ec*", "d*", "z*"]),
    st.tuples(st.sampled_from(["by:"]), st.sampled_from(["ann", "bob", '"Ann Lee"', "b*", "nobody"])).map("".join),
    WORD.map("title:{}".format),
)
SOME = ("source:one", "source:one,two", "-source:one", "source:none", "lang:en", "-lang:en", "lang:de")
FILTER = st.sampled_from((*SOME, "since:2024-12-01", "until:2024-11", "since:8w", "until:yesterday"))
ASKED = st.tuples(
    st.lists(TERM, max_size=2), st.lists(TERM.map("-{}".format), max_size=1), st.lists(FILTER, max_size=2)
).map(lambda parts: " ".join(itertools.chain(*parts)))


def says(term: str, headline: str, text: str, author: str) -> bool:
    """Whether a term as typed stands in an article or a comment."""
    key, colon, value = term.partition(":")
    where = {"by": [author], "title": [headline]}[key] if colon else [headline, text]
    wanted = re.escape((value if colon else term).strip('"').lower().rstrip("*")).replace("é", "e").replace(r"\ ", " ")
    end = "" if term.endswith("*") else r"\b"
    return any(re.search(rf"\b{wanted}{end}", each.lower().replace("é", "e")) for each in where)


def passes(each: str, row: dict[str, object], day: str) -> bool:
    """Whether a filter as typed lets an article or a comment pass."""
    minus, each = each.startswith("-"), each.lstrip("-")
    key, _, value = each.partition(":")
    language = str(row["language"]).lower()
    verdict = {
        "source": row["source"] in value.split(","),
        "lang": language == value or language.startswith(value + "-"),
        "since": day >= {"8w": "2024-10-28"}.get(value, value),
        "until": day < {"yesterday": "2024-12-23", "2024-11": "2024-12-01"}.get(value, value),
    }[key]
    return verdict != minus


def alternatives(filters: list[str]) -> list[list[str]]:
    """The filters that all have to let it pass; of several sources, or languages, one is enough."""
    some = [[f for f in filters if f.startswith(key)] for key in ("source:", "lang:")]
    return [each for each in some if each] + [[f] for f in filters if not f.startswith(("source:", "lang:"))]


def slowly(rows: list[dict[str, object]], asked: str, subject: str) -> set[int]:
    """The numbers of all hits, by looking at each."""
    parts = re.findall(r'-?(?:\w+:)?(?:"[^"]*"|\S+)', asked)
    filters = [p for p in parts if p.lstrip("-").partition(":")[0] in ("source", "lang", "since", "until")]
    terms = [p for p in parts if p not in filters]
    if not filters and all(t.startswith("-") for t in terms):
        return set()
    listed: list[tuple[dict[str, object], str, str, str, str]] = []
    for row in rows:
        if subject == "articles":
            listed.append((row, str(row["headline"]), str(row["text"]), str(row["author"]), str(row["day"])))
        else:
            listed += ((row, "", text, author, posted) for text, author, posted in row["comments"])  # type: ignore[attr-defined]
    return {
        n
        for n, (row, headline, text, author, day) in enumerate(listed, 1)
        if all(says(t.lstrip("-"), headline, text, author) != t.startswith("-") for t in terms)
        and all(any(passes(f, row, day) for f in each) for each in alternatives(filters))
    }


@pytest.mark.parametrize("how", ["few", "picked", "walked", "read"])
@given(asked=ASKED, subject=st.sampled_from(["articles", "comments"]))
def test_what_is_found_is_what_a_look_at_everything_finds(many, how, asked, subject):
    db, rows = many
    if subject == "comments":
        asked = asked.replace("title:", "")
    hits = slowly(rows, asked, subject)
    with pytest.MonkeyPatch.context() as patched:
        if how != "few":  # the ways of a large database
            patched.setattr(finding, "FEW", {"articles": 0, "comments": 0})
            patched.setattr(finding, "SOME", 20 if how == "picked" else 0)
            patched.setattr(ranking, "NEAR", 3)
            patched.setattr(finding, "WINDOWS", {"articles": (3, 7), "comments": (5, 20)})
            patched.setattr(finding, "UNDER", (2, 5))
            patched.setattr(finding, "GAP", {"articles": 2, "comments": 2})
        if how == "read":
            patched.setattr(finding, "BROAD", 1)
            patched.setattr(finding, "AT_ONCE", 4)
        assert {r["id"] for r in search(db, asked, limit=500, subject=subject, now=NOW)} == hits
        first = [r["id"] for r in search(db, asked, limit=5, subject=subject, now=NOW)]
        assert len(first) == min(5, len(hits))
        assert set(first) <= hits
        some = range(10, 50)
        assert among(db, asked, some, subject=subject, now=NOW) == sorted(hits.intersection(some))
        if subject == "articles" and "*" not in asked:
            assert first == [r["id"] for r in search(db, asked, limit=500, now=NOW)][:5]
