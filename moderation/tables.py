"""The word lists and tables that lie beside the code: plain text, `#` starts a remark, a line is an entry."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


@cache
def read_rows(name: str) -> tuple[tuple[str, ...], ...]:
    """The rows of a table, cells divided by tabs."""
    lines = (FOLDER / name).read_text("utf-8").splitlines()
    return tuple(tuple(line.split("\t")) for line in lines if line.strip() and not line.startswith("#"))


@cache
def read_words(name: str) -> frozenset[str]:
    """The words of a list, several to a line."""
    return frozenset(word for row in read_rows(name) for cell in row for word in cell.split())
