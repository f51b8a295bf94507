"""`watchfloor query`: the query pack, asked by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from app.cli import charts
from app.cli.options import db_of, db_option, home_of, home_option, json_option, reading
from app.cli.terminal import as_json, one_line, say, shows_blocks
from db.export import csv_lines, json_lines
from db.queries import Answer, Query, QueryError, ask, choose, pack

CELL = 60
"""Characters of a cell of text in the table."""


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("name", required=False)
@click.argument("parameters", nargs=-1, type=click.UNPROCESSED)
@click.option("--show", is_flag=True, help="What it asks: meaning, parameters and SQL, instead of the answer.")
@click.option("--chart", is_flag=True, help="A picture instead of the table, where the query has one.")
@click.option("--csv", "form", flag_value="csv", help="CSV, safe to open in a spreadsheet.")
@click.option("--jsonl", "form", flag_value="jsonl", help="A JSON object a row.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Rows at most; none for a chart.")
@db_option
@home_option
@json_option
def query(
    name: str | None,
    parameters: tuple[str, ...],
    show: bool,
    chart: bool,
    form: str | None,
    limit: int,
    db: Path | None,
    home: Path | None,
    json_: bool,
) -> None:
    """Ask the database a question of the query pack: NAME, with its parameters as options. Without NAME: list them.

    Your own questions stand in `queries.toml` in the home folder, written as the shipped `db/queries.toml` is.

    \b
    Examples: watchfloor query
              watchfloor query about-per-week-and-country --words "air defence" --chart
              watchfloor query changed-headlines --source twz --csv > changed.csv
    """
    try:
        queries = pack(home_of(home) / "queries.toml")
        if name is None:
            return _list(queries, json_=json_)
        chosen = choose(queries, name)
        if show:
            return _show(chosen, json_=json_)
        if chart and not chosen.chart:
            raise click.UsageError(f"{chosen.name} has no picture; the table says it all")
        with reading(db_of(db, home)) as database:
            answer = ask(database, chosen, given_parameters(parameters), limit=None if chart else limit)
    except QueryError as e:
        raise click.UsageError(str(e)) from None
    if json_:
        as_json({"columns": answer.columns, "rows": answer.rows, "more": answer.more})
    elif form:
        _write(csv_lines(answer.columns, answer.rows) if form == "csv" else json_lines(answer.columns, answer.rows))
    else:
        for line in _picture(chosen, answer) if chart else _table(answer):
            say(line)


def given_parameters(parameters: tuple[str, ...]) -> dict[str, str]:
    """`--name value` and `--name=value` as a mapping. Raises `click.UsageError`."""
    found: dict[str, str] = {}
    rest = iter(parameters)
    for word in rest:
        if not word.startswith("--"):
            raise click.UsageError(f"{word}: a parameter is given as --name value")
        key, equals, value = word[2:].partition("=")
        if not equals:
            value = next(rest, "")
            if not value:
                raise click.UsageError(f"--{key}: its value is missing")
        found[key] = value
    return found


def _list(queries: dict[str, Query], *, json_: bool) -> None:
    if json_:
        return as_json({name: _described(each) for name, each in queries.items()})
    width = max(map(len, queries))
    for name, each in queries.items():
        options = "".join(f" --{key}" for key in each.params)
        say(f"{one_line(name):<{width}}  {one_line(each.title)}{f' [{options.strip()}]' if options else ''}")
    return None


def _show(chosen: Query, *, json_: bool) -> None:
    if json_:
        return as_json(_described(chosen))
    say(one_line(f"{chosen.title}. {chosen.about}"))
    for key, param in chosen.params.items():
        say(one_line(f"--{key}  {param.about} Default: {param.default!r}."))
    say(chosen.sql.strip())
    return None


def _described(each: Query) -> dict[str, Any]:
    params = {key: {"default": param.default, "about": param.about} for key, param in each.params.items()}
    return {"title": each.title, "about": each.about, "params": params, "sql": each.sql.strip()}


def _table(answer: Answer) -> Iterator[str]:
    """Columns in line, numbers to the right."""
    rows = [["" if cell is None else one_line(str(cell), CELL) for cell in row] for row in answer.rows]
    numeric = [all(isinstance(row[i], int | float | None) for row in answer.rows) for i in range(len(answer.columns))]
    widths = [max([len(name), *(len(row[i]) for row in rows)]) for i, name in enumerate(answer.columns)]
    for row in (list(answer.columns), ["─" * width for width in widths], *rows):
        cells = (f"{c:>{w}}" if right else f"{c:<{w}}" for c, w, right in zip(row, widths, numeric, strict=True))
        yield "  ".join(cells).rstrip()
    if not rows:
        yield "nothing"
    if answer.more:
        yield f"… more than {len(rows)}; --limit shows them"


def _picture(chosen: Query, answer: Answer) -> Iterator[str]:
    assert chosen.chart is not None
    place = {name: i for i, name in enumerate(answer.columns)}
    plain = not shows_blocks()
    x, y = place[chosen.chart.x], place[chosen.chart.y]
    rows = [(one_line(str(row[x]), CELL), row, float(row[y] or 0)) for row in answer.rows]
    if chosen.chart.kind == "bars":
        sums: dict[str, float] = {}
        for label, _, number in rows:
            sums[label] = sums.get(label, 0) + number
        return charts.bars(list(sums), list(sums.values()), ascii_only=plain)
    by = chosen.chart.by
    points = [
        (label, one_line(str(row[place[by]]), CELL) if by else chosen.chart.y, number) for label, row, number in rows
    ]
    return charts.series(points, ascii_only=plain)


def _write(lines: Iterator[str]) -> None:
    """As it is: no line of it is for a terminal, and CSV ends its lines by itself."""
    for line in lines:
        click.echo(line, nl=False)
