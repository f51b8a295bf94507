"""`docs/adding-a-comment-engine.md` keeps its word: done as written, it ends with a passing test."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

PAGES = "tests/test_cleaning_comments_engines.py"
ROOM = "crawler/cleaning/comments"


def blocks() -> list[str]:
    """The pieces of Python in the document, as they are to be typed."""
    text = (ROOT / "docs" / "adding-a-comment-engine.md").read_text("utf-8")
    return [re.sub(r"(?m)^ {3}", "", block) for block in re.findall(r"```python\n(.*?)```", text, re.S)]


def put(file: Path, behind: str, text: str, *, instead: bool = False) -> None:
    before = file.read_text("utf-8")
    assert behind in before, f"{file.name} has no {behind!r} any more: mend the document"
    file.write_text(before.replace(behind, text if instead else behind + text, 1), "utf-8")


def passes(folder: Path) -> bool:
    command = [sys.executable, "-m", "pytest", PAGES, "-k", "tribune", "-n", "0", "-q", "-p", "no:cacheprovider"]
    env = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, check=False).returncode == 0


def test_a_newcomer_who_follows_the_document_ends_with_a_passing_test(tmp_path: Path) -> None:
    page, engine, hint, text, name = blocks()
    shutil.copytree(ROOT / "crawler", tmp_path / "crawler", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / PAGES, tmp_path / PAGES)
    put(tmp_path / PAGES, (tmp_path / PAGES).read_text("utf-8"), f"\n\n{page}")
    assert not passes(tmp_path)
    put(tmp_path / ROOM / "engines.py", "ENGINES = (\n", engine)
    put(tmp_path / ROOM / "openers.py", "HINTS = [\n", hint)
    put(tmp_path / ROOM / "roles.py", "ENGINE_TEXT = {\n", text)
    put(tmp_path / ROOM / "roles.py", name.replace("trb-by|", ""), name, instead=True)
    assert passes(tmp_path)
