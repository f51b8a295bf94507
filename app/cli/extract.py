"""`watchfloor extract`: WARC files of any size → shards of articles with comments and verdicts."""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from filelock import FileLock, Timeout

from app.cli.options import existing_file, home_of, home_option, json_option
from app.cli.outfile import Refused
from app.cli.terminal import as_json, complain, is_terminal, one_line, safe, say
from crawler.health import LOCKED, OK, TROUBLE
from crawler.source import catalogue
from moderation.policy import load_policy

if TYPE_CHECKING:
    from pipelines.engines import Heard
    from pipelines.planning import Plan

NEEDED = ("datatrove", "fastwarc", "fsspec", "numpy", "pyarrow", "regex", "tokenizers")
REASONS = 6
"""Why pages gave no article: the most frequent."""


@click.command()
@click.argument("warcs", nargs=-1, metavar="WARC...")
@click.option(
    "--out", required=True, metavar="DIR", help="Where shards and report go: a folder, or an address (s3://…)."
)
@click.option("--paths", type=existing_file, help="More WARC files, one a line, as in Common Crawl's warc.paths.gz.")
@click.option("--prefix", default="", metavar="ADDRESS", help="Put before each line of --paths.")
@click.option(
    "--executor",
    type=click.Choice(["local", "slurm", "ray"]),
    default="local",
    show_default=True,
    help="Where it runs.",
)
@click.option("--workers", type=click.IntRange(1, 100_000), help="Tasks at a time. Default: one a processor.")
@click.option(
    "--tasks", type=click.IntRange(1, 100_000), help="Parts to do it in. Default: one a file, or two a worker."
)
@click.option("--format", "format_", type=click.Choice(["parquet", "jsonl"]), default="parquet", show_default=True)
@click.option("--keep-duplicates", is_flag=True, help="Do not look for near-duplicates.")
@click.option("--fresh", is_flag=True, help="Begin anew: what an earlier extraction left in DIR goes.")
@click.option("--sources", "files", type=click.Path(path_type=Path, exists=True), help="A source file, or a folder.")
@click.option("--rules", type=existing_file, help="A rules file. Default: rules.toml in --home, or the shipped rules.")
@click.option("--partition", metavar="NAME", help="Slurm: the partition.")
@click.option("--time", "time_", default="24:00:00", show_default=True, help="Slurm: the most that a task may take.")
@click.option("--memory", type=click.IntRange(1), default=2, show_default=True, help="Slurm: GB for a task.")
@click.option(
    "--slurm-arg", "arguments", multiple=True, metavar="NAME=VALUE", help="Slurm: a further option of sbatch."
)
@home_option
@json_option
def extract(
    warcs: tuple[str, ...],
    out: str,
    paths: Path | None,
    prefix: str,
    executor: str,
    workers: int | None,
    tasks: int | None,
    format_: str,
    keep_duplicates: bool,
    fresh: bool,
    files: Path | None,
    rules: Path | None,
    partition: str | None,
    time_: str,
    memory: int,
    arguments: tuple[str, ...],
    home: Path | None,
    json_: bool,
) -> int:
    """Extract articles, comments and verdicts from WARC files: an archive of watchfloor's, Common Crawl's, anybody's.

    Each WARC is a file, a folder, a pattern or an address (https://, s3://), plain or packed. Pages are cleaned and
    judged as a crawl does it, near-duplicates are put aside, and shards are written into DIR: articles/, duplicates/
    (what another article stands for), ledger/ (pages that gave none, and why), report.json. The same command again goes
    on where it was ended, however it was. Bring shards into a database with `watchfloor load`.

    Needs the extra `archives`: pip install 'watchfloor[archives]'; Ray needs `ray` too.

    \b
    Exit codes: 0 done, or handed to Slurm; 1 tasks failed, the same command tries them again; 2 usage;
    75 another extraction writes into DIR.

    \b
    Examples: watchfloor extract ~/watch/archive --out shards
              watchfloor extract news.warc.gz --out shards --workers 8 --format jsonl
              watchfloor extract --paths warc.paths.gz --prefix https://data.commoncrawl.org/ --out s3://bucket/news \\
                  --executor slurm --partition cpu --workers 200
    """
    _check_extras(executor)
    if executor == "slurm" and not partition:
        raise click.UsageError("--executor slurm needs --partition")
    asked = (*warcs, *_lines(paths, prefix))
    count = workers or os.cpu_count() or 1
    plan = _plan(asked, out, tasks, count, files, rules, home_of(home), format_, keep_duplicates)
    with _alone(out):
        from pipelines import planning

        try:
            told = planning.begin(plan, fresh=fresh)
        except planning.Unplanned as e:
            raise Refused(safe(str(e))) from None
        if told is None:
            if executor == "slurm":
                return _submitted(plan, count, partition or "", time_, memory, arguments, json_=json_)
            if not _ran(plan, executor, count, quiet=json_):
                return TROUBLE
            told = planning.report(out)
    as_json(told) if json_ else _say(told, out)
    return OK


