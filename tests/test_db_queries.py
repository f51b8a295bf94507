"""The query pack answers on the demo's database, and nobody's own query can hang or write."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from db.connect import open_reader
from db.queries import SHIPPED, Query, QueryError, ask, bound, choose, pack
from db.store import Store

PACK = pack()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A database without any rows."""
    path = tmp_path_factory.mktemp("queries") / "watchfloor.db"
    Store(path).close()
    return open_reader(path)


def test_there_are_enough_of_them_and_each_says_what_it_asks() -> None:
    assert len(PACK) >= 20
    for query in PACK.values():
        assert query.title and query.about.endswith("."), query.name
        assert all(param.about.endswith(".") for param in query.params.values()), query.name


@pytest.mark.parametrize("name", PACK)
def test_every_query_can_be_asked_of_an_empty_database(name: str, empty: Database) -> None:
    answer = ask(empty, PACK[name], limit=10)
    chart = PACK[name].chart
    assert answer.columns and len(set(answer.columns)) == len(answer.columns)
    assert not chart or {chart.x, chart.y, *filter(None, [chart.by])} <= set(answer.columns)


def test_a_name_that_is_nearly_right_is_named() -> None:
    with pytest.raises(QueryError, match="did you mean changed-headlines"):
        choose(PACK, "changed-headline")


def test_parameters_are_checked_by_name_and_kind() -> None:
    query = PACK["published-per-week"]
    assert bound(query, {}) == {"weeks": 12} and bound(query, {"weeks": "3"}) == {"weeks": 3}
    for given_, message in (({"week": "3"}, "no parameter --week; it has: --weeks"), ({"weeks": "x"}, "not a number")):
        with pytest.raises(QueryError, match=message):
            bound(query, given_)


@given(st.text(max_size=40))
def test_words_of_any_kind_are_safe_to_look_for(words: str) -> None:
    query = PACK["about-per-week-and-country"]
    with_path = Database(memory=True)
    with_path.execute("CREATE VIRTUAL TABLE t USING fts5 (a)")
    try:
        values = bound(query, {"words": words})
    except QueryError:
        return
    with_path.execute("SELECT 1 FROM t WHERE t MATCH ?", (values["words"],)).fetchall()


def test_a_query_that_never_ends_is_stopped(empty: Database) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    with pytest.raises(QueryError, match=r"endless: takes longer than 0\.2 seconds"):
        ask(empty, Query(name="endless", title="t", about="a", sql=endless), seconds=0.2)
    assert ask(empty, PACK["crawls"]).rows == ()  # and the connection is as good as before


def test_no_query_can_write(empty: Database) -> None:
    with pytest.raises(QueryError, match=r"readonly|read-only|query_only"):
        ask(empty, Query(name="evil", title="t", about="a", sql="UPDATE sources SET name = 1 RETURNING id"))


def test_ones_own_queries_come_beside_the_shipped_ones(tmp_path: Path, empty: Database) -> None:
    own = tmp_path / "queries.toml"
    own.write_text('[mine]\ntitle = "t"\nabout = "a"\nsql = "SELECT 1 AS one"\n', "utf-8")
    queries = pack(own)
    assert len(queries) == len(PACK) + 1 and ask(empty, queries["mine"]).rows == ((1,),)
    for broken in (
        "[mine]\nsql = 3\n",
        "[mine",
        '[mine]\ntitle = "t"\nabout = "a"\nsql = "s"\nlimit = 3\n',
        "mine = 3",
    ):
        own.write_text(broken, "utf-8")
        with pytest.raises(QueryError, match=r"queries\.toml"):
            pack(own)


def test_the_shipped_file_is_packed_with_the_program() -> None:
    assert SHIPPED.exists()
