"""`watchfloor import`: comments from an export, stored and judged as if a crawl had found them."""

from __future__ import annotations

import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

import click
from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import Progress

from app.cli.options import db_of, db_option, home_of, home_option, json_option, reading
from app.cli.own_run import OwnRun
from app.cli.terminal import as_json, complain, is_terminal, safe, say
from crawler.health import LOCKED
from crawler.imports.detect import read_export
from crawler.imports.export import BrokenExport, Export
from crawler.items import Delta, Fetch, Known
from crawler.source import ID, Source, catalogue
from crawler.text import line
from crawler.urls import host_of
from db.connect import now
from db.rows import source_of
from db.store import Store
from moderation.policy import Policy, default_policy, load_policy
from moderation.rejudge import Bench
from pipelines.importing import addresses, imported, with_marks

BROKEN = 2
GZIP = b"\x1f\x8b"
NOTE = "Known from an import; no source file of this name watches it."


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--source", "source_id", default="", metavar="ID", help="The source they belong to. Default: by the host."
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@db_option
@home_option
@json_option
def import_(file: Path, source_id: str, dry_run: bool, db: Path | None, home: Path | None, json_: bool) -> int:
    """Import the comments of FILE: WordPress (WXR), Disqus, Blogger, Remark42, Commento, JSON lines or CSV.

    What wrote the file is seen from the file itself; it may be packed with gzip. The comments are judged and wait in
    `watchfloor flagged` like crawled ones. Importing a file again changes nothing; a damaged file changes nothing
    either, and the message names the line.

    \b
    Exit codes: 0 done; 2 the file cannot be read; 4 the database cannot be used; 75 a crawl holds it.

    \b
    Examples: watchfloor import export.xml --dry-run
              watchfloor import export.xml --source ukdj
              watchfloor import comments.csv --source mine --json
    """
    path, folder = db_of(db, home), home_of(home)
    with Progress(console=Console(stderr=True), transient=True, disable=json_ or not is_terminal()) as progress:
        try:
            export = _read(file, progress)
        except BrokenExport as e:
            complain(f"{file}: {e}; nothing was imported")
            return BROKEN
        done = Counter[str]()
        if export.threads:
            source = _source(source_id, export, folder, path)
            policy = load_policy(own) if (own := folder / "rules.toml").exists() else default_policy()
            code = _carry_out(export, file, source, policy, path, dry_run, done, progress)
            if code:
                return code
    _tell(export, file, source_id if not export.threads else source.id, done, dry_run=dry_run, json_=json_)
    return 0


def _read(file: Path, progress: Progress) -> Export:
    """The export, read whole before anything is written. Raises `BrokenExport`."""
    task = progress.add_task("reading", total=file.stat().st_size)
    try:
        with file.open("rb") as raw:
            packed = raw.read(len(GZIP)) == GZIP
            raw.seek(0)
            counted = progress.wrap_file(raw, task_id=task)
            return read_export(cast(BinaryIO, gzip.GzipFile(fileobj=counted)) if packed else counted)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise BrokenExport("the packed file is damaged, or cut off") from None
    except OSError as e:
        raise BrokenExport(f"cannot be read: {e.strerror or e}") from None


# ---- which source


def _source(id: str, export: Export, home: Path, path: Path) -> Source:
    """The source of that name, or the one whose host the articles stand on; a new one where there is none."""
    listed = catalogue(None, home)
    parts = urlsplit(export.threads[0].url)
    host = host_of(export.threads[0].url)
    if id and not ID.fullmatch(id):
        raise click.UsageError(f"--source: {id!r} is no id: use small letters, digits, - and _")
    if not id:
        near = next((s for s in listed.values() if host in s.all_hosts), None)
        id = near.id if near else re.sub(r"[^a-z0-9]+", "-", host.removeprefix("www.")).strip("-")[:63] or "imported"
    if id in listed:
        return listed[id]
    return _stored_source(id, path) or Source(
        id=id, name=host, home=f"{parts.scheme}://{parts.netloc}/", enabled=False, note=NOTE
    )


