"""The query pack: named questions to the database, with parameters; shipped ones and the user's own."""

from __future__ import annotations

import difflib
import sqlite3
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from db.search import match_query
from db.sqlite import Database

SHIPPED = Path(__file__).with_name("queries.toml")
SECONDS = 60.0
"""The longest that a query may take: a mistake in somebody's own must not hold the file for hours."""
STEPS = 10_000
"""Steps of SQLite's machine between two looks at the clock; about a millisecond."""
WORDS = "words"
"""A parameter of this name is typed as for search, and reaches SQL as an FTS5 query that cannot fail."""


class QueryError(Exception):
    """A query that does not exist or cannot be asked so. The message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """One parameter: a number where its default is one, else text."""

    default: int | float | str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The columns that a picture is made of."""

    kind: Literal["bars", "series"]
    x: str
    y: str
    by: str = ""
    """For a series: one line for each of its values; empty for one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One question."""

    name: str
    title: str
    about: str
    sql: str
    params: Mapping[str, Param] = field(default_factory=dict)
    chart: Chart | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of it."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool
    """True when there were more rows than asked for."""


def pack(own: Path | None = None) -> dict[str, Query]:
    """Every query by name; those of the user's own file come last and take the place of shipped ones.

    Raises `QueryError` that names file and query.
    """
    found = _read(SHIPPED)
    return {**found, **_read(own)} if own and own.exists() else found


def choose(queries: Mapping[str, Query], name: str) -> Query:
    """The query of this name. Raises `QueryError` with the nearest one."""
    if name in queries:
        return queries[name]
    near = difflib.get_close_matches(name, queries, 1)
    raise QueryError(f"no query {name!r}{f'; did you mean {near[0]}?' if near else '; `watchfloor query` lists them'}")


def bound(query: Query, given: Mapping[str, str]) -> dict[str, int | float | str]:
    """The parameters as SQL gets them. Raises `QueryError` for one that does not exist or is no number."""
    unknown = next((name for name in given if name not in query.params), None)
    if unknown is not None:
        known = ", ".join(f"--{name}" for name in query.params) or "none"
        raise QueryError(f"{query.name} has no parameter --{unknown}; it has: {known}")
    values = {name: _value(name, param, given.get(name)) for name, param in query.params.items()}
    if WORDS in values:
        values[WORDS] = match_query(str(values[WORDS]))
        if not values[WORDS]:
            raise QueryError(f"{query.name} --{WORDS}: no words to look for")
    return values


def ask(
    db: Database,
    query: Query,
    given: Mapping[str, str] | None = None,
    *,
    limit: int | None = None,
    seconds: float = SECONDS,
) -> Answer:
    """The rows of a query, at most `limit`. Raises `QueryError`, also for one that takes longer than `seconds`."""
    values, ends = bound(query, given or {}), time.monotonic() + seconds
    db.conn.set_progress_handler(lambda: time.monotonic() > ends, STEPS)
    try:
        cursor = db.conn.execute(query.sql, values)
        columns = tuple(column[0] for column in cursor.description or ())
        rows = cursor.fetchall() if limit is None else cursor.fetchmany(limit + 1)
    except (sqlite3.OperationalError, sqlite3.ProgrammingError, sqlite3.Warning) as e:
        too_long = f"{query.name}: takes longer than {seconds:g} seconds"
        raise QueryError(too_long if "interrupted" in str(e) else f"{query.name}: {e}") from e
    finally:
        db.conn.set_progress_handler(None, 0)
    kept = rows if limit is None else rows[:limit]
    return Answer(columns=columns, rows=tuple(map(tuple, kept)), more=len(rows) > len(kept))


def _value(name: str, param: Param, given: str | None) -> int | float | str:
    if given is None or isinstance(param.default, str):
        return param.default if given is None else given
    try:
        value = float(given)
        return int(value) if value.is_integer() and isinstance(param.default, int) else value
    except (ValueError, OverflowError):
        raise QueryError(f"--{name} {given}: not a number") from None


def _read(file: Path) -> dict[str, Query]:
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        raise QueryError(f"{file}: {e}") from e
    return {name: _query(file, name, table) for name, table in tables.items()}


def _query(file: Path, name: str, table: Any) -> Query:
    try:
        chart = Chart(**table["chart"]) if "chart" in table else None
        params = {key: Param(**values) for key, values in table.get("params", {}).items()}
        plain = {key: value for key, value in table.items() if key not in ("chart", "params")}
        query = Query(name=name, **plain, params=params, chart=chart)
    except (TypeError, KeyError, AttributeError) as e:
        raise QueryError(f"{file}: [{name}]: {e}") from e
    if not all(isinstance(text, str) for text in (query.title, query.about, query.sql)):
        raise QueryError(f"{file}: [{name}]: title, about and sql are texts")
    return query
