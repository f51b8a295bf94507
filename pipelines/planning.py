"""What an extraction will do, written down where it writes: the same command again goes on with it, no other does."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import fsspec

from crawler.settings import our_version
from crawler.source import Source
from pipelines.elsewhere import told_as, whole
from pipelines.records import VERSION
from pipelines.shards import SUFFIX, Format
from pipelines.warcs import Share, Unreachable, found, is_own, shares

TASKS_A_WORKER = 2
"""Where files can be shared: a worker that had the easier pages has something left to do."""
MOST_TASKS = 10_000
"""By itself: each is a process and a shard, and Slurm's queues have limits."""
PLAN, REPORT = "plan.json", "report.json"
OURS = ("articles", "duplicates", "ledger", "work", PLAN, REPORT)


class Unplanned(Exception):
    """The folder cannot be used for this extraction. The message says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is extracted, and how."""

    out: str
    """A folder, here or behind an address."""
    shares: tuple[tuple[Share, ...], ...]
    """By task."""
    sources: tuple[Source, ...] = ()
    rules: str = ""
    """TOML text; empty for the shipped rules."""
    format: Format = "parquet"
    keep_duplicates: bool = False
    bytes: int = 0
    """Of the files, where they are at hand: a file that has grown is another file."""

    @property
    def tasks(self) -> int:
        """How many read and write."""
        return len(self.shares)

    @property
    def files(self) -> int:
        """How many are read."""
        return len({share.path for task in self.shares for share in task})

    def shard(self, kind: str, task: int) -> str:
        """The path of a shard below `out`."""
        return f"{kind}/{task:05d}{SUFFIX[self.format]}"

    @property
    def told(self) -> dict[str, Any]:
        """What two plans that are the same agree in."""
        paths = "\n".join(f"{s.path} {s.part}/{s.parts}" for task in self.shares for s in task)
        return {
            "watchfloor": our_version(),
            "columns": VERSION,
            "files": self.files,
            "bytes": self.bytes,
            "tasks": self.tasks,
            "inputs": _print_of(paths),
            "sources": _print_of(repr(self.sources)),
            "rules": _print_of(self.rules),
            "format": self.format,
            "keep_duplicates": self.keep_duplicates,
        }


def files_of(paths: Sequence[str]) -> list[tuple[str, int]]:
    """The WARC files that these paths and addresses mean, each once, with their sizes. Raises `Unreachable`."""
    sizes = {path: size for each in paths for path, size in found(each)}
    if not sizes:
        raise Unreachable("no WARC file is named")
    return list(sizes.items())


def usual_tasks(files: Sequence[str], workers: int) -> int:
    """One for each file; more where there are fewer files than workers could read."""
    most = len(files) if all(is_own(file) for file in files) else workers * TASKS_A_WORKER
    return min(max(len(files), most), MOST_TASKS)


def divided(files: Sequence[str], tasks: int) -> tuple[tuple[Share, ...], ...]:
    """What each task reads."""
    return tuple(shares(files, tasks))


def begin(plan: Plan, *, fresh: bool) -> dict[str, Any] | None:
    """Makes the folder ready; the report where the same plan is carried out already. `fresh` removes what an earlier
    one left there, and nothing else. Raises `Unplanned`."""
    with told_as(Unplanned, plan.out):
        fs, folder = fsspec.core.url_to_fs(plan.out)
        if fs.exists(folder) and not fs.isdir(folder):
            raise Unplanned(f"{plan.out}: not a folder")
        listed = fs.ls(folder, detail=False) if fs.exists(folder) else []
        left = {path.rstrip("/").rpartition("/")[2] for path in listed}
        if left - {".lock"} and PLAN not in left:
            raise Unplanned(f"{plan.out}: holds what `watchfloor extract` did not write; name another folder")
        if fresh:
            for name in left.intersection(OURS):
                fs.rm(f"{folder}/{name}", recursive=True)
        elif PLAN in left:
            return _gone_on(plan, fs, folder, left)
        with whole(fs, f"{folder}/{PLAN}") as file:
            file.write(json.dumps(plan.told, indent=2).encode())
    return None


def _gone_on(plan: Plan, fs: Any, folder: str, left: set[str]) -> dict[str, Any] | None:
    before = json.loads(fs.cat_file(f"{folder}/{PLAN}"))
    if differs := [name for name, value in plan.told.items() if before.get(name) != value]:
        raise Unplanned(
            f"{plan.out}: an extraction with other {', '.join(differs)} was begun there;"
            " --fresh begins anew, or name another folder"
        )
    return dict(json.loads(fs.cat_file(f"{folder}/{REPORT}"))) if REPORT in left else None


def report(out: str) -> dict[str, Any]:
    """What the extraction into this folder came to."""
    fs, folder = fsspec.core.url_to_fs(out)
    return dict(json.loads(fs.cat_file(f"{folder}/{REPORT}")))


def _print_of(text: str) -> str:
    return f"{zlib.crc32(text.encode('utf-8', 'replace')):08x}"