def _stored_source(id: str, path: Path) -> Source | None:
    """As the database has it: an import must not rewrite what a source file once said."""
    if not path.exists():
        return None
    with reading(path) as db:
        row = next((r for r in db["sources"].rows_where("id = ?", [id])), None)
    return source_of(row) if row else None


# ---- doing it


def _carry_out(
    export: Export,
    file: Path,
    source: Source,
    policy: Policy,
    path: Path,
    dry_run: bool,
    done: Counter[str],
    progress: Progress,
) -> int:
    if dry_run and not path.exists():
        for delta in _deltas(export, None, source, policy, progress):
            _count(delta, done)
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(f"{path}.lock", timeout=0), Store(path) as store:
            fetch = _fetch(file, source, len(export.threads))
            with OwnRun(store, "import", (source,)) as run:
                for delta in _deltas(export, store, source, policy, progress):
                    _count(delta, done)
                    if not (dry_run or delta.empty):
                        store.apply(delta, fetch, run_id=run.begun(), now=now())
    except Timeout:
        complain(f"{path}: a crawl holds it; try again when it is done")
        return LOCKED
    return 0


def _fetch(file: Path, source: Source, articles: int) -> Fetch:
    """The ledger's row of an import."""
    url = f"import:{line(file.name, 200)}"
    return Fetch(url=url, source_id=source.id, outcome="read", kind="listing", links_found=articles)


def _deltas(export: Export, store: Store | None, source: Source, policy: Policy, progress: Progress) -> Iterator[Delta]:
    """What each thread adds, one at a time, judged with all that the database knows."""
    bench = Bench(store.db if store else None, policy)
    for thread in progress.track(export.threads, description="comparing"):
        spelled = addresses(thread.url) or (thread.url,)
        known, url = Known(), spelled[0]
        for address in spelled if store else ():
            found = cast(Store, store).known(address)
            if found.article_id is not None:
                known, url = found, address
                break
        delta = imported(thread, known, url, source)
        yield with_marks(delta, thread, bench.verdicts(delta, source), policy.threshold)


def _count(delta: Delta, done: Counter[str]) -> None:
    done["articles_new"] += delta.known.article_id is None
    done["comments_new"] += len(delta.new)
    done["comments_edited"] += len(delta.edited)
    done["comments_known"] += len(delta.page.comments) - len(delta.new) - len(delta.edited)
    done["flagged"] += sum(verdict.decision == "flagged" for verdict in delta.verdicts.values())


def _tell(export: Export, file: Path, source: str, done: Counter[str], *, dry_run: bool, json_: bool) -> None:
    marks = Counter(entry.mark for thread in export.threads for entry in thread.entries)
    found: dict[str, Any] = {
        "file": str(file),
        "kind": export.kind,
        "source": source,
        "dry_run": dry_run,
        "articles": len(export.threads),
        "comments": export.count,
        **{
            name: done[name]
            for name in ("articles_new", "comments_new", "comments_edited", "comments_known", "flagged")
        },
        "marked_spam": marks["spam"],
        "marked_held": marks["held"],
        "unplaced": export.unplaced,
        "mended": list(export.mended),
    }
    if json_:
        return as_json(found)
    would = "would be " if dry_run else ""
    under = f"{export.count} comments under {len(export.threads)} articles"
    say(safe(f"{file.name}: {export.kind}: {under}" + (f" of {source}" if source else "")))
    say(
        f"  {found['comments_new']} {would}stored, {found['comments_edited']} {would}edited, {found['comments_known']}"
        f" known already; {found['flagged']} {would}held for review; {found['articles_new']} articles {would}new"
    )
    if export.unplaced:
        complain(f"{export.unplaced} comments name no article with an address and were left out")
    for damage in export.mended:
        complain(f"{file}: {damage}")
