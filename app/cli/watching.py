"""`watchfloor status`: is the watch kept, and how is every source."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from app.cli.charts import ASCII_BARS, BARS
from app.cli.options import check_source, json_option, reading, with_db
from app.cli.reading import problem_line, tally_line
from app.cli.terminal import as_json, complain, one_line, safe, say, shows_blocks
from db import read

Row = dict[str, Any]
SHOWN = 12
"""Runs of a source that a line shows."""
SHOWN_ALONE = 30
"""Runs that are shown of one source alone."""
NO_RUN = "·"
MARKS = {"trouble": "!", "resting": "~", "never": "?"}


@click.command()
@click.argument("source", default="")
@click.option(
    "--max-age",
    type=click.FloatRange(min=0, min_open=True),
    metavar="HOURS",
    help="Fail when no run has ended well within this time: the watchdog to call from elsewhere.",
)
@json_option
@with_db
def status(path: Path, source: str, max_age: float | None, json_: bool) -> int:
    """Every source's health at a glance: how it is, when it was visited, when it gave something new, what is wrong.

    The bars are the new articles of its last runs, the latest at the right; a dot is a run in which it rested. With
    SOURCE that one in depth: what its articles had in each run, and what was wrong.

    \b
    ok        its last visit named no problem      trouble   it did, and the problems stand below
    resting   in quarantine after failures         new       visited fewer than 5 times
    never     known, and never visited to the end

    Exit codes: 0 all well, or only resting; 1 a source is in trouble, the last run was, or none has ended within
    --max-age.

    \b
    Examples: watchfloor status --max-age 3
              watchfloor status usni
    """
    now = datetime.now(UTC)
    with reading(path) as db:
        check_source(db, source)
        rows = read.health(db, runs=SHOWN_ALONE if source else SHOWN, now=f"{now:%Y-%m-%dT%H:%M:%SZ}", source=source)
        last, wrong = read.last_good_end(db), read.run_problems(db)
        latest = next((run for run in read.runs(db, limit=20) if run["kind"] == "crawl"), None)
        depth = read.depth(db, source, runs=SHOWN_ALONE) if source else {}
    for row in rows:
        row["state"] = read.state_of(row)
    late = max_age is not None and (last is None or _hours(last, now) > max_age)
    troubled = [row for row in rows if row["state"] == "trouble" and row["enabled"]]
    if json_:
        as_json({"last_run": last, "late": late, "problems": wrong, "sources": [{**row, **depth} for row in rows]})
    else:
        for row in rows:
            _say_source(row, now)
        if source:
            _say_depth(depth)
        cut = latest and latest["status"] == "interrupted"
        _say_whole(rows, troubled, wrong, f"{_age(last, now)}{', the latest was interrupted' if cut else ''}")
    if late:
        complain(f"no run has ended within {max_age:g} hours: the last one ended {_age(last, now)}")
    return int(late or bool(troubled or wrong))


def _say_whole(rows: list[Row], troubled: list[Row], wrong: list[Row], ended: str) -> None:
    for problem in wrong:
        say(one_line(f"! the last run: {problem['name']}: {problem['detail']}"))
    resting = sum(row["state"] == "resting" for row in rows)
    rest = f", {resting} resting" if resting else ""
    say(f"last run that ended: {ended}; {len(troubled)} of {len(rows)} sources in trouble{rest}")


def _say_source(row: Row, now: datetime) -> None:
    mark, seen, fresh = MARKS.get(row["state"], " "), _age(row["visited_at"], now), _age(row["last_new_at"], now)
    counted = f"visited {seen:<12}  new {fresh:<12} {row['articles']:>7,} articles"
    off = "" if row["enabled"] else "  (disabled)"
    say(f"{mark} {safe(row['source_id']):<18} {row['state']:<8} {_bars(row['new'][-SHOWN:])}  {counted}{off}")
    if row["resting_until"]:
        say(f"      rests until {row['resting_until']}")
    for problem in row["problems"]:
        say("      " + one_line(problem_line(problem)))


def _say_depth(depth: Row) -> None:
    """What the articles of one source had, run by run, and what was wrong."""
    for name, counts in depth["fields"].items():
        shares = [count["filled"] / count["read"] for count in counts if count["read"]]
        filled, read_ = (sum(count[key] for count in counts) for key in ("filled", "read"))
        say(f"  {name:<16} {_scaled(shares, 1.0).rjust(SHOWN_ALONE)}  {filled:,} of {read_:,}")
    for run in depth["runs"]:
        named = ", ".join(problem["name"] for problem in run["problems"])
        told = f"run {run['run_id']:<7} {run['at']}  {tally_line(run)}"
        say(one_line(f"{told}{f'  ! {named}' if named else ''}"))


def _bars(numbers: Sequence[int | None]) -> str:
    """A small chart: one character a run; None is a run in which the source rested."""
    return _scaled(numbers, max((n for n in numbers if n), default=0) or 1).rjust(SHOWN)


def _scaled(numbers: Sequence[float | None], most: float) -> str:
    bars, none = (BARS, NO_RUN) if shows_blocks() else (ASCII_BARS, " ")
    return "".join(none if n is None else bars[int((len(bars) - 1) * n / most)] for n in numbers)


def _hours(at: str, now: datetime) -> float:
    return (now - datetime.fromisoformat(at)).total_seconds() / 3600


def _age(at: str | None, now: datetime) -> str:
    """How long ago, as people say it."""
    if at is None:
        return "never"
    hours = _hours(at, now)
    if hours < 1:
        return f"{max(0, round(hours * 60))} min ago"
    return f"{round(hours)} h ago" if hours < 48 else f"{round(hours / 24)} days ago"
