"""What earlier runs did at a source and what its articles had: the past that a run is judged against.

Only crawls count: an import or a replay is no visit. What is read is bounded, however long the watch has been kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from crawler.items import FieldCount, Past, PastRun, Problem, SourceTally
from crawler.rhythm import QUIET_LEAST
from db.rows import dicts
from db.sqlite import Database

VISITS = 300
"""Of which the most that a source gave is known: two weeks of hourly runs."""
RUNS = 30
"""Looked at one by one: the longest row of failures that a quarantine asks for is eleven."""
COUNTS = 400
"""Runs that read something, for each field: two weeks of an agency, whose days differ; years of a weekly blog."""
ARRIVALS = 1000
"""Hours in which something new was found: six weeks of an agency that never sleeps."""

Row = dict[str, Any]
_TALLY = tuple(f.name for f in fields(SourceTally))
_PROBLEM = tuple(f.name for f in fields(Problem))


def past(db: Database, source_id: str) -> Past:
    """What finished crawls did at a source."""
    visits = next(_rows(db, _VISITS, source_id, VISITS))
    runs = tuple(past_runs(db, source_id, limit=RUNS))
    return Past(**visits, runs=runs, arrivals=_arrivals(db, source_id, runs[-1].at if runs else ""))


def past_fields(db: Database, source_id: str, names: Mapping[str, int]) -> dict[str, tuple[FieldCount, ...]]:
    """What earlier runs counted of these fields, by name. A number with a name is that of the run since which the field
    has fallen: what was known of it then is given too, however long ago that was; 0 for one that has not."""
    return {name: _counts(db, source_id, name, since) for name, since in names.items()}


def past_runs(db: Database, source_id: str, *, limit: int) -> list[PastRun]:
    """The last finished crawls that visited a source, the latest at the end."""
    found = [
        PastRun(
            run_id=row["run_id"],
            at=row["ended_at"],
            tally=SourceTally(**{name: row[name] for name in _TALLY}),
            others_gave=bool(row["others_gave"]),
            problems=problems_of_source(row["problems"], source_id),
        )
        for row in _rows(db, _RUNS, source_id, limit)
    ]
    return found[::-1]


def problems_of_source(text: str, source_id: str) -> tuple[Problem, ...]:
    """What a run named of one source (empty: of the whole run), from the column `runs.problems`."""
    if f'"{source_id}"' not in text:
        return ()
    named = (row for row in json.loads(text) if row["source"] == source_id)
    return tuple(Problem(**{name: row[name] for name in _PROBLEM if name in row}) for row in named)


def field_counts(db: Database, source_id: str, field: str, *, limit: int, before: int = 0) -> list[FieldCount]:
    """The last runs that counted a field at a source, the latest at the end; only those before a run if it is given."""
    rows = _rows(db, _COUNTS, source_id, field, before or 2**62, limit)
    return [FieldCount(**row) for row in rows][::-1]


def last_end(db: Database) -> str:
    """UTC: when the last crawl that came to its end did so; empty without one."""
    row = next(
        _rows(db, "SELECT ended_at FROM runs WHERE kind = 'crawl' AND ended_at <> '' ORDER BY id DESC LIMIT 1"), {}
    )
    return str(row.get("ended_at", ""))


def field_rows(run_id: int, counts: Mapping[str, Mapping[str, FieldCount]]) -> Iterator[Row]:
    """Rows of `run_fields`, from counts by source and field."""
    for source_id, by_field in counts.items():
        for name, count in by_field.items():
            yield {
                "run_id": run_id,
                "source_id": source_id,
                "field": name,
                "read": count.read,
                "filled": count.filled,
                "filled_url": count.filled_url,
                "missing_url": count.missing_url,
            }


def _counts(db: Database, source_id: str, field: str, since: int) -> tuple[FieldCount, ...]:
    latest = field_counts(db, source_id, field, limit=COUNTS)
    before = field_counts(db, source_id, field, limit=COUNTS, before=since + 1) if since else []
    known = {count.run_id: count for count in (*before, *latest)}
    return tuple(known[run_id] for run_id in sorted(known))


def _arrivals(db: Database, source_id: str, last_visit: str) -> tuple[str, ...]:
    """At most one for each hour, which is what the text of a time begins with; none where the last visit was not silent
    for long, as most are: nobody asks then."""
    hours: dict[str, str] = {}
    for row in _rows(db, _ARRIVED, source_id):
        if not hours and not _silent(row["ended_at"], last_visit):
            break
        hours.setdefault(row["ended_at"][:13], row["ended_at"])
        if len(hours) >= ARRIVALS:
            break
    return tuple(hours.values())[::-1]


def _silent(arrival: str, last_visit: str) -> bool:
    return bool(last_visit) and datetime.fromisoformat(last_visit) - datetime.fromisoformat(arrival) > QUIET_LEAST


def _rows(db: Database, sql: str, *values: Any) -> Iterator[Row]:
    yield from dicts(db.execute(sql, values))


_FINISHED = """run_sources t JOIN runs r ON r.id = t.run_id
WHERE t.source_id = ? AND t.resting = 0 AND r.kind = 'crawl' AND r.ended_at IS NOT NULL AND r.status <> 'interrupted'
ORDER BY t.run_id DESC LIMIT ?"""
_VISITS = f"""
SELECT count(*) AS visits, coalesce(max(gave), 0) AS most
FROM (SELECT t.new + t.edited + t.unchanged + t.not_due AS gave FROM {_FINISHED})
"""
_RUNS = f"""
SELECT t.*, r.ended_at, r.problems, EXISTS (
  SELECT 1 FROM run_sources o WHERE o.run_id = t.run_id AND o.source_id <> t.source_id
    AND o.new + o.edited + o.unchanged + o.not_due > 0) AS others_gave
FROM {_FINISHED}
"""
_COUNTS = """
SELECT f.run_id, r.started_at AS at, f.read, f.filled, f.filled_url, f.missing_url
FROM run_fields f JOIN runs r ON r.id = f.run_id
WHERE f.source_id = ? AND f.field = ? AND f.run_id < ? AND r.kind = 'crawl' ORDER BY f.run_id DESC LIMIT ?
"""
_ARRIVED = """
SELECT r.ended_at FROM run_sources t JOIN runs r ON r.id = t.run_id
WHERE t.source_id = ? AND t.new > 0 AND r.kind = 'crawl' AND r.ended_at IS NOT NULL ORDER BY t.run_id DESC
"""
