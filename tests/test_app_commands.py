"""The commands a person or a script uses, on a database that a real crawl filled."""

from __future__ import annotations

import base64
import json
import re
import shutil
from pathlib import Path

import pytest

from app.cli.main import COMMANDS, cli
from app.demo.server import serve, source
from conftest import ROOT, Ran, forked, watchfloor

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f]")


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crawled")
    with serve() as server:
        (folder / "demo.toml").write_text(source(server.url))
        hostile = "\x1b]0;owned\x07\x1b[31mred\x1b[0m \u202eevil\u202c see bad-shop.top"
        server.site.add_comment(server.site.articles[0].path, hostile, author="\x1b[2Jann\u202e")
        allowed = f"127.0.0.1:{server.port}"
        ran = watchfloor(
            "crawl", "--sources", folder / "demo.toml", "--db", folder / "w.db", "--allow-address", allowed
        )
        assert ran.code == 0, ran.err
    return folder / "w.db"


@pytest.fixture
def db(crawled: Path, tmp_path: Path) -> Path:
    """A copy of its own for each test that writes."""
    shutil.copy(crawled, tmp_path / "w.db")
    return tmp_path / "w.db"


def test_latest_lists_the_newest_first(crawled: Path) -> None:
    rows = watchfloor("latest", "--db", crawled, "--json", "--limit", "100").json
    dates = [row["published_at"] for row in rows]
    assert dates == sorted(dates, reverse=True)
    assert len(rows) == 16


def test_search_finds_and_marks_what_was_asked_for(crawled: Path) -> None:
    (first, *_) = watchfloor("search", "balloons", "--db", crawled, "--json").json
    assert first["headline"].startswith("North Korea Suffers")
    assert "**balloons**" in first["snippet"]
    assert watchfloor("search", "xyzzy", "--db", crawled).out == ""


def test_show_takes_a_number_or_an_address_even_with_tracking_in_it(crawled: Path) -> None:
    discussed = next(row for row in watchfloor("latest", "--db", crawled, "--json").json if row["comments"])
    by_number = watchfloor("show", str(discussed["id"]), "--db", crawled, "--json").json
    by_address = watchfloor("show", by_number["url"] + "?utm_source=x", "--db", crawled, "--json").json
    assert by_address["id"] == discussed["id"]
    assert by_number["comments"][0]["verdicts"]
    assert watchfloor("show", "999", "--db", crawled).code == 1


def test_flagged_marks_each_link_in_place_and_says_why(crawled: Path) -> None:
    ran = watchfloor("flagged", "--db", crawled, "--limit", "100")
    assert "⟦cheap-armour-shop[.]top⟧" in ran.out
    assert re.search(r"· \w+ \(\+[\d.]+\): ", ran.out)
    rows = watchfloor("flagged", "--db", crawled, "--limit", "100", "--json").json
    scores = [row["score"] for row in rows]
    assert scores == sorted(scores, reverse=True)
    for row in rows:
        for link in row["links"]:
            if link["start"] < link["stop"]:
                assert row["text"][link["start"] : link["stop"]]


def test_decide_and_undo_move_a_comment_out_of_the_queue_and_back(db: Path) -> None:
    waiting = len(watchfloor("flagged", "--db", db, "--json", "--limit", "100").json)
    (first, *_) = watchfloor("flagged", "--db", db, "--json").json
    said = watchfloor("decide", str(first["id"]), "spam", "--by", "ann", "--note", "shop", "--db", db, "--json").json
    assert said["by"] == "ann"
    assert len(watchfloor("flagged", "--db", db, "--json", "--limit", "100").json) == waiting - 1
    assert watchfloor("undo", "--db", db, "--json").json == {
        "comment": first["id"],
        "undone": "spam",
        "now": "flagged",
    }
    assert len(watchfloor("flagged", "--db", db, "--json", "--limit", "100").json) == waiting
    assert watchfloor("undo", "--db", db).code == 1


@pytest.mark.parametrize("command", [("latest",), ("flagged", "--limit", "100"), ("search", "the"), ("runs",)])
def test_no_output_can_drive_a_terminal(crawled: Path, command: tuple[str, ...]) -> None:
    ran = watchfloor(*command, "--db", crawled)
    assert ran.code == 0
    assert not CONTROL.search(ran.out + ran.err)


def test_the_hostile_comment_is_shown_with_its_controls_spelled_out(crawled: Path) -> None:
    out = watchfloor("flagged", "--db", crawled, "--limit", "100").out
    assert "\\u202eevil\\u202c" in out


def test_json_is_ascii_for_every_command_that_has_it(crawled: Path) -> None:
    for command in (
        ("latest",),
        ("flagged",),
        ("search", "north"),
        ("show", "1"),
        ("runs",),
        ("sources",),
        ("doctor",),
    ):
        ran = watchfloor(*command, "--db", crawled, "--json")
        assert ran.out.isascii(), command
        json.loads(ran.out)


