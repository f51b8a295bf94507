"""Rows out of the database as other programs take them: CSV that no spreadsheet executes, JSON, JSON lines. Pure."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A text that begins so is a formula to spreadsheets, or becomes one (OWASP, CSV Injection); full-width forms too."""


def csv_lines(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Lines of CSV with a head (RFC 4180, every cell quoted). What a spreadsheet would execute gets a `'` before it."""
    for row in itertools.chain((columns,), rows):
        line = io.StringIO()
        csv.writer(line, quoting=csv.QUOTE_ALL).writerow([safe_cell(cell) for cell in row])
        yield line.getvalue()


def json_lines(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """One JSON object a row, ASCII only, exact."""
    for row in rows:
        yield json.dumps(dict(zip(columns, row, strict=True))) + "\n"


def safe_cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula; numbers stay numbers."""
    if not isinstance(value, str):
        return "" if value is None else value
    return f"'{value}" if value.lstrip(" \u00a0\ufeff").startswith(RISKY) else value
