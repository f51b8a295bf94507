"""Documents that cannot lie: what they say of commands, columns, settings and files is compared with the code."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from app.cli.main import COMMANDS
from crawler import health
from crawler.source import load_sources
from tools import reference

ROOT = Path(__file__).parent.parent
DOCS = sorted((*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))


def test_every_column_of_the_database_is_described_where_it_is_made() -> None:
    assert list(reference.undescribed()) == []


def test_the_generated_parts_are_as_the_code_has_them() -> None:
    files = [str(p) for p in (ROOT / "docs").glob("*.md")]
    done = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", *files], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}: run `make docs`"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_reference(name: str) -> None:
    assert f"## watchfloor {name}\n" in (ROOT / "docs/commands.md").read_text("utf-8")


def test_every_exit_code_is_in_the_operators_table() -> None:
    table = (ROOT / "docs/operating.md").read_text("utf-8")
    codes = [value for name, value in vars(health).items() if name.isupper() and isinstance(value, int)]
    codes.remove(health.SIGNALLED)
    codes += [health.SIGNALLED + number for number in (1, 2, 15)]
    assert len(codes) == 9
    for code in codes:
        assert re.search(rf"^\|[^|]*\b{code}\b", table, re.MULTILINE), code


@pytest.mark.parametrize("document", DOCS, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_to_a_file_of_the_project_leads_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text("utf-8")):
        assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_every_command_that_the_documents_name_exists() -> None:
    for document in DOCS:
        for name in re.findall(r"(?:`|^\s*)watchfloor ([a-z-]+)", document.read_text("utf-8"), re.MULTILINE):
            assert name in COMMANDS, f"{document.name}: watchfloor {name}"


def test_every_shipped_source_loads() -> None:
    folder = ROOT / "crawler" / "sources"
    if any(folder.glob("*.toml")):
        assert load_sources(folder)


def test_the_packages_are_listed_by_name_and_complete() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    rooms = ("app", "crawler", "db", "moderation", "pipelines")
    there = {
        str(p.parent.relative_to(ROOT)).replace("/", ".") for room in rooms for p in (ROOT / room).rglob("__init__.py")
    }
    assert sorted(listed) == sorted(there)
