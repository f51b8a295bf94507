"""An open database file, and how it is spoken to: transactions that are all or nothing, rows in and out as dicts."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from db.connect import PERSON_WAIT_SECONDS, open_reader, open_writer, problems_of
from db.rows import dicts


class File:
    """The database, open."""

    def __init__(self, path: Path, *, wait: float = PERSON_WAIT_SECONDS) -> None:
        """Opens the file, makes or upgrades it when needed. `wait` is in seconds. Raises `DatabaseProblem`."""
        self.path = path
        self.db = open_writer(path, wait=wait)

    @classmethod
    def to_read(cls, path: Path) -> Self:
        """The database as it is, for reading alone: what writes fails. Raises `DatabaseProblem`."""
        store = cls.__new__(cls)
        store.path, store.db = path, open_reader(path)
        return store

    def close(self) -> None:
        """Closes the file. Harmless when done twice."""
        self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _transaction(self, kind: str = "IMMEDIATE", *, durable: bool = False) -> Iterator[None]:
        """All or nothing. `durable` waits until the disk has it: a person's decision outlives a power cut."""
        with problems_of(self.path):
            if durable:
                self.db.execute("PRAGMA synchronous = FULL")
            self.db.execute(f"BEGIN {kind}")
            try:
                yield
                self.db.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self.db.execute("ROLLBACK")
                raise
            finally:
                if durable:
                    self.db.execute("PRAGMA synchronous = NORMAL")

    def _run(self, sql: str, *values: Any) -> sqlite3.Cursor:
        return self.db.execute(sql, values)

    def _row(self, sql: str, *values: Any) -> dict[str, Any] | None:
        return next(self._rows(sql, *values), None)

    def _rows(self, sql: str, *values: Any) -> Iterator[dict[str, Any]]:
        with problems_of(self.path):
            return iter(list(dicts(self._run(sql, *values))))

    def _insert(self, table: str, row: Mapping[str, Any], or_else: str = "") -> int:
        sql = f"INSERT {or_else} INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
        return self._run(sql, *row.values()).lastrowid or 0

    def _upsert(self, table: str, row: Mapping[str, Any], key: str) -> None:
        """Touches no row that says the same already."""
        settings = ", ".join(f"{name} = excluded.{name}" for name in row if name != key)
        differs = " OR ".join(f"{name} IS NOT excluded.{name}" for name in row if name != key)
        self._run(
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
            f" ON CONFLICT ({key}) DO UPDATE SET {settings} WHERE {differs}",
            *row.values(),
        )
