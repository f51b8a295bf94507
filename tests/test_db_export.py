"""What leaves the database is safe where it must be, exact where it can be, and never held in memory as a whole."""

from __future__ import annotations

import csv
import io
import json
import re
import time
import tracemalloc
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from db.export import (
    EXCEL_CHARACTERS,
    csv_lines,
    distinct,
    excel_lines,
    json_lines,
    json_list,
    plain_cell,
    safe_cell,
    write_parquet,
)
from hostile_cells import HOSTILE_CELLS

FORMULA = set("=+-@＝＋－＠﹦﹢﹣﹫−")
"""What begins a formula, or is taken for what does."""
PIECES = (*"=+-@\t\r\n\"';,| a1", "\u200b", "\ufeff", "\u00a0", "＝", "－", "\x00", "\u202e", "cmd|'/c calc'!A0", "--")
hostile = st.one_of(st.sampled_from(HOSTILE_CELLS), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
texts = st.one_of(hostile, st.text(max_size=30))


def is_unseen(character: str) -> bool:
    return unicodedata.category(character) in ("Zs", "Zl", "Zp", "Cc", "Cf")


def is_formula(cell: str) -> bool:
    """Seen as the most obliging spreadsheet does: whatever cannot be seen is dropped first, and quotes too."""
    seen = cell.lstrip('"' + "".join(filter(is_unseen, set(cell))))
    return seen[:1] in FORMULA


@given(st.lists(st.lists(texts, min_size=3, max_size=3), min_size=1, max_size=3))
def test_no_cell_is_a_formula_wherever_the_lines_are_cut(rows: list[list[str]]) -> None:
    made = "".join(csv_lines(rows[0], rows))
    for separator in ",;\t|":
        lines = io.StringIO(made, newline="")
        cells = [cell for row in csv.reader(lines, delimiter=separator) for cell in row]
        naive = [cell for line in re.split("[\r\n]+", made) for cell in line.split(separator)]
        assert [cell for cell in (*cells, *naive) if is_formula(cell)] == []


@given(texts)
def test_a_cell_gives_its_text_back(text: str) -> None:
    assert plain_cell(safe_cell(text)) == text
    assert plain_cell(safe_cell(safe_cell(text))) == safe_cell(text)


@given(st.lists(st.lists(texts.filter(lambda text: "\0" not in text), min_size=2, max_size=2), max_size=4))
def test_a_file_gives_its_rows_back(rows: list[list[str]]) -> None:
    made = io.StringIO("".join(csv_lines(("a", "b"), rows)), newline="")
    head, *read = list(csv.reader(made))
    assert head == ["a", "b"] and [[plain_cell(cell) for cell in row] for row in read] == rows


def test_nothing_unseen_hides_a_formula() -> None:
    unseen = [c for c in map(chr, range(0x110000)) if is_unseen(c)]
    assert len(unseen) > 200 and all(safe_cell(f"{c}=1").startswith("'") for c in unseen)
    apart = [c for c in unseen if c not in "\t\r\n"]
    assert all(safe_cell(f"a;{c}=1") == f"a;'{c}=1" for c in apart)


def test_numbers_stay_numbers_and_prose_stays_as_it_is() -> None:
    assert [safe_cell(value) for value in (-5, -0.5, 0, None, b"\x00\xff")] == [-5, -0.5, 0, "", "00ff"]
    for text in ("It's 5 o'clock; all's well", "F-35s, and more", "a|b", "https://x.example/?a=1&b=-2", "C++"):
        assert safe_cell(text) == text


def test_a_head_is_guarded_as_every_cell_is() -> None:
    assert next(csv_lines(("=1+1", "b"), ())) == '"\'=1+1","b"\r\n'


@pytest.mark.parametrize("piece", ["\n", " ", "; ", "'", ",\u200b", "\n=", '"', "=", "-"])
def test_no_text_takes_long(piece: str) -> None:
    text, began = piece * 100_000, time.process_time()
    assert plain_cell(safe_cell(text)) == text
    assert time.process_time() - began < 2


def test_a_cell_for_excel_is_never_longer_than_excel_holds() -> None:
    long = "x" * EXCEL_CHARACTERS
    rows = [[long], [long + "x"], ["=" * 40_000], ["\n=" * 20_000], ["y" * 32_000 + "\n=" * 2_000]]
    bom, *lines = excel_lines(("a",), rows)
    csv.field_size_limit(1_000_000)
    cells = [cell for (cell,) in csv.reader(io.StringIO("".join(lines), newline=""))]
    assert bom == "\ufeff" and cells[1] == long and max(map(len, cells)) <= EXCEL_CHARACTERS
    assert all(cell.endswith("…") for cell in cells[2:]) and not any(map(is_formula, cells))


def test_json_is_exact_and_ascii() -> None:
    columns = ("id", "text", "share", "none", "raw")
    rows = [(1, "=1+1 \u202e\u2028 Größe", 0.1, None, b"\x01"), (2**62, "", -1.5, None, None)]
    expected = [dict(zip(columns, row, strict=True)) for row in [(*rows[0][:4], "01"), rows[1]]]
    lines, document = ("".join(write(columns, rows)) for write in (json_lines, json_list))
    assert lines.isascii() and [json.loads(line) for line in lines.splitlines()] == expected
    assert document.isascii() and json.loads(document) == expected
    assert json.loads("".join(json_list(columns, []))) == []


COLUMNS = ("id", "text", "share", "mixed", "empty", "raw", "maybe")
ROWS: list[tuple[Any, ...]] = [
    (1, "=1+1 Größe \x1b", 1, "one", None, b"\x00", None),
    (2**62, "", 0.5, 2, None, None, 7),
    (-3, None, None, b"\x02", None, b"", None),
]


def read_back(file: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> pyarrow.Table:
    with file.open("wb") as out:
        write_parquet(out, columns, lambda: rows)
    return parquet.read_table(file)


def test_parquet_reads_back_equal_with_the_type_of_each_column(tmp_path: Path) -> None:
    table = read_back(tmp_path / "x.parquet", COLUMNS, ROWS)
    kinds = {field.name: str(field.type) for field in table.schema}
    expected = ["int64", "string", "double", "string", "string", "binary", "int64"]
    assert list(kinds) == list(COLUMNS) and list(kinds.values()) == expected
    mixed = ["one", "2", "02"]
    wanted = [(*row[:3], text, *row[4:]) for row, text in zip(ROWS, mixed, strict=True)]
    assert [tuple(row.values()) for row in table.to_pylist()] == wanted


@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), texts), max_size=5))
def test_parquet_keeps_every_text_and_number(rows: list[tuple[int | None, str]]) -> None:
    file = io.BytesIO()
    write_parquet(file, ("a", "b"), lambda: rows)
    read = parquet.read_table(pyarrow.BufferReader(file.getvalue())).to_pydict()
    integers = [a for a, _ in rows]
    assert read == {"a": integers, "b": [b for _, b in rows]}


