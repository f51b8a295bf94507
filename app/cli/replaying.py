"""`watchfloor replay`: archived pages, cleaned and judged again; what would change, or with --apply what does."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from app.cli.locking import Held, lock
from app.cli.options import db_of, db_option, home_of, home_option, json_option
from app.cli.own_run import OwnRun
from app.cli.rules import policy_of
from app.cli.terminal import as_json, complain, is_terminal, one_line, say
from crawler.health import LOCKED, OK, TROUBLE
from crawler.settings import archive_of
from crawler.source import Source, catalogue, choose
from crawler.workers import Readers, usual_count
from db.connect import DatabaseProblem, now
from db.store import Store
from pipelines.replaying import OUTCOMES, Heard, Outcome, Replay, Replayed

SAMPLES = 3
"""Of each field that changes, and of each sort of page."""
SAMPLE_CHARACTERS = 60
LEADING = 15
"""Characters before the first difference that a sample shows."""
TOGETHER: dict[str, str] = {"blocks": "body", "published_raw": "published_at", "modified_raw": "modified_at"}
"""Columns that say the same as another, in another way: shown as that one where both change."""


@click.command()
@click.argument("source", nargs=-1)
@click.option("--source", "named", multiple=True, metavar="ID", help="Only this source; the same as SOURCE.")
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]), help="Only pages captured since then (UTC)."
)
@click.option("--limit", type=click.IntRange(1), default=None, help="Only so many pages, the newest.")
@click.option("--apply", "write", is_flag=True, help="Write it: what was is kept as an earlier version.")
@click.option("--sources", "files", type=click.Path(path_type=Path, exists=True), help="A source file, or a folder.")
@db_option
@home_option
@json_option
def replay(
    source: tuple[str, ...],
    named: tuple[str, ...],
    since: datetime | None,
    limit: int | None,
    write: bool,
    files: Path | None,
    db: Path | None,
    home: Path | None,
    json_: bool,
) -> int:
    """Read archived pages of each SOURCE, or of all, again: by the cleaning and the rules as they are now.

    No request is made. Without --apply nothing is written: it prints what would change, field by field. A page that
    was read later without being archived is left alone.

    \b
    Exit codes: 0 done; 1 some pages could not be read; 2 usage or configuration; 4 the database cannot be used;
    75 a crawl holds it.

    \b
    Examples: watchfloor replay
              watchfloor replay ukdj --since 2026-11-01
              watchfloor replay --sources ukdj.toml --apply
    """
    path = db_of(db, home).resolve()
    listed = catalogue(files, home_of(home))
    sources = {s.id: s for s in (choose(listed, (*source, *named)) if source or named else listed.values())}
    told = Told(write=write)
    try:
        with Readers(usual_count()) as readers, _store(path, write=write) as store, _progress(json_) as heard:
            told.unknown = _without_source(store, sources, bool(source or named))
            replaying = Replay(store, archive_of(path), sources, policy_of(None, home_of(home)), readers)
            stated = f"{since:%Y-%m-%dT%H:%M:%SZ}" if since else ""
            with OwnRun(store, "replay") as run:
                for replayed in replaying.pages(since=stated, limit=limit or -1, heard=heard):
                    told.hear(replayed)
                    if write and replayed.writes:
                        replaying.write(replayed, run_id=run.begun(), now=now())
    except Held as e:
        complain(str(e))
        return LOCKED
    as_json(told.json) if json_ else told.say()
    return TROUBLE if told.pages["lost"] or told.pages["raised"] else OK


@dataclass(slots=True)
class Told:
    """What a replay has come to, in numbers and samples."""

    write: bool
    pages: Counter[Outcome] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    comments: Counter[str] = field(default_factory=Counter)
    written: int = 0
    """Pages for which there is something to write."""
    relabelled: int = 0
    """Pages that count as read by the present cleaning from now on."""
    samples: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    """By field, and by what became of a page."""
    unknown: dict[str, int] = field(default_factory=dict)
    """Pages of sources that no file names."""

    def hear(self, replayed: Replayed) -> None:
        """Counts a page."""
        self.pages[replayed.outcome] += 1
        self.written += replayed.writes
        self.relabelled += "cleaned_by" in replayed.ledger
        url = replayed.capture.url
        if replayed.outcome not in ("same", "changed", "older"):
            self._sample(replayed.outcome, url=url, detail=replayed.detail)
        delta = replayed.delta
        if delta is None:
            return
        for name in ("new", "edited", "returned", "gone", "unjudged"):
            self.comments[name] += len(getattr(delta, name))
        self.comments["flagged"] += sum(v.decision == "flagged" for v in delta.verdicts.values())
        if delta.known.article_id is None:
            return
        changed = [name for name in delta.changed if TOGETHER.get(name) not in delta.changed]
        self.fields.update(changed or ["cuts"] * delta.empty)
        for name in changed:
            old, new = (
                "" if fields.get(name) is None else str(fields[name]) for fields in (delta.known.fields, delta.fields)
            )
            self._sample(name, url=url, old=old, new=new)

    @property
    def json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "applied": self.write,
            "pages": {name: self.pages[name] for name in OUTCOMES},
            "fields": dict(self.fields.most_common()),
            "comments": {n: self.comments[n] for n in ("new", "edited", "returned", "gone", "unjudged", "flagged")},
            "written": self.written if self.write else 0,
            "relabelled": self.relabelled,
            "samples": self.samples,
            "sources_without_a_file": self.unknown,
        }

    def say(self) -> None:
        """All of it, for people."""
        for id, number in self.unknown.items():
            complain(f"{id}: no file of this name among the sources; {number} pages left alone (--sources names it)")
        written = self._applied() if self.write else "nothing was written, --apply does"
        say(f"{sum(self.pages.values()):,} archived pages read again; {written}")
        for outcome, words in OUTCOMES.items():
            if self.pages[outcome]:
                say(f"  {self.pages[outcome]:>6,}  {words}")
                self._say_samples(outcome)
        for name, number in self.fields.most_common():
            say(f"{name}: {number:,} articles")
            self._say_samples(name)
        if self.relabelled:
            say(f"{self.relabelled:,} pages count as read by the present cleaning: a 304 may answer for them")
        if any(self.comments.values()):
            say("comments: " + ", ".join(f"{number:,} {name}" for name, number in self.comments.items() if number))

    def _applied(self) -> str:
        return f"written for {self.written:,} of them" if self.written else "there was nothing to write"

    def _sample(self, of: str, **sample: str) -> None:
        listed = self.samples.setdefault(of, [])
        if len(listed) < SAMPLES:
            if "old" in sample:
                sample["old"], sample["new"] = difference(sample["old"], sample["new"])
            listed.append(sample)

    def _say_samples(self, of: str) -> None:
        for sample in self.samples.get(of, ()):
            said = f"{_quoted(sample['old'])} -> {_quoted(sample['new'])}" if "old" in sample else sample["detail"]
            say(f"          {one_line(sample['url'], 90)}")
            if said:
                say(f"            {one_line(said)}")


def difference(old: str, new: str) -> tuple[str, str]:
    """Both texts from shortly before the place where they begin to differ, shortened."""
    same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    start = same - LEADING if same > 2 * LEADING else 0
    return _part(old, start), _part(new, start)


def _part(text: str, start: int) -> str:
    part = text[start : start + SAMPLE_CHARACTERS]
    before = "…" if start and part else ""
    return f"{before}{part}{'…' if start + SAMPLE_CHARACTERS < len(text) else ''}"


def _quoted(text: str) -> str:
    return f"“{text}”" if text else "nothing"


def _without_source(store: Store, sources: dict[str, Source], chosen: bool) -> dict[str, int]:
    """How many captured pages there are of sources that no file names; none where sources were chosen by name."""
    if chosen:
        return {}
    rows = store.db.execute("SELECT source_id, count(DISTINCT url) FROM captures WHERE role = 'page' GROUP BY 1")
    return {id: number for id, number in rows if id not in sources}


@contextlib.contextmanager
def _store(path: Path, *, write: bool) -> Iterator[Store]:
    """The database: under its lock where something is written, else for reading alone."""
    if not path.exists():
        raise DatabaseProblem(f"{path}: no database here yet; `watchfloor crawl` makes one")
    if not write:
        with Store.to_read(path) as store:
            yield store
        return
    with lock(path), Store(path) as store:
        yield store


@contextlib.contextmanager
def _progress(quiet: bool) -> Iterator[Heard]:
    """A bar on a person's terminal."""
    with Progress(console=Console(stderr=True), transient=True, disable=quiet or not is_terminal()) as bar:
        task = bar.add_task("reading", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
