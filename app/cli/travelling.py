"""Commands by which decisions and rules travel: decisions export|import, rules export|import|deny-list."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import click

from app.cli.options import (
    check_source,
    db_of,
    db_option,
    existing_file,
    home_of,
    home_option,
    json_option,
    reading,
    source_option,
    with_db,
)
from app.cli.outfile import destination
from app.cli.reading import dump
from app.cli.review import learn_by_itself
from app.cli.rules import domain_rules_of, policy_of, rules
from app.cli.terminal import as_json, complain, safe, say
from crawler.urls import host_of
from db import read
from db.connect import now
from db.people import honest_hosts
from moderation.deny_lists import FORMATS, DenyList, deny_list
from moderation.exchange import (
    COMMENT_WORDS,
    DOMAIN_WORDS,
    BrokenLine,
    Decision,
    Rule,
    numbered,
    read_decision,
    read_rule,
)
from moderation.policy import DomainRule, with_rules
from moderation.travel import (
    WHY,
    Arrival,
    decision_rows,
    import_decisions,
    import_rules,
    plan_decisions,
    plan_rules,
    rule_rows,
)

BROKEN = 2
SHOWN = 5
"""Lines that were left out of which each reason is told at most so many; `--json` has all."""
STREAM = "-"
DECISIONS, RULES = "decisions", "domain rules"
Given = TypeVar("Given", Decision, Rule)

to_file = click.argument("file", type=click.Path(dir_okay=False, allow_dash=True), default=STREAM)
from_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")


@click.group()
def decisions() -> None:
    """People's decisions on comments, as lines of JSON: to keep, to train with, to take to another database.

    \b
    Examples: watchfloor decisions export decisions.jsonl
              watchfloor decisions import decisions.jsonl --dry-run
    """


@decisions.command("export", short_help="Write every decision as a line of JSON.")
@to_file
@source_option
@json_option
@with_db
def export_decisions(path: Path, file: str, source: str, json_: bool) -> None:
    """Write every decision and every undoing to FILE, a line each, the oldest first; - is standard output.

    A line says who decided what, when and why, and has the comment: its article's address, its key, its text as it was
    decided on, and what the rules had said. `stands` is false for a decision that was taken back or changed since.

    \b
    Example: watchfloor decisions export decisions.jsonl
    """
    with reading(path) as db:
        check_source(db, source)
        _export(file, decision_rows(db, source=source), "decisions and undoings", spared=path, json_=json_)


@decisions.command("import", short_help="Append the decisions of a file that are not here yet.")
@from_file
@dry_run_option
@json_option
@with_db
def import_decisions_(path: Path, file: str, dry_run: bool, json_: bool) -> int:
    """Append the decisions of FILE that are not here yet, under the names and times it gives; - is standard input.

    Nothing is overwritten: where a person decided later here, that decision stays. What finds no comment, or another
    version of it, is counted. A broken line is named, and then nothing is imported. Importing again changes nothing.

    The lines speak in the names of the people in them: import only what comes from somebody you trust.

    \b
    Example: watchfloor decisions import decisions.jsonl --dry-run
    """
    with reading(path):  # before lines are waited for
        given = _given(file, read_decision)
    if isinstance(given, BrokenLine):
        return _broken(file, given)
    if dry_run:
        arrival = Arrival()
        with reading(path) as db:
            plan_decisions(db, given, arrival)
    else:
        arrival = import_decisions(path, given)
    _tell(file, arrival, DECISIONS, dry_run=dry_run, json_=json_)
    if arrival.imported and not dry_run:
        learn_by_itself(path)
    return 0


@rules.command("export", short_help="Write what people said of domains as lines of JSON.")
@to_file
@json_option
@with_db
def export_rules(path: Path, file: str, json_: bool) -> None:
    """Write everything that people said of domains (allow, deny) to FILE, a line each; - is standard output.

    \b
    Example: watchfloor rules export rules.jsonl
    """
    with reading(path) as db:
        _export(file, rule_rows(db), RULES, spared=path, json_=json_)


@rules.command("import", short_help="Append the domain rules of a file that are not here yet.")
@from_file
@dry_run_option
@json_option
@with_db
def import_rules_(path: Path, file: str, dry_run: bool, json_: bool) -> int:
    """Append the domain rules of FILE that are not here yet, under the names and times it gives; - is standard input.

    Where a person said something later of the domain here, that stays. A broken line is named, and then nothing is
    imported. `watchfloor rejudge` applies what came to the stored comments.

    \b
    Example: watchfloor rules import rules.jsonl --dry-run
    """
    with reading(path) as db:
        known = read.sources(db)
    given = _given(file, read_rule)
    if isinstance(given, BrokenLine):
        return _broken(file, given)
    if dry_run:
        arrival = Arrival()
        with reading(path) as db:
            plan_rules(db, given, arrival)
    else:
        arrival = import_rules(path, given)
    strange = sorted({rule.source for rule in given if rule.source} - known.keys())
    _tell(file, arrival, RULES, dry_run=dry_run, json_=json_, sources_unknown=strange)
    if strange and not json_:
        complain(f"nothing is stored here of {', '.join(strange)}: the rules under them wait for that")
    return 0


@rules.command("deny-list", short_help="The denied domains for WordPress, AutoModerator, rspamd.")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True), default=STREAM)
@click.option("--for", "kind", type=click.Choice(tuple(FORMATS)), required=True, help="The system that is to take it.")
@click.option("--source", default="", metavar="ID", help="With the rules that hold under this source only.")
@click.option("--rules", "own", type=existing_file, help="This rules file, instead of the one in --home.")
@db_option
@home_option
@json_option
def deny_list_(
    file: str, kind: str, source: str, own: Path | None, db: Path | None, home: Path | None, json_: bool
) -> None:
    """Write the domains that are denied, for another system, to FILE; - is standard output.

    \b
    wordpress      Settings, Discussion, Disallowed Comment Keys: paste it there
    automoderator  a rule for the wiki page config/automoderator of a subreddit
    rspamd         a map for the multimap module; its remarks say where it goes
    plain          a domain a line

    What a system cannot say as exactly as the rule does is told on standard error.

    \b
    Example: watchfloor rules deny-list --for wordpress keys.txt
    """
    path = db_of(db, home)
    denied, elsewhere, honest = _denied(own, home_of(home), path, source)
    made = deny_list(kind, denied, honest)
    if not json_:
        _write(file, made.text.splitlines(), spared=path)
        for warning in _warnings(made, elsewhere, denied):
            complain(warning)
        return
    if file != STREAM:
        _write(file, made.text.splitlines(), spared=path)
    warnings = _warnings(made, elsewhere, denied)
    as_json({"for": kind, "domains": sorted(denied), "lines": made.text.splitlines(), "warnings": warnings})


def _denied(own: Path | None, home: Path, path: Path, source: str) -> tuple[frozenset[str], int, frozenset[str]]:
    """The domains that are denied, how many rules deny one under another source, and the hosts that are honest."""
    policy = policy_of(own, home)
    if not path.exists():
        return policy.deny, 0, policy.allow
    listed = domain_rules_of(path)
    with reading(path) as db:
        check_source(db, source)
        honest = honest_hosts(db) | {host_of(row["home"]) for row in read.sources(db).values()}
    holding = with_rules(policy, [DomainRule(r["id"], r["domain"], r["said"], r["source_id"]) for r in listed], source)
    elsewhere = sum(rule["said"] == "deny" and rule["source_id"] not in ("", source) for rule in listed)
    return holding.deny, elsewhere, honest | holding.allow


def _warnings(made: DenyList, elsewhere: int, denied: frozenset[str]) -> list[str]:
    told = list(made.warnings)
    if elsewhere:
        told.append(f"{elsewhere} rules that deny a domain under one source only are left out; --source takes them in")
    if not denied:
        told.append("no domain is denied; `watchfloor deny DOMAIN` denies one")
    return told


# ---- writing


def _export(file: str, rows: Iterable[dict[str, Any]], what: str, *, spared: Path, json_: bool) -> None:
    if json_ and file == STREAM:
        raise click.UsageError("--json says what was written to a FILE; name one")
    written = 0

    def counted() -> Iterator[str]:
        nonlocal written
        for written, row in enumerate(rows, 1):  # noqa: B007 - how far it came is what is told
            yield dump(row)

    _write(file, counted(), spared=spared)
    if json_:
        return as_json({"file": file, "lines": written})
    if file != STREAM:
        say(safe(f"{file}: {written} {what}"))


def _write(file: str, lines: Iterable[str], *, spared: Path) -> None:
    with destination(None if file == STREAM else Path(file), spared=spared) as out:
        out.writelines(f"{line}\n".encode() for line in lines)


# ---- reading


def _given(file: str, read_line: Callable[[int, bytes, str], Given]) -> list[Given] | BrokenLine:
    """All that a file holds, read before anything is written; or what is wrong with it."""
    moment = now()
    with _opened(file) as lines:
        try:
            return [read_line(number, line, moment) for number, line in numbered(lines.readline)]
        except BrokenLine as e:
            return e


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == STREAM:
        yield sys.stdin.buffer
        return
    try:
        with Path(file).open("rb") as lines:
            yield lines
    except OSError as e:
        raise click.ClickException(f"{safe(file)}: {e.strerror or e}") from None


def _named(file: str) -> str:
    return "standard input" if file == STREAM else file


def _broken(file: str, error: BrokenLine) -> int:
    complain(f"{_named(file)}: {error}; nothing was imported")
    return BROKEN


def _tell(file: str, arrival: Arrival, what: str, *, dry_run: bool, json_: bool, **more: Any) -> None:
    """What became of the lines: how many were imported, how many were not and why."""
    words = DOMAIN_WORDS if what == RULES else COMMENT_WORDS
    counted = arrival.counted
    if json_:
        left = [{"line": line, "why": why} for line, why in sorted(arrival.left) if why != "known"]
        imported = {word: arrival.imported[word] for word in words}
        return as_json({"file": file, "dry_run": dry_run, "imported": imported, **counted, "left_out": left, **more})
    said = ", ".join(f"{times} {word}" for word, times in sorted(arrival.imported.items()))
    would = "would be imported" if dry_run else "imported"
    say(safe(f"{_named(file)}: {arrival.imported.total()} {what} {would}" + (f": {said}" if said else "")))
    for why, times in counted.items():
        if times:
            lines = sorted(line for line, because in arrival.left if because == why)[:SHOWN]
            more_lines = ", …" if times > len(lines) else ""
            where = "" if why == "known" else f" (line {', '.join(map(str, lines))}{more_lines})"
            say(f"  {times} not: {WHY[why]}{where}")