def _check_extras(executor: str) -> None:
    """Ends the command, in one line, where something is not installed."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise Refused(f"extracting needs {', '.join(missing)}: pip install 'watchfloor[archives]'")
    if executor == "ray" and importlib.util.find_spec("ray") is None:
        raise Refused("--executor ray needs Ray: pip install 'watchfloor[archives,ray]'")


def _lines(paths: Path | None, prefix: str) -> list[str]:
    """The addresses in a list of paths."""
    if paths is None:
        return []
    try:
        raw = paths.read_bytes()
        lines = (gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw).decode("utf-8").split()
    except (OSError, EOFError, ValueError) as e:
        raise Refused(f"{safe(str(paths))}: {safe(str(e))}") from None
    return [prefix + line for line in lines]


def _plan(
    asked: tuple[str, ...],
    out: str,
    tasks: int | None,
    workers: int,
    files: Path | None,
    rules: Path | None,
    home: Path,
    format_: str,
    keep_duplicates: bool,
) -> Plan:
    from pipelines import planning
    from pipelines.warcs import Unreachable

    if not asked:
        raise click.UsageError("no WARC file is named")
    own = rules or home / "rules.toml"
    if own.exists():
        load_policy(own)  # a mistake in it is told now, not by a hundred tasks
    try:
        listed = planning.files_of(asked)
    except Unreachable as e:
        raise Refused(safe(str(e))) from None
    paths = [path for path, _ in listed]
    return planning.Plan(
        out=out if "://" in out else str(Path(out).resolve()),
        shares=planning.divided(paths, tasks or planning.usual_tasks(paths, workers)),
        sources=tuple(catalogue(files, home).values()),
        rules=own.read_text("utf-8") if own.exists() else "",
        format="jsonl" if format_ == "jsonl" else "parquet",
        keep_duplicates=keep_duplicates,
        bytes=sum(size for _, size in listed),
    )


@contextlib.contextmanager
def _alone(out: str) -> Iterator[None]:
    """One at a time writes into a folder of this machine."""
    if "://" in out:
        yield
        return
    try:
        Path(out).mkdir(parents=True, exist_ok=True)
        with FileLock(Path(out) / ".lock", timeout=0):
            yield
    except Timeout:
        complain(f"{out}: another extraction writes there; this one ends")
        raise click.exceptions.Exit(LOCKED) from None
    except OSError as e:
        raise Refused(f"{safe(out)}: {e.strerror or e}") from None


def _ran(plan: Plan, executor: str, workers: int, *, quiet: bool) -> bool:
    """True when all of it is done."""
    from pipelines import engines

    with _progress(quiet) as heard:
        try:
            (engines.run_on_ray if executor == "ray" else engines.run)(plan, workers=workers, heard=heard)
        except engines.Unfinished as e:
            complain(f"{e}; the same command goes on from here")
            return False
    return True


def _submitted(
    plan: Plan, workers: int, partition: str, time_: str, memory: int, arguments: tuple[str, ...], *, json_: bool
) -> int:
    from pipelines import engines

    further = dict(each.partition("=")[::2] for each in arguments)
    how = engines.Slurm(partition=partition, time=time_, memory_gb=memory, arguments=further)
    try:
        jobs = engines.submit_to_slurm(plan, how, workers=workers)
    except FileNotFoundError as e:
        raise Refused(f"Slurm is not here: {e.filename or e}") from None
    except engines.Unfinished as e:
        complain(str(e))
        return TROUBLE
    if json_:
        as_json({"out": plan.out, "jobs": [{"stage": stage, "job": job} for stage, job in jobs]})
        return OK
    for stage, job in jobs:
        say(f"{stage}: " + (f"job {safe(job)}" if job else "done already"))
    say(safe(f"{plan.out}/report.json is written by the last one"))
    return OK


@contextlib.contextmanager
def _progress(quiet: bool) -> Iterator[Heard]:
    """A bar on a person's terminal."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=quiet or not is_terminal()) as bar:
        task = bar.add_task("", total=None)
        yield lambda stage, done, of: bar.update(task, description=stage, completed=done, total=of)


def _say(told: dict[str, Any], out: str) -> None:
    """What it came to, for people."""
    say(safe(f"{told['pages']:,} pages read; {told['articles']:,} articles in {out}"))
    say(f"  {told['comments']:>9,}  comments, {told['flagged']:,} of them the rules would hold")
    say(
        f"  {told['near_duplicates']:>9,}  near-duplicates put aside, {told['same_pages']:,} earlier readings of a page"
    )
    for outcome in ("rejected", "failed"):
        reasons = list(told[outcome].items())
        for reason, number in reasons[:REASONS]:
            say(f"  {number:>9,}  {outcome}: {one_line(reason, 60)}")
        if rest := sum(number for _, number in reasons[REASONS:]):
            say(f"  {rest:>9,}  {outcome}: other reasons, all in the ledger")
    say(
        f"{told['cpu_seconds']:,} s of processor time in {told['tasks']:,} tasks:"
        f" {told['core_hours_a_million_pages']:,} core-hours a million pages"
    )