def test_doctor_finds_a_good_database_good_and_a_bad_one_bad(crawled: Path, tmp_path: Path) -> None:
    assert watchfloor("doctor", "--db", crawled).code == 0
    bad = tmp_path / "bad.db"
    bad.write_text("no database" * 100)
    ran = watchfloor("doctor", "--db", bad)
    assert ran.code == 4
    assert "not a SQLite database" in ran.out


def one_error_line(ran: Ran, code: int, *words: str) -> None:
    assert ran.code == code, ran.err
    assert "Traceback" not in ran.err
    assert all(word in ran.err for word in words), ran.err


def test_a_missing_database_is_said(tmp_path: Path) -> None:
    for command in (("latest",), ("flagged",), ("decide", "1", "ok"), ("undo",), ("runs",)):
        one_error_line(watchfloor(*command, "--db", tmp_path / "none.db"), 4, "no database here yet")
    assert not (tmp_path / "none.db").exists()


def test_a_file_that_is_no_database_stops_the_crawl_before_anything_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('name = "S"\nhome = "http://s.invalid/"')
    (tmp_path / "x.db").write_text("not a database" * 100)
    ran = watchfloor("crawl", "--sources", tmp_path / "s.toml", "--db", tmp_path / "x.db")
    one_error_line(ran, 4, "not a SQLite database", str(tmp_path / "x.db"))
    assert len(ran.err.splitlines()) == 1


def test_an_unknown_source_is_said_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "opex360.toml").write_text('name = "S"\nhome = "http://s.invalid/"')
    ran = watchfloor("crawl", "opex36", "--sources", tmp_path, "--db", tmp_path / "x.db")
    one_error_line(ran, 2, "opex36", "did you mean opex360?")