def test_pandas_reads_what_was_written(tmp_path: Path) -> None:
    import pandas

    read_back(tmp_path / "x.parquet", ("n", "t"), [(n, f"text {n}") for n in range(50_000)])
    frame = pandas.read_parquet(tmp_path / "x.parquet")
    assert frame["n"].sum() == sum(range(50_000)) and frame["t"].iloc[-1] == "text 49999"
    assert parquet.ParquetFile(tmp_path / "x.parquet").num_row_groups == 3


def test_columns_of_one_name_are_told_apart() -> None:
    assert distinct(("id", "id", "id_2", "id")) == ("id", "id_3", "id_2", "id_4")


Write = Callable[[Sequence[str], Iterable[Sequence[Any]]], Iterator[str]]


@pytest.mark.parametrize("write", [csv_lines, excel_lines, json_lines, json_list])
def test_memory_is_flat_however_many_rows(write: Write) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        for _ in write(("id", "text"), ((i, f"text {i} " * 10) for i in range(count))):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(24_000) < 2 * peak(4_000) + 10_000 < 8_000_000


def test_memory_is_flat_for_parquet_too(tmp_path: Path) -> None:
    def peak(count: int) -> tuple[int, int]:
        pool = pyarrow.default_memory_pool()
        held, tops = pool.bytes_allocated(), 0

        def rows() -> Iterator[tuple[int, str]]:
            nonlocal tops
            for i in range(count):
                tops = tops if i % 5_000 else max(tops, pool.bytes_allocated() - held)
                yield i, f"text {i} " * 10

        tracemalloc.start()
        with (tmp_path / "x.parquet").open("wb") as out:
            write_parquet(out, ("id", "text"), rows)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most, tops

    (few, few_held), (many, many_held) = peak(45_000), peak(90_000)
    assert many < 1.3 * few and many_held < 2 * few_held + 8_000_000
