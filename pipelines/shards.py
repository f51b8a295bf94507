"""Shards: files of rows, Parquet or JSON lines, wherever fsspec can write. One is there whole or not at all."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, Literal

import fsspec
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from pipelines.elsewhere import told_as, whole
from pipelines.records import COLUMNS, STANDS_FOR, BadRow, Row

Format = Literal["parquet", "jsonl", "aside"]
"""`aside` is Parquet that is soon read again: packed less, and faster."""
SUFFIX: dict[str, str] = {"parquet": ".parquet", "jsonl": ".jsonl.gz"}
BATCH = 200
"""Rows that are written and read at a time: with 50 KB of page each, 10 MB."""
LINE_CHARACTERS = 100_000_000
"""Of one JSON line; more is no row of ours."""
LEVEL = 3
"""Of gzip, and of zstd in Parquet: beyond it a tenth is saved at twice the time."""
REPEATED = ["source_id", "outcome", "reason", "section", "language", "kind", "comments_state", "rules", "file"]
"""Columns whose values come again and again."""
_TYPES = {str: pa.string(), int: pa.int64(), list: pa.list_(pa.string())}
SCHEMA = pa.schema([(name, _TYPES[kind]) for name, kind in COLUMNS.items()])
LEFT_OUT = SCHEMA.append(pa.field(STANDS_FOR, pa.string()))
"""Of rows that another one stands for."""


class BrokenShard(Exception):
    """A file that is no shard, or not whole. The message says why."""


class Shard:
    """A shard that is being written."""

    def __init__(self, file: IO[bytes], format: Format, schema: pa.Schema) -> None:
        self.rows = 0
        self._schema = schema
        self._waiting: list[Row] = []
        how = {"compression": "lz4" if format == "aside" else "zstd", "use_dictionary": REPEATED}
        self._parquet = None if format == "jsonl" else pq.ParquetWriter(file, schema, **how)
        self._lines = None if self._parquet else gzip.GzipFile(fileobj=file, mode="wb", compresslevel=LEVEL, mtime=0)

    def add(self, row: Row) -> None:
        """Takes a row; it is written with others."""
        self._waiting.append(row)
        if len(self._waiting) >= BATCH:
            self._flush()

    def add_batch(self, batch: pa.RecordBatch) -> None:
        """Takes rows as Arrow has them."""
        if not batch.num_rows:
            return
        if self._lines:
            for row in batch.to_pylist():
                self.add(row)
            return
        assert self._parquet
        self._parquet.write_batch(batch)
        self.rows += batch.num_rows

    def close(self) -> None:
        """Writes what waits, and the end."""
        self._flush()
        if self._parquet:
            self._parquet.close()
        elif self._lines:
            self._lines.close()

    def _flush(self) -> None:
        rows, self._waiting = self._waiting, []
        self.rows += len(rows)
        if self._parquet and rows:
            self._parquet.write_batch(pa.RecordBatch.from_pylist(rows, schema=self._schema))
        elif self._lines:
            told = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
            self._lines.write("".join(f"{line}\n" for line in told).encode("utf-8", "replace"))


@contextlib.contextmanager
def writing(fs: Any, path: str, format: Format, schema: pa.Schema = SCHEMA) -> Iterator[Shard]:
    """A new shard at this path of an fsspec file system."""
    with whole(fs, path) as file:
        shard = Shard(file, format, schema)
        yield shard
        shard.close()


# ---- reading


def batches(fs: Any, path: str) -> Iterator[pa.RecordBatch]:
    """The rows of a Parquet shard as Arrow has them."""
    with fs.open(path, "rb") as file, pq.ParquetFile(file) as parquet:
        yield from parquet.iter_batches(batch_size=BATCH)


def columns(fs: Any, path: str, names: Iterable[str]) -> dict[str, list[Any]]:
    """Some columns of a Parquet shard, whole."""
    with fs.open(path, "rb") as file:
        table = pq.read_table(file, columns=list(names))
    return {name: table.column(name).to_pylist() for name in names}


def listed(path: str) -> list[str]:
    """The shards that a path or address means: one, or those of a folder that `watchfloor extract` filled. Raises
    `BrokenShard`."""
    with told_as(BrokenShard, path):
        fs, inner = fsspec.core.url_to_fs(path)
        if not fs.exists(inner):
            raise FileNotFoundError(None, "there is no such file or folder")
        if not fs.isdir(inner):
            return [path]
        folders = [f"{inner.rstrip('/')}/{name}" for name in ("articles", "ledger")]
        within = [each for each in folders if fs.isdir(each)] or [inner]
        names = [each for folder in within for each in sorted(fs.find(folder, maxdepth=1)) if _is_shard(each)]
    if not names:
        raise BrokenShard(f"{path}: no shards (.parquet, .jsonl, .jsonl.gz) in it")
    return [each if "file" in fs.protocol else str(fs.unstrip_protocol(each)) for each in names]


def _is_shard(path: str) -> bool:
    return path.endswith((".parquet", ".jsonl", ".jsonl.gz"))


def rows(path: str) -> Iterator[tuple[int, Mapping[str, Any] | BadRow]]:
    """The rows of a shard, numbered from 0; a `BadRow` for a line that is none. Raises `BrokenShard`, also half-way."""
    with told_as(BrokenShard, path):  # pyarrow's own errors are of Python's types
        try:
            with fsspec.open(path, "rb") as file:
                yield from enumerate(_parquet_rows(file) if path.endswith(".parquet") else _line_rows(path, file))
        except (EOFError, zlib.error) as e:
            raise OSError(str(e)) from None


def _parquet_rows(file: IO[bytes]) -> Iterator[Mapping[str, Any]]:
    with pq.ParquetFile(file) as parquet:
        for batch in parquet.iter_batches(batch_size=BATCH):
            yield from batch.to_pylist()


def _line_rows(path: str, file: IO[bytes]) -> Iterator[Mapping[str, Any] | BadRow]:
    with io.BufferedReader(gzip.GzipFile(fileobj=file) if path.endswith(".gz") else file) as lines:  # type: ignore[type-var]
        while line := lines.readline(LINE_CHARACTERS):
            yield _line(line)


def _line(line: bytes) -> Mapping[str, Any] | BadRow:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as e:
        return BadRow(f"no JSON ({type(e).__name__})")
    return row if isinstance(row, dict) else BadRow("no JSON object")
