"""Rows out of the database as other programs take them: CSV that no spreadsheet executes, JSON, JSON lines, Parquet.

Pure but for Parquet, which writes to the file that it is given. Rows come one at a time and go so: memory stays flat.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any

Rows = Iterable[Sequence[Any]]

BREAKS = "\t\r\n"
SEPARATORS = f",;|{BREAKS}"
"""What ends a cell for a spreadsheet; most of Europe has `;` for it, and such a one reads a quoted `,` file wrongly."""
STARTERS = "=+\\-@＝＋－＠﹦﹢﹣﹫−"
"""What begins a formula (OWASP, CSV Injection), and what spreadsheets take for one of these: full-width and small
forms, the minus sign of typography."""
UNSEEN = (
    " \"'\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f"
    "\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
    "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a"
)
"""What a spreadsheet may drop before it looks for a formula: quotes, white space, control and invisible characters."""
AT_START = re.compile(f"(?=[{UNSEEN}]*[{STARTERS}{BREAKS}])")
"""A cell that would be a formula."""
BEHIND = re.compile(f"([{SEPARATORS}])(?=[{UNSEEN}]*[{STARTERS}])")
"""A place in a text where one would begin, should the file be cut up at the wrong separator."""
GUARD = "'"
GUARD_BEHIND = re.compile(f"{BEHIND.pattern}{GUARD}")

BOM = "\ufeff"
"""Tells Excel that a file is UTF-8; others drop it."""
EXCEL_CHARACTERS = 32_767
"""A cell of Excel holds no more, and what is beyond it would become the next row (Excel specifications and limits)."""

BATCH = 1_000
"""Rows that are turned into text at once."""
ROW_GROUP = 20_000
"""Rows of a group of a Parquet file: a group is what must be held in memory, by us and by who reads it."""


def csv_lines(columns: Sequence[str], rows: Rows) -> Iterator[str]:
    """CSV with a head (RFC 4180, every cell quoted), in pieces of whole lines. What a spreadsheet would execute gets a
    `'` before it; `plain_cell` takes that away again."""
    for batch in _batches(itertools.chain((columns,), rows), BATCH):
        lines = io.StringIO()
        csv.writer(lines, quoting=csv.QUOTE_ALL).writerows([safe_cell(cell) for cell in row] for row in batch)
        yield lines.getvalue()


def excel_lines(columns: Sequence[str], rows: Rows) -> Iterator[str]:
    """`csv_lines` for Excel: with a byte order mark, and no text longer than a cell holds."""
    yield BOM
    yield from csv_lines(columns, ([_fitting(cell) for cell in row] for row in rows))


def json_lines(columns: Sequence[str], rows: Rows) -> Iterator[str]:
    """One JSON object a row, ASCII only, exact."""
    encode = json.JSONEncoder(default=_bytes_as_text).encode
    for row in rows:
        yield encode(dict(zip(columns, row, strict=True))) + "\n"


def json_list(columns: Sequence[str], rows: Rows) -> Iterator[str]:
    """One JSON document: a list with an object a row, each on its line."""
    before = "[\n"
    for line in json_lines(columns, rows):
        yield before + line.rstrip("\n")
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def write_parquet(file: IO[bytes], columns: Sequence[str], rows_anew: Callable[[], Rows]) -> None:
    """A Parquet file, in groups of rows. `rows_anew` gives the same rows each time: they are read once for their types.

    A column of integers is int64, one with fractions float64, one of BLOBs binary; one of text, of several kinds or of
    nothing is text. NULL is null everywhere. Needs pyarrow (the extra `parquet`).
    """
    import pyarrow  # type: ignore[import-untyped]
    from pyarrow import parquet

    kinds = kinds_of(len(columns), rows_anew())
    made = {int: pyarrow.int64(), float: pyarrow.float64(), bytes: pyarrow.binary(), str: pyarrow.string()}
    schema = pyarrow.schema([(name, made[kind]) for name, kind in zip(columns, kinds, strict=True)])
    with parquet.ParquetWriter(file, schema, compression="zstd") as out:
        for batch in _batches(rows_anew(), ROW_GROUP):
            cells = zip(*batch, strict=True)
            arrays = [
                pyarrow.array([_as(kind, cell) for cell in column], type=made[kind])
                for kind, column in zip(kinds, cells, strict=True)
            ]
            out.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))


def kinds_of(width: int, rows: Rows) -> tuple[type[Any], ...]:
    """What each of `width` columns holds: int, float, bytes or str."""
    seen: list[set[type[Any]]] = [set() for _ in range(width)]
    for batch in _batches(rows, BATCH):
        for kinds, cells in zip(seen, zip(*batch, strict=True), strict=True):
            kinds.update(map(type, cells))
    return tuple(_kind(kinds - {type(None)}) for kinds in seen)


def distinct(columns: Sequence[str]) -> tuple[str, ...]:
    """Names of columns, each once: a second `id` is `id_2`."""
    taken: dict[str, None] = {}
    for name in columns:
        numbered = (f"{name}_{number}" for number in itertools.count(2))
        taken[name if name not in taken else next(n for n in numbered if n not in taken and n not in columns)] = None
    return tuple(taken)


def safe_cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula, wherever it cuts the line; numbers stay numbers."""
    if isinstance(value, str):
        guarded = BEHIND.sub(rf"\1{GUARD}", value) if BEHIND.search(value) else value
        return GUARD + guarded if AT_START.match(value) else guarded
    return "" if value is None else value.hex() if isinstance(value, bytes) else value


def plain_cell(cell: str) -> str:
    """The text that `safe_cell` made this cell of, exactly."""
    unguarded = cell[len(GUARD) :] if cell.startswith(GUARD) and AT_START.match(cell) else cell
    return GUARD_BEHIND.sub(r"\1", unguarded)


def _fitting(cell: Any) -> Any:
    """At most what a cell of Excel holds, with room for the guards that the text may get."""
    if not isinstance(cell, str) or len(cell) + _guards(cell) <= EXCEL_CHARACTERS:
        return cell
    kept = cell[: EXCEL_CHARACTERS - 1]
    return kept[: EXCEL_CHARACTERS - 1 - _guards(kept)] + "…"


def _guards(text: str) -> int:
    return len(BEHIND.findall(text)) + bool(AT_START.match(text))


def _batches(rows: Rows, size: int) -> Iterator[list[Sequence[Any]]]:
    each = iter(rows)
    while batch := list(itertools.islice(each, size)):
        yield batch


def _kind(kinds: set[type[Any]]) -> type[Any]:
    if len(kinds) == 1:
        return next(iter(kinds))
    return float if kinds == {int, float} else str


def _as(kind: type[Any], cell: Any) -> Any:
    if cell is None or type(cell) is kind:
        return cell
    return _bytes_as_text(cell) if isinstance(cell, bytes) else kind(cell)


def _bytes_as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} is no value of SQLite")
