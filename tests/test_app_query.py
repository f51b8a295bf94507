"""`watchfloor query`: questions by name, answers as tables, pictures, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from app.cli.charts import bars, series, sparkline
from app.demo.server import serve
from conftest import Watch, watchfloor
from db.connect import open_reader
from db.queries import ask, pack

PACK = pack()
ALWAYS_EMPTY = {"silent-edits", "withdrawn", "vanished-comments", "reviewers-agreement", "tags-rising", "same-text"}
ALWAYS_EMPTY |= {"who-copies-whom", "most-told-stories"}
"""Need more than one crawl of an unchanged site, more than one reviewer, more than one source."""


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo site, crawled, with an edited headline and one decision."""
    with serve() as server:
        watch = Watch(server, tmp_path_factory.mktemp("query"))
        watch.crawl()
        path = watch.path_of(1)
        server.site.edit_article(path, headline="The headline is another one now")
        watch.crawl("--again")
        ((comment,),) = watch.rows("SELECT min(id) FROM flagged_comments")
        watch("decide", str(comment), "spam", "--by", "ann")
        return watch.db


def test_the_pack_finds_what_is_in_the_demo(crawled: Path) -> None:
    db = open_reader(crawled)
    wide = {"days": "100000", "weeks": "10000", "words": "the"}
    found = {}
    for name, query in PACK.items():
        given = {key: value for key, value in wide.items() if key in query.params}
        found[name] = ask(db, query, given).rows
    assert not [name for name, rows in found.items() if not rows and name not in ALWAYS_EMPTY]
    ((_, source, was, became, _),) = found["changed-headlines"]
    assert (source, became) == ("demo", "The headline is another one now") and was != became
    assert found["reviewers"][0][:3] == ("ann", 1, 0)


def test_a_list_names_every_query_with_its_parameters() -> None:
    listed = watchfloor("query").out.splitlines()
    assert len(listed) == len(PACK)
    assert any(line.startswith("most-commented ") and line.endswith("[--days]") for line in listed)
    shown = watchfloor("query", "most-commented", "--show").out
    assert "How many days back. Default: 30." in shown and "SELECT" in shown


def test_answers_come_in_every_form(crawled: Path) -> None:
    asked = ("query", "disguises", "--db", crawled)
    told = watchfloor(*asked, "--json").json
    rows = list(csv.reader(io.StringIO(watchfloor(*asked, "--csv").out)))
    lines = [json.loads(line) for line in watchfloor(*asked, "--jsonl").out.splitlines()]
    assert rows[0] == told["columns"] and len(rows) - 1 == len(lines) == len(told["rows"]) > 2
    table = watchfloor(*asked).out.splitlines()
    assert table[0].split() == told["columns"] and len(table) == len(lines) + 2
    picture = watchfloor(*asked, "--chart").out.splitlines()
    assert len(picture) == len(lines) and "█" in picture[0]
    cut = watchfloor(*asked, "--limit", "1").out
    assert cut.splitlines()[-1] == "… more than 1; --limit shows them"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (("disguise",), "did you mean disguises"),
        (("disguises", "--days", "3"), "has no parameter --days"),
        (("most-commented", "--days", "soon"), "not a number"),
        (("most-commented", "--days"), "its value is missing"),
        (("most-commented", "days"), "a parameter is given as --name value"),
        (("most-commented", "--chart"), "has no picture"),
        (("about-per-week-and-country", "--words", "?!"), "no words to look for"),
    ],
)
def test_what_cannot_be_asked_is_one_line_and_code_2(wrong: tuple[str, ...], says: str, crawled: Path) -> None:
    ran = watchfloor("query", *wrong, "--db", crawled)
    assert ran.code == 2 and says in ran.err and "Traceback" not in ran.err


def test_pictures_keep_their_proportions() -> None:
    assert sparkline([0, 1, 2, 4]) == "▁▃▅█"
    assert sparkline([], ascii_only=True) == "" and sparkline([0, 0]) == "▁▁"
    long, short = bars(["a", "bb"], [10, 5])
    assert long.count("█") == 2 * short.count("█") == 50 and long.startswith("a   ")
    head, first, second = series([("w1", "x", 1), ("w2", "x", 3), ("w2", "y", 9)])
    assert head.strip() == "w1 – w2" and first == "y  ▁█  9" and second == "x  ▃█  4"


def test_history_shows_what_was_changed_word_by_word(crawled: Path) -> None:
    told = watchfloor("history", "1", "--diff", "--db", crawled)
    assert told.code == 0
    first, second = (line for line in told.out.splitlines() if re.match(r" +\d+  2", line))
    assert "first version" in first and "changed: headline" in second
    assert "{+" in told.out and "The headline is another one now" in re.sub(r"\[-.*?-\]|[{}+]", "", told.out)
    versions = watchfloor("history", "1", "--json", "--db", crawled).json["versions"]
    assert [v["revision"] for v in versions] == [1, 2]
    pieces = versions[1]["differences"]["headline"]
    assert "".join(text for kind, text in pieces if kind != "gone") == versions[1]["headline"]
    assert "".join(text for kind, text in pieces if kind != "new") == versions[0]["headline"]
    assert watchfloor("history", "999", "--db", crawled).code == 1
