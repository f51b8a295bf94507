"""The commands by which decisions and rules travel, and those that decide on groups, as a person types them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT, Ran, Watch, watchfloor
from db.connect import open_reader
from db.judging import Desk
from db.store import Store
from moderation.travel import decision_rows


@pytest.fixture(scope="module")
def crawled(demo_crawled: Watch, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two databases of one crawl, the first with decisions and rules."""
    folder = tmp_path_factory.mktemp("crawled")
    a, b = (Path(shutil.copy(demo_crawled.db, folder / name)) for name in ("a.db", "b.db"))
    with Store(a) as store:
        for number, (comment, word) in enumerate(((with_text(a, "T-72B3.It"), "ok"), (armour(a), "spam"))):
            store.decide(comment, word, by="ann", note="n", now=f"2026-11-22T10:00:0{number}Z")
        store.decide(with_text(a, "camo-net"), "spam", by="ann", now="2026-11-22T10:00:05Z")
        store.undo(by="ann", now="2026-11-22T10:00:06Z")
    with Desk(a) as desk:
        for domain, word, under in RULES:
            desk.rule_domain(domain, word, source=under, note="", by="ann", now="2026-11-22T10:00:00Z")
    return a, b


@pytest.fixture
def two(crawled: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    """Copies of their own for each test."""
    return Path(shutil.copy(crawled[0], tmp_path)), Path(shutil.copy(crawled[1], tmp_path))


RULES = (
    ("cheap-armour-shop.top", "deny", ""),
    ("t.co", "deny", ""),
    ("gao.gov", "allow", ""),
    ("camo-net-deals24.shop", "deny", "demo"),
)


def rows(db: Path, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(db)) as connection:  # an open one would keep what it holds in the WAL
        return connection.execute(sql, values).fetchall()


def with_text(db: Path, words: str) -> int:
    return int(rows(db, "SELECT min(id) FROM comments WHERE instr(text, ?)", words)[0][0])


def armour(db: Path) -> int:
    return with_text(db, "cheap-armour-shop")


def states(db: Path) -> dict[int, str]:
    return dict(rows(db, "SELECT comment_id, state FROM standing"))


def lines_of(db: Path) -> list[dict[str, Any]]:
    """What `decisions export` writes, without the command."""
    reading = open_reader(db)
    try:
        return list(decision_rows(reading))
    finally:
        reading.close()


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def said(ran: Ran, code: int, *words: str) -> None:
    assert ran.code == code, ran.err
    assert "Traceback" not in ran.err
    assert all(word in ran.err for word in words), ran.err


def test_decisions_go_out_and_come_in_and_hold(two: tuple[Path, Path], tmp_path: Path) -> None:
    a, b = two
    file = tmp_path / "d.jsonl"
    assert watchfloor("decisions", "export", file, "--db", a).out == f"{file}: 4 decisions and undoings\n"
    assert states(a) != states(b)
    dry = watchfloor("decisions", "import", file, "--dry-run", "--db", b, "--json").json
    assert dry["dry_run"] and dry["imported"] == {"spam": 2, "ok": 1, "undo": 1}
    assert states(a) != states(b)
    done = watchfloor("decisions", "import", file, "--db", b, "--json").json
    assert {**done, "dry_run": True} == dry
    assert states(a) == states(b)
    again = watchfloor("decisions", "import", file, "--db", b)
    assert again.out == f"{file}: 0 decisions imported\n  4 not: known already\n"


def test_standard_input_and_output_serve_as_files(two: tuple[Path, Path]) -> None:
    a, b = two
    lines = watchfloor("decisions", "export", "--db", a)
    assert lines.err == "" and lines.out.isascii()
    given = [json.loads(line) for line in lines.out.splitlines()]
    assert [(row["said"], row.get("stands")) for row in given] == [
        ("ok", True),
        ("spam", True),
        ("spam", False),
        ("undo", None),
    ]
    ran = watchfloor("decisions", "import", "-", "--db", b, stdin=lines.out.encode())
    assert ran.out.startswith("standard input: 4 decisions imported: 1 ok, 2 spam, 1 undo")


def test_what_finds_no_comment_is_counted_with_its_lines(two: tuple[Path, Path]) -> None:
    a, b = two
    lines = lines_of(a)
    lines[0]["key"] = "id:none"
    lines[1]["article_url"] = "http://elsewhere.example/"
    given = jsonl(lines)
    ran = watchfloor("decisions", "import", "-", "--db", b, stdin=given)
    assert ran.code == 0
    assert "1 not: under articles that are not stored here (line 2)" in ran.out
    assert "1 not: on comments that are not stored here (line 1)" in ran.out
    told = watchfloor("decisions", "import", "-", "--db", b, "--json", stdin=given).json
    assert told["left_out"] == [{"line": 1, "why": "no_comment"}, {"line": 2, "why": "no_article"}]


@pytest.mark.parametrize("broken", [b"{", b'{"type":"decision","format":1}'])
def test_a_broken_line_is_named_and_nothing_is_imported(two: tuple[Path, Path], broken: bytes) -> None:
    a, b = two
    before = states(b)
    given = jsonl(lines_of(a)) + broken
    said(watchfloor("decisions", "import", "-", "--db", b, stdin=given), 2, "line 5: ", "nothing was imported")
    assert states(b) == before


def test_rules_go_out_and_come_in_and_hold(two: tuple[Path, Path], tmp_path: Path) -> None:
    a, b = two
    file = tmp_path / "r.jsonl"
    assert watchfloor("rules", "export", file, "--db", a, "--json").json == {"file": str(file), "lines": 4}
    given = file.read_text().replace('"source":"demo"', '"source":"elsewhere"')
    ran = watchfloor("rules", "import", "-", "--db", b, stdin=given.encode())
    assert ran.out == "standard input: 4 domain rules imported: 1 allow, 3 deny\n"
    assert "nothing is stored here of elsewhere" in ran.err
    watchfloor("rules", "import", file, "--db", b)

    def listed(db: Path) -> list[Any]:
        found = watchfloor("rules", "show", "--db", db, "--json").json["domain_rules"]
        return [{**row, "id": 0} for row in found if row["source_id"] != "elsewhere"]

    assert listed(a) == listed(b)
    assert watchfloor("rules", "import", file, "--db", b, "--json").json["known"] == 4
    said(watchfloor("decisions", "import", file, "--db", b), 2, "line 1", "`watchfloor rules import` takes it")


def test_a_deny_list_is_written_for_each_system(two: tuple[Path, Path], tmp_path: Path) -> None:
    a, _ = two
    words = watchfloor("rules", "deny-list", "--for", "wordpress", "--db", a)
    assert words.out.splitlines() == ["cheap-armour-shop.top", "//t.co/", ".t.co/"]
    assert "matches inside words" in words.err and "--source takes them in" in words.err
    with_source = watchfloor("rules", "deny-list", "--for", "plain", "--source", "demo", "--db", a)
    assert with_source.out.splitlines() == ["camo-net-deals24.shop", "cheap-armour-shop.top", "t.co"]
    assert with_source.err == ""
    file = tmp_path / "deny.map"
    assert watchfloor("rules", "deny-list", "--for", "rspamd", file, "--db", a).out == ""
    assert file.read_text().endswith("/(^|\\.)cheap-armour-shop\\.top$/i\n/(^|\\.)t\\.co$/i\n")
    told = watchfloor("rules", "deny-list", "--for", "automoderator", "--db", a, "--json").json
    assert told["domains"] == ["cheap-armour-shop.top", "t.co"] and len(told["lines"]) == 9


def test_a_deny_list_takes_the_rules_file_too_and_needs_no_database(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text('version = "x"\n[domains]\ndeny = ["Bad-Shop.example", "no domain"]')
    ran = watchfloor("rules", "deny-list", "--for", "plain", "--home", tmp_path)
    assert ran.out == "bad-shop.example\n"
    said(ran, 0, "no domains, left out: no domain")
    empty = watchfloor("rules", "deny-list", "--for", "plain", "--home", tmp_path / "none")
    assert empty.out == ""
    said(empty, 0, "no domain is denied")


def test_a_file_is_there_whole_or_as_it_was(two: tuple[Path, Path], tmp_path: Path) -> None:
    a, _ = two
    file = tmp_path / "old.jsonl"
    file.write_text("old")
    said(watchfloor("decisions", "export", file, "--db", tmp_path / "none.db"), 4, "no database here yet")
    assert file.read_text() == "old"
    assert watchfloor("decisions", "export", file, "--db", a).code == 0
    assert len(file.read_text().splitlines()) == 4
    assert [p.name for p in tmp_path.glob("*.half")] == []
    assert watchfloor("decisions", "export", "/dev/null", "--db", a).code == 0
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    said(watchfloor("decisions", "export", tmp_path / "no" / "d.jsonl", "--db", a), 2, "there is no folder")
    before = a.read_bytes()
    said(watchfloor("decisions", "export", a, "--db", a), 2, "that is the database itself")
    assert a.read_bytes() == before


def test_odd_uses_are_one_line_of_complaint(two: tuple[Path, Path], tmp_path: Path) -> None:
    a, b = two
    said(watchfloor("decisions", "export", "--json", "--db", a), 2, "name one")
    said(watchfloor("decisions", "export", "--source", "dem", "--db", a), 1, "did you mean demo?")
    said(watchfloor("decisions", "import", tmp_path / "none", "--db", b), 2, "does not exist")
    said(watchfloor("decisions", "import", tmp_path, "--db", b), 2, "is a directory")
    for command in (
        ("decisions", "import", "-"),
        ("decisions", "export"),
        ("rules", "import", "-"),
        ("rules", "export"),
    ):
        said(watchfloor(*command, "--db", tmp_path / "none.db"), 4, "no database here yet")
    assert not (tmp_path / "none.db").exists()
    said(watchfloor("decide", "1", "ok", "--note", "n" * 20_001, "--db", a), 2, "longer than 20,000 characters")
    said(watchfloor("undo", "--by", "n" * 201, "--db", a), 2, "longer than 200 characters")
    said(watchfloor("undo", "--group", "--db", a), 2, "name one COMMENT")


def test_flagged_shows_groups_with_the_command_that_decides_on_all_of_them(two: tuple[Path, Path]) -> None:
    _, b = two
    ran = watchfloor("flagged", "--group", "--db", b)
    assert "2 comments that advertise cheap-armour-shop.top" in ran.out
    assert f"all of them: watchfloor decide {armour(b)} spam --group" in ran.out
    assert "⟦cheap-armour-shop[.]top⟧" in ran.out
    (first, *others) = before = watchfloor("flagged", "--group", "--db", b, "--json").json
    assert first["example"]["id"] == first["comments"][0] and first["size"] == len(first["comments"]) == 2
    one = watchfloor("flagged", "--group", "--limit", "1", "--db", b)
    assert "--limit shows more groups" in one.out
    command = first["decide"].split()[1:]
    done = watchfloor(*command, "--yes", "--by", "ann", "--db", b, "--json").json
    assert done["comments"] == first["comments"]
    assert watchfloor("flagged", "--group", "--db", b, "--json").json == others
    back = watchfloor("undo", str(first["comments"][1]), "--group", "--db", b, "--json").json
    assert [row["comment"] for row in back] == first["comments"]
    assert watchfloor("flagged", "--group", "--db", b, "--json").json == before


def test_a_person_is_asked_before_a_group_is_decided_on(two: tuple[Path, Path]) -> None:
    _, b = two
    before = states(b)
    ran = watchfloor("decide", str(armour(b)), "spam", "--group", "--db", b, stdin=b"n\n")
    assert ran.code == 130
    assert "2 comments would be spam" in ran.out and states(b) == before


def test_judge_knows_what_a_database_knows_when_one_is_given(two: tuple[Path, Path]) -> None:
    a, b = two
    lines = [
        {"id": 1, "text": "see gao.gov/report"},
        {"id": 2, "text": "nets at camo-net-deals24.shop"},
        {"id": 3, "text": "plates at cheap-armour-shop.top"},
        {"id": 4, "text": "odd \ud800", "author": "\ud800", "article_url": "http://[::1"},
    ]
    ((address,),) = rows(a, "SELECT url FROM articles WHERE id = 1")
    lines.append({"id": 5, "text": "nets at camo-net-deals24.shop", "article_url": address})
    given = "\n".join(json.dumps(line) for line in lines).encode()

    def judged(*args: str | Path) -> dict[int, Any]:
        answers = [json.loads(line) for line in watchfloor("judge", "--jsonl", *args, stdin=given).out.splitlines()]
        assert [row["id"] for row in answers] == [1, 2, 3, 4, 5]
        return {row["id"]: {r["name"] for r in row["reasons"]} for row in answers}

    alone, informed = judged(), judged("--db", a)
    assert "link" in alone[1] and "link" not in informed[1] and "allowed_domain" in informed[1]
    assert "denied_domain" in informed[3] and "denied_domain" not in alone[3]
    assert "denied_domain" in informed[5] and "denied_domain" not in informed[2]
    assert {"known_spam_domain"} <= informed[3]
    assert judged("--db", b)[1] == alone[1]
    said(watchfloor("judge", "--jsonl", "--db", a, "--rules", a, stdin=given), 2, "not UTF-8")


def test_judge_hears_of_a_rule_that_is_made_while_it_runs(two: tuple[Path, Path]) -> None:
    _, b = two
    command = [sys.executable, "-m", "app.cli.main", "judge", "--jsonl", "--db", str(b)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdin and running.stdout

        def asked() -> bool:
            running.stdin.write(b'{"text": "see gao.gov"}\n')
            running.stdin.flush()
            return bool(json.loads(running.stdout.readline())["flagged"])

        assert asked()
        with Desk(b) as desk:
            desk.rule_domain("gao.gov", "allow", source="", note="", by="ann", now="2026-11-22T10:00:00Z")
        assert not asked()
        running.stdin.close()
        assert running.wait(timeout=30) == 0
