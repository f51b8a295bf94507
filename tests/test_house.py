"""Rules of the house that no tool at hand checks."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CODE = [p for room in ("app", "crawler", "db", "moderation", "pipelines") for p in sorted((ROOT / room).rglob("*.py"))]
POSSESSIVE_GROUP = re.compile(r"(?<!\\)\)(?:[*+?]|\{[^{}]*\})\+")


@pytest.mark.parametrize("file", CODE, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_group_has_a_possessive_quantifier(file: Path) -> None:
    """Python before 3.11.5 matches such groups wrongly (CPython issue 106052), and Debian 12 has 3.11.2."""
    nodes = (n for n in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(n, ast.Constant))
    texts = ((n.lineno, n.value.decode("latin-1") if isinstance(n.value, bytes) else n.value) for n in nodes)
    found = [line for line, text in texts if isinstance(text, str) and POSSESSIVE_GROUP.search(text)]
    assert not found, f"lines {found}"
