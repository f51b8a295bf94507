"""Examples that the documents give are run as they stand, on the demo's database."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from app.demo.server import serve
from conftest import ROOT, Watch, watchfloor
from db.connect import open_reader

FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OTHERS = ("sqlite3", "sqlite-utils")
"""Programs whose lines in shell examples are run in a shell; lines of `watchfloor` are run as our command."""
SERVES = "watchfloor sql"
"""Goes on until somebody stops it; tests/test_app_sql.py runs it."""


def blocks(document: str, language: str) -> list[str]:
    """The examples of a document in one language, in order."""
    found = FENCED.findall((ROOT / document).read_text("utf-8"))
    return [text for named, text in found if named == language]


def lines(document: str, program: str) -> list[str]:
    """The lines of a document's shell examples that call a program."""
    every = (line for block in blocks(document, "sh") for line in block.splitlines())
    return [line for line in every if line.split(" ")[0] == program]


def inline(document: str) -> list[tuple[str, str]]:
    """Statements in the running text of a document."""
    found = re.findall(r"`(SELECT [^`]+)`", (ROOT / document).read_text("utf-8"))
    return [(document, f"{statement};") for statement in found]


SQL = [(document, block) for document in ("docs/database.md", "docs/sql.md") for block in blocks(document, "sql")]
SQL += inline("docs/database.md")
SHELL = [(name, line) for name in ("README.md", "docs/sql.md") for program in OTHERS for line in lines(name, program)]
OURS = [line for line in lines("docs/sql.md", "watchfloor") if line != SERVES]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A person's home with the demo's database in `watch`."""
    folder = tmp_path_factory.mktemp("home")
    with serve() as server:
        watch = Watch(server, folder)
        watch.crawl()
    (folder / "watch").mkdir()
    with sqlite3.connect(watch.db) as connection:
        connection.execute("VACUUM INTO ?", [str(folder / "watch" / "watchfloor.db")])
    return folder


def test_there_is_an_example_for_every_program() -> None:
    assert SQL and OURS and {line.split(" ")[0] for _, line in SHELL} == set(OTHERS)
    imported = "\n".join(blocks("docs/sql.md", "python"))
    assert all(f"import {name}" in imported for name in ("sqlite3", "Database", "pandas"))
    assert SERVES in lines("docs/sql.md", "watchfloor")


@pytest.mark.parametrize(("document", "block"), SQL)
def test_sql_of_the_documents_runs(document: str, block: str, home: Path) -> None:
    db = open_reader(home / "watch" / "watchfloor.db")
    ran = [db.execute(statement).fetchall() for statement in statements(block)]
    assert ran
    db.close()


@pytest.mark.parametrize("block", blocks("docs/sql.md", "python"))
def test_python_of_the_documents_runs(
    block: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(home / "watch")
    exec(compile(block, "docs/sql.md", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out.count("\n") >= 3


@pytest.mark.parametrize(("document", "line"), SHELL)
def test_shell_lines_of_the_documents_run(document: str, line: str, home: Path) -> None:
    if line.startswith("sqlite3 ") and not shutil.which("sqlite3"):
        pytest.skip("sqlite3 is not installed")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-ec", line],
        cwd=home / "watch",
        env={**os.environ, "HOME": str(home), "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and done.stdout and not done.stderr, done.stderr


@pytest.mark.parametrize("line", OURS)
def test_lines_of_our_own_command_run(line: str, home: Path) -> None:
    ran = watchfloor(*line.split()[1:], cwd=home / "watch")
    assert ran.code == 0 and ran.out and not ran.err


def statements(block: str) -> list[str]:
    """The statements of a block of SQL."""
    found, rest = [], ""
    for part in re.split(r"(?<=;)\n", block):
        rest += part
        if sqlite3.complete_statement(rest):
            found.append(rest)
            rest = ""
    assert not rest.strip(), rest
    return found
