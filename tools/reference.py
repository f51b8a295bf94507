"""The parts of the documents that are made from the code: the schema, the commands, the exit codes, the limits.

cog calls these from docs/*.md (`make docs` writes, `make check` compares).
"""

from __future__ import annotations

import sqlite3
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
from sqlite_utils import Database

from app.cli.main import COMMANDS, cli
from crawler.health import PROBLEMS
from db.metadata import Relation, columns, meanings, purpose
from db.migrations import migrations
from db.queries import Query, pack

ROOT = Path(__file__).parent.parent


def database() -> str:
    """Every table and view with every column, from the comments in the schema itself."""
    db = Database(sqlite3.connect(":memory:"))
    migrations.apply(db)
    sql = "SELECT type, name, sql FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY type, rowid"
    ours = [(kind, name, text) for kind, name, text in db.execute(sql) if _ours(name)]
    parts = ["## Tables\n", *(_table(name, text) for kind, name, text in ours if kind == "table")]
    parts += ["## Views\n", *(_view(db, name, text) for kind, name, text in ours if kind == "view")]
    return "\n".join(parts)


def diagram() -> str:
    """Which table points at which, as a Mermaid entity diagram."""
    db = Database(sqlite3.connect(":memory:"))
    migrations.apply(db)
    lines = (
        f"  {key.other_table} ||--o{{ {table} : {key.column}"
        for table in db.table_names()
        if _ours(table)
        for key in db[table].foreign_keys
    )
    return "\n".join(["```mermaid", "erDiagram", *lines, "```"])


def commands() -> str:
    """The help of every command."""
    with click.Context(cli, info_name="watchfloor") as parent:
        return "\n\n".join(part for name in COMMANDS for part in _help(name, parent))


def queries() -> str:
    """The query pack as a table."""
    rows = (
        f"| `{query.name}` | {_cell(query.title)}. {_cell(query.about)} | {_options(query)} |"
        for query in pack().values()
    )
    return "\n".join(["| query | what it answers | parameters |", "|---|---|---|", *rows])


def _options(query: Query) -> str:
    return " ".join(f"`--{name} {param.default or '…'}`" for name, param in query.params.items())


def layers() -> str:
    """The order of the rooms, as import-linter holds it."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    return "\n".join(["```", *contracts[0]["layers"], "```"])


def problems() -> str:
    """What can be wrong with a run, as a table."""
    rows = "\n".join(f"| `{name}` | {_cell(meaning)} |" for name, meaning in PROBLEMS.items())
    return f"| problem | meaning |\n|---|---|\n{rows}"


def _ours(name: str) -> bool:
    return not name.startswith(("_", "sqlite_", "articles_fts_", "comments_fts_"))


def _table(name: str, text: str) -> str:
    if "VIRTUAL" in text:
        return f"### {name}\n\nThe full-text index of `{name.removesuffix('_fts')}`. Query it with `MATCH`.\n"
    rows = "\n".join(f"| `{column}` | {kind} | {_cell(says)} |" for column, (kind, says) in columns(text).items())
    return f"### {name}\n\n{purpose(text)}\n\n| column | type | what it says |\n|---|---|---|\n{rows}\n"


def _view(db: Database, name: str, text: str) -> str:
    said = meanings(_relation(db, name, text), {table: _relation(db, table, db[table].schema) for table in _tables(db)})
    rows = "\n".join(f"| `{column}` | {_cell(says)} |" for column, says in said.items())
    return f"### {name}\n\n{purpose(text)}\n\n| column | what it says |\n|---|---|\n{rows}\n"


def _relation(db: Database, name: str, text: str) -> Relation:
    listed = tuple(column.name for column in db[name].columns)
    return Relation(name=name, sql=text, columns=listed, is_view=name in db.view_names())


def _tables(db: Database) -> list[str]:
    return [name for name in db.table_names() if _ours(name) and not name.endswith("_fts")]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _help(name: str, parent: click.Context) -> Iterator[str]:
    """The help of a command, and of those below it."""
    assert isinstance(parent.command, click.Group)
    command = parent.command.get_command(parent, name)
    assert command is not None
    with click.Context(command, info_name=name, parent=parent, max_content_width=100) as ctx:
        yield f"## {ctx.command_path}\n\n```\n{command.get_help(ctx)}\n```"
        if isinstance(command, click.Group):
            for below in command.list_commands(ctx):
                yield from _help(below, ctx)


def undescribed() -> Iterator[str]:
    """Columns without a description, of tables and of views: `table.column`."""
    db = Database(sqlite3.connect(":memory:"))
    migrations.apply(db)
    tables = {name: _relation(db, name, db[name].schema) for name in _tables(db)}
    views = (_relation(db, name, db[name].schema) for name in db.view_names())
    for relation in (*tables.values(), *views):
        said = meanings(relation, tables)
        yield from (f"{relation.name}.{column}" for column in relation.columns if column not in said)
