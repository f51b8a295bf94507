"""Commands of the rules: rules check|show|test, whatif, rejudge, allow, deny."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from app.cli.options import (
    by_option,
    check_source,
    db_of,
    db_option,
    existing_file,
    home_of,
    home_option,
    json_option,
    limit_option,
    note_option,
    reading,
)
from app.cli.terminal import as_json, complain, is_terminal, marked, one_line, safe, say
from crawler.items import Comment, Context
from crawler.source import catalogue
from crawler.text import tidy
from db.connect import DatabaseProblem, now
from db.judging import Desk, domain_rules
from moderation.exchange import domain_of, open_to_all
from moderation.policy import DomainRule, Policy, default_policy, judge, load_policy, with_rules
from moderation.rejudge import Heard, changes, tell
from moderation.rejudge import rejudge as append_changes
from moderation.review import because, named, spans

rules_option = click.option(
    "--rules",
    "file",
    type=existing_file,
    help="This rules file, instead of the one in --home.",
)


@click.group()
def rules() -> None:
    """The rules that comments are judged by: check a file, show what holds, test a text, take them elsewhere.

    \b
    Examples: watchfloor rules test "see bank dot com"
              watchfloor rules export rules.jsonl
              watchfloor rules deny-list --for wordpress
    """


@rules.command(short_help="Check a rules file.")
@click.argument("file", type=existing_file)
@json_option
def check(file: Path, json_: bool) -> None:
    """Check FILE, a rules file: the first mistake with its key, and the nearest known one.

    \b
    Example: watchfloor rules check rules.toml
    """
    policy = load_policy(file)
    base = default_policy()
    differs = {n: w for n, w in policy.weights.items() if w != base.weights[n]}
    if json_:
        return as_json({"file": str(file), "version": policy.version, "weights_changed": differs})
    say(safe(f"{file}: good: rules {policy.version}, threshold {policy.threshold:g}"))
    for name, weight in differs.items():
        say(f"  {name}: {base.weights[name]:+g} -> {weight:+g}")


@rules.command(short_help="Show every signal and every domain rule.")
@rules_option
@db_option
@home_option
@json_option
def show(file: Path | None, db: Path | None, home: Path | None, json_: bool) -> None:
    """Show every signal with its weight and reason, and every domain rule that holds.

    \b
    Example: watchfloor rules show
    """
    policy = policy_of(file, home_of(home))
    path = db_of(db, home)
    listed = domain_rules_of(path) if path.exists() else []
    if json_:
        signals = {n: {"weight": w, "reason": policy.reasons.get(n, "")} for n, w in policy.weights.items()}
        shown = {"version": policy.version, "threshold": policy.threshold, "signals": signals}
        return as_json({**shown, "allow": sorted(policy.allow), "deny": sorted(policy.deny), "domain_rules": listed})
    say(safe(f"rules {policy.version}: a comment is held from a score of {policy.threshold:g}"))
    for name, weight in sorted(policy.weights.items(), key=lambda item: -item[1]):
        say(f"{weight:>+5g}  {name:<22} {one_line(policy.reasons.get(name, ''), 90)}")
    for rule in listed:
        under = f" under {rule['source_id']}" if rule["source_id"] else ""
        say(
            one_line(f"{rule['said']:>5}  {rule['domain']}{under}  ({rule['judge']}, {rule['at'][:10]}) {rule['note']}")
        )


@rules.command("test", short_help="Judge a text: what would be said of it, and why.")
@click.argument("text")
@click.option("--author-url", default="", metavar="URL", help="The address in the author's field.")
@click.option("--source", default="", metavar="ID", help="Under an article of this source.")
@rules_option
@db_option
@home_option
@json_option
def test_(
    text: str, author_url: str, source: str, file: Path | None, db: Path | None, home: Path | None, json_: bool
) -> None:
    """Judge TEXT as a comment: what would be said of it, and why. Stores nothing.

    Looks at the rules, not at what is stored: history and model have no say.

    \b
    Example: watchfloor rules test "write me on telegram @channel_a"
    """
    policy, path = policy_of(file, home_of(home)), db_of(db, home)
    listed = domain_rules_of(path) if path.exists() else []
    policy = with_rules(policy, [DomainRule(r["id"], r["domain"], r["said"], r["source_id"]) for r in listed], source)
    hosts = _hosts(home_of(home)).get(source, frozenset())
    verdict = judge(Comment(text=tidy(text), author_url=author_url), Context(own_hosts=hosts), policy)
    reasons = [
        {"name": r.name, "weight": r.weight, "start": r.start, "end": r.end, "note": r.note} for r in verdict.reasons
    ]
    links = [
        {"start": k.start, "stop": k.end, "text": k.text, "url": k.url, "disguise": k.disguise} for k in verdict.links
    ]
    if json_:
        shown = {"decision": verdict.decision, "score": verdict.score, "by": verdict.by}
        return as_json({**shown, "reasons": reasons, "links": links})
    say(f"{verdict.decision}, score {verdict.score:g} ({safe(verdict.by)})")
    say(f"  │ {marked(tidy(text), spans(links))}")
    for line in because(reasons):
        say(f"  · {one_line(line, 110)}")


@click.command()
@rules_option
@limit_option(20)
@db_option
@home_option
@json_option
def whatif(file: Path | None, limit: int, db: Path | None, home: Path | None, json_: bool) -> None:
    """What would change if the stored comments were judged again, by FILE or by the rules as they are. Writes nothing.

    Shows the comments whose decision would turn, those on which people decided first, and counts how often the new
    word agrees with theirs. `watchfloor rejudge` does exactly this, and writes it.

    \b
    Example: watchfloor whatif --rules stricter.toml
    """
    counts: Counter[str] = Counter()
    turned: list[dict[str, Any]] = []
    with reading(db_of(db, home)) as database, progress(json_) as heard:
        for change in changes(database, policy_of(file, home_of(home)), _hosts(home_of(home)), heard):
            tell(change, counts)
            if change.turned:
                turned.append(_row(change))
    turned.sort(key=lambda row: (not row["decided"], row["comment"]))
    if json_:
        return as_json({**_counted(counts), "turned": turned})
    for row in turned[:limit]:
        person = f" (a person said {row['decided']})" if row["decided"] else ""
        say(f"#{row['comment']}: {row['was'] or 'unjudged'} -> {row['now']}{person}  {one_line(row['text'], 70)}")
    if len(turned) > limit:
        say(f"… and {len(turned) - limit} more; --limit shows them")
    _say_counts(counts, "would change")


@click.command()
@rules_option
@db_option
@home_option
@json_option
def rejudge(file: Path | None, db: Path | None, home: Path | None, json_: bool) -> None:
    """Judge all stored comments again, and append what is new. People's decisions stand, whatever the rules say.

    `watchfloor whatif` shows beforehand what this changes.

    \b
    Example: watchfloor rejudge
    """
    path = db_of(db, home)
    if not path.exists():
        raise DatabaseProblem(f"{path}: no database here yet; `watchfloor crawl` makes one")
    with progress(json_) as heard:
        counts = append_changes(path, policy_of(file, home_of(home)), _hosts(home_of(home)), heard)
    if json_:
        return as_json({**_counted(counts), "written": counts["written"]})
    _say_counts(counts, "changed")


def _word_command(said: str, purpose: str) -> click.Command:
    @click.command(said, help=purpose)
    @click.argument("domain")
    @note_option("rule")
    @click.option("--source", default="", metavar="ID", help="Only under this source.")
    @by_option("says so")
    @click.option("--remove", is_flag=True, help="Neither allowed nor denied any more.")
    @db_option
    @home_option
    @json_option
    def command(
        domain: str, note: str, source: str, by: str, remove: bool, db: Path | None, home: Path | None, json_: bool
    ) -> None:
        path, host = db_of(db, home), _domain(domain, said)
        with reading(path) as database:
            check_source(database, source)
        word, who = "none" if remove else said, named(by)
        with Desk(path) as desk:
            number = desk.rule_domain(host, word, source=source, note=tidy(note), by=who, now=now())
        if json_:
            return as_json({"rule": number, "domain": host, "said": word, "source": source, "by": who})
        where = f" under {safe(source)}" if source else ""
        word = "no rule any more" if remove else said
        say(f"{host}: {word}{where}; `watchfloor rejudge` applies it to what is stored")

    return command


allow = _word_command(
    "allow",
    "Let links to DOMAIN, and to hosts below it, pass: they are no reason to hold a comment.\n\n"
    "\b\nExample: watchfloor allow gao.gov --note 'reports'",
)
deny = _word_command(
    "deny",
    "Put DOMAIN, and hosts below it, on the deny list: a strong reason to hold a comment.\n\n"
    "\b\nExample: watchfloor deny cheap-pills.example --source ukdj",
)


def policy_of(file: Path | None, home: Path) -> Policy:
    """The policy of a file, of the home folder, or the shipped one. Raises `PolicyError`."""
    own = file or home / "rules.toml"
    return load_policy(own) if file or own.exists() else default_policy()


@contextmanager
def progress(quiet: bool) -> Iterator[Heard]:
    """A bar on a person's terminal, for what takes a while."""
    with Progress(console=Console(stderr=True), transient=True, disable=quiet or not is_terminal()) as bar:
        task = bar.add_task("judging", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _domain(text: str, said: str) -> str:
    """The domain that was named, also inside an address. Ends the command when it is none; a suffix under which anybody
    can register may be denied, not allowed."""
    host = domain_of(text)
    if not host:
        raise click.UsageError(f"{safe(text)!r} is no domain")
    if said == "allow" and open_to_all(host):
        raise click.UsageError(f"{host}: anybody can register below it; allow a domain of somebody's own")
    return host


def _hosts(home: Path) -> dict[str, frozenset[str]]:
    return {id: source.all_hosts for id, source in catalogue(None, home).items()}


def domain_rules_of(path: Path) -> list[dict[str, Any]]:
    """The domain rules that hold."""
    with reading(path) as database:
        return domain_rules(database)


def _row(change: Any) -> dict[str, Any]:
    return {
        "comment": change.stored.id,
        "was": change.stored.said,
        "now": change.verdict.decision,
        "score": change.verdict.score,
        "decided": change.stored.decided,
        "text": change.stored.comment.text,
    }


def _counted(counts: Counter[str]) -> dict[str, int]:
    return {name: counts[name] for name in ("changed", "held", "freed", "better", "worse")}


def _say_counts(counts: Counter[str], would: str) -> None:
    if not counts["changed"]:
        return complain("nothing changes")
    turned = f"{counts['held']} newly held, {counts['freed']} let go, the rest only in score"
    say(f"{counts['changed']} verdicts {would}: {turned}")
    if counts["better"] or counts["worse"]:
        say(f"of those that people decided on, {counts['better']} now agree with them, {counts['worse']} no longer do")