def test_a_broken_source_file_is_said_with_file_line_and_nearest_key(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('name = "S"\nhome = "http://s.invalid/"\nfeds = []\n')
    ran = watchfloor("crawl", "--sources", tmp_path / "s.toml", "--db", tmp_path / "x.db")
    one_error_line(ran, 2, "s.toml:3", "feds", "did you mean feeds?")


def test_broken_rules_stop_the_crawl_with_the_file_and_the_key(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "s.toml").write_text('name = "S"\nhome = "http://s.invalid/"')
    (tmp_path / "rules.toml").write_text('version = "1"\nthreshhold = 2')
    one_error_line(watchfloor("crawl", "--home", tmp_path), 2, "rules.toml", "did you mean threshold?")


def test_odd_arguments_are_one_line_of_complaint(db: Path) -> None:
    for command in (
        ("decide", "99999999999999999999", "ok"),
        ("decide", "0", "ok"),
        ("undo", "99999999999999999999"),
        ("show", "\udcff"),
        ("latest", "--source", "\udcff"),
        ("latest", "--source", "typo"),
        ("flagged", "--source", "dem"),
    ):
        ran = watchfloor(*command, "--db", db)
        assert ran.code in (1, 2), command
        assert "Traceback" not in ran.err, command
    one_error_line(watchfloor("flagged", "--source", "dem", "--db", db), 1, "did you mean demo?")
    one_error_line(watchfloor("latest", "--db", ""), 2, "an empty name")
    assert watchfloor("decide", "1", "ok", "--note", "half \udcff", "--by", "a\udcff", "--db", db).code == 0


def test_a_decision_on_a_version_that_was_not_seen_is_refused(db: Path) -> None:
    (first, *_) = watchfloor("flagged", "--db", db, "--json").json
    id, seen = str(first["id"]), str(first["verdict_id"])
    assert watchfloor("decide", id, "spam", "--seen", seen, "--by", "ann", "--db", db).code == 0
    one_error_line(watchfloor("decide", id, "ok", "--seen", seen, "--db", db), 1, "ann said spam")


def test_show_tells_every_verdict_with_its_reasons(db: Path) -> None:
    (first, *_) = watchfloor("flagged", "--db", db, "--json").json
    watchfloor("decide", str(first["id"]), "spam", "--by", "ann", "--note", "same shop", "--db", db)
    out = watchfloor("show", str(first["article_id"]), "--db", db).out
    assert re.search(r"– flagged [\d.]+ by rules@\S+, 20\S+: \w+", out)
    assert re.search(r"– spam by ann, 20\S+: same shop", out)


def test_a_reader_that_leaves_is_no_error(crawled: Path) -> None:
    import subprocess
    import sys

    command = (
        f"{sys.executable} -m app.cli.main flagged --limit 100 --json --db {crawled} | true; echo ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.strip(), done.stderr) == ("0", "")


@pytest.mark.parametrize(
    "home", ["http://a..b/", "http://exa mple.com/", "http://u:p@example.com/", "http://" + "x" * 70 + ".com/"]
)
def test_a_home_that_is_no_address_is_said_with_the_file(tmp_path: Path, home: str) -> None:
    (tmp_path / "s.toml").write_text(f'name = "S"\nhome = "{home}"')
    one_error_line(
        watchfloor("crawl", "--sources", tmp_path / "s.toml", "--db", tmp_path / "x.db"), 2, "s.toml", "home"
    )


def test_a_css_selector_that_is_none_is_said_with_the_file_and_key(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('name = "S"\nhome = "http://s.invalid/"\n[rules]\ncontent = "div["')
    ran = watchfloor("crawl", "--sources", tmp_path / "s.toml", "--db", tmp_path / "x.db")
    one_error_line(ran, 2, "s.toml", "rules.content")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.1:99999", "x:y", ":80"])
def test_an_allowed_address_that_is_none_is_a_usage_error(tmp_path: Path, address: str) -> None:
    (tmp_path / "s.toml").write_text('name = "S"\nhome = "http://s.invalid/"')
    ran = watchfloor("crawl", "--sources", tmp_path / "s.toml", "--db", tmp_path / "x.db", "--allow-address", address)
    one_error_line(ran, 2, address)


def test_the_demo_ends_and_says_how_to_review(tmp_path: Path) -> None:
    ran = watchfloor("demo", "--db", tmp_path / "d.db")
    assert ran.code == 0
    assert "16 articles" in ran.out
    assert "held for review" in ran.out
    assert re.search(r"decide \d+ spam", ran.out)
    again = watchfloor("demo", "--db", tmp_path / "d.db")
    assert re.search(r"0 new, .*\d+ not due", again.out)


def test_clean_and_judge_answer_line_by_line_in_order_and_survive_bad_lines() -> None:
    story = b"".join(b"<p>The minister said on day %d that the ship would sail.</p>" % day for day in range(9))
    html = b"<html><body><article><h1>Title of it</h1>" + story + b"</article></body></html>"
    lines = [{"id": 1, "url": "http://x.example/a", "html_b64": base64.b64encode(html).decode()}, {"id": 2}]
    given = b"\n".join([json.dumps(lines[0]).encode(), b"{broken", b"[]", json.dumps(lines[1]).encode()])
    answers = [json.loads(line) for line in watchfloor("clean", "--jsonl", stdin=given).out.splitlines()]
    assert answers[0]["title"] == "Title of it"
    assert [set(a) & {"error", "id"} for a in answers[1:]] == [{"error"}, {"error"}, {"error", "id"}]
    given = json.dumps({"id": 7, "text": "see cheap-shop.top now"}).encode()
    (answer,) = [json.loads(line) for line in watchfloor("judge", "--jsonl", stdin=given).out.splitlines()]
    assert answer["flagged"]
    assert answer["urls"][0]["text"] == "cheap-shop.top"


def test_every_command_has_help_with_an_example_and_the_purpose_the_list_gives() -> None:
    import click

    for name, (_, purpose) in COMMANDS.items():
        with click.Context(cli) as context:
            command = cli.get_command(context, name)
            assert command is not None
            assert "Example" in (command.help or ""), name
            assert purpose


def test_a_command_loads_no_library_that_it_has_no_use_for() -> None:
    import subprocess
    import sys

    heavy = {"bs4", "datasette", "feedparser", "lxml", "numpy", "pandas", "pyarrow", "rich", "scrapy", "twisted"}
    for module, most in (("app.cli.main", {"click"}), ("app.cli.reading", {"click", "sqlite_utils"})):
        code = f"import sys, {module}; print(*sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
        loaded = set(done.stdout.split())
        assert loaded & (heavy | {"click", "sqlite_utils"}) == most, module


def test_scrapys_own_commands_work_from_the_checkout(crawled: Path, tmp_path: Path) -> None:
    with serve() as server:
        env = {"WATCHFLOOR_ALLOW": f"127.0.0.1:{server.port}", "WATCHFLOOR_DB": str(tmp_path / "s.db")}
        (tmp_path / "demo.toml").write_text(source(server.url))

        def scrapy(*args: str) -> str:
            ran = forked("scrapy", *args, env=env)
            assert ran.code == 0, ran.err
            return ran.out

        page = server.url + server.site.get("/feed/", {}).body.decode().split("<link>")[2].split("</link>")[
            0
        ].removeprefix(server.url)
        assert scrapy("list").split() == ["news"]
        scrapy("crawl", "news", "-a", f"files={tmp_path / 'demo.toml'}")
        assert len(watchfloor("latest", "--db", tmp_path / "s.db", "--json").json) == 16
        assert "200" in scrapy("shell", page, "-c", "response.status")
        assert "headline" in scrapy("parse", page, "--spider", "news", "-a", f"files={tmp_path / 'demo.toml'}")
