"""`watchfloor extract` on a large archive: throughput by workers, on Ray, killed and taken up, beside trafilatura.

    python -m bench.extract [FOLDER...] [--pages 20000] [--tasks 4] [--peer-pages 2000] [--quick]

The archive is one WARC file as Common Crawl writes it, made of saved pages (`bench.site`): each page has an address, a
title and a text of its own, so that near-duplicates are what they are among real news. CPU is that of all processes,
start included. The peer is trafilatura 2.3 (`make peers`) over evenly chosen records of the same file, in one process,
read by the standard library. Exit code 1 where rows are lost, doubled or differ, or a part fails.
"""

from __future__ import annotations

import argparse
import glob
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.measure import Measured, measure
from bench.programs import OURS, PEERS, environment
from bench.site import ROOT, Site, saved_pages, usual_folders
from db.archive import Answer, pack

HOSTS = 200
"""That the pages stand on, as in an archive of many sites."""
NOW = 1_795_000_000
"""When the newest page was changed, in seconds."""
HALF_WAY = 0.5
"""Of the tasks that read, after which everything is killed."""
QUICK_PAGES = 60
WANTED_FASTER, WANTED_SHARE = 1.8, 0.3
PEER = """
import sys, zlib, trafilatura, resource
path, every = sys.argv[1], int(sys.argv[2])
count = number = 0
with open(path, "rb") as file:
    rest = b""
    while True:
        unpacker, held, packed = zlib.decompressobj(31), [], rest
        while not unpacker.eof:
            packed = packed or file.read(1 << 18)
            if not packed:
                break
            held.append(unpacker.decompress(packed))
            packed = unpacker.unused_data
        if not unpacker.eof:
            break
        rest = unpacker.unused_data
        if number % every == 0:
            warc, _, http = b"".join(held).partition(b"\\r\\n\\r\\n")
            url = next(l.split(b": ", 1)[1] for l in warc.split(b"\\r\\n") if l.startswith(b"WARC-Target-URI")).decode()
            body = http.partition(b"\\r\\n\\r\\n")[2]
            trafilatura.extract(body, url=url, with_metadata=True, include_comments=True, output_format="json")
            count += 1
        number += 1
used = resource.getrusage(resource.RUSAGE_SELF)
print(count, used.ru_utime + used.ru_stime)
"""
"""trafilatura over every so-manieth record: how many, and CPU seconds."""


class Extracted(NamedTuple):
    """One extraction."""

    cost: Measured
    report: dict[str, Any]
    rows: Counter[str]
    """Each row of each shard as text."""


def main(arguments: list[str] | None = None) -> int:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--pages", type=int, default=20_000)
    parser.add_argument("--tasks", type=int, default=4)
    parser.add_argument("--peer-pages", type=int, default=2_000)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_PAGES} pages, to see that it runs")
    given = parser.parse_args(arguments)
    pages = QUICK_PAGES if given.quick else given.pages
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        warc = Path(scratch) / "CC-NEWS-bench.warc.gz"
        size = build(warc, given.folders or usual_folders(), pages)
        print(f"{pages:,} pages of {size / 1000:.0f} KB (mean) in one file of {warc.stat().st_size / 1e6:,.0f} MB\n")
        return compare(warc, pages, given.tasks, min(given.peer_pages, pages))


def build(warc: Path, folders: Sequence[Path], pages: int) -> float:
    """Writes the archive; the mean size of its pages."""
    site, size = Site(saved_pages(folders), pages, NOW), 0
    with warc.open("wb") as file:
        for number in range(pages):
            base = f"https://news{number % HOSTS}.example"
            answer = site.answer(site.path(number), base)
            assert answer
            size += len(answer.body)
            headers = (("Content-Type", answer.kind),)
            file.write(pack(Answer(url=base + site.path(number), status=200, headers=headers, body=answer.body)))
    return size / pages


def compare(warc: Path, pages: int, tasks: int, peer_pages: int) -> int:
    """Every run, and what came of it."""
    one, two = (extract(warc, f"{workers}", tasks, "--workers", str(workers)) for workers in (1, 2))
    ray = extract(warc, "ray", tasks, "--workers", "2", "--executor", "ray")
    killed, left = extract_killed(warc, tasks)
    peer = trafilatura(warc, pages // peer_pages)
    print("| run | wall s | pages a second | CPU s | CPU ms a page | core-hours a million pages | peak MB |")
    print("|---|---|---|---|---|---|---|")
    for name, run in (("1 worker", one), ("2 workers", two), ("2 workers on Ray", ray)):
        print(f"| {name} {line(run.cost, pages)}")
    print(f"| 2 workers, the rest of one that was killed {line(killed.cost, pages)}")
    faster = one.cost.wall / two.cost.wall
    ours, theirs = per_million(one.cost.cpu, pages), per_million(*peer)
    print(f"\n2 workers: {faster:.2f} times the throughput of one (wanted {WANTED_FASTER}).")
    same = {
        "Ray": ray.rows == one.rows,
        "two workers": two.rows == one.rows,
        "killed and taken up": killed.rows == one.rows,
    }
    for name, agrees in same.items():
        print(f"{name}: {'the same' if agrees else 'NOT THE SAME'} {one.rows.total():,} rows as one worker.")
    print(f"Killed when {left} of {tasks} tasks were read; none of these was read again.")
    print(
        f"\n| program | core-hours a million pages | share |\n|---|---|---|\n"
        f"| watchfloor extract: articles, comments, verdicts, near-duplicates, shards | {ours:.1f} |"
        f" {ours / theirs:.2f} |\n"
        f"| trafilatura, text and metadata, {peer[1]:,} pages | {theirs:.1f} | 1 (wanted {WANTED_SHARE}) |"
    )
    print("\n" + ", ".join(f"{name}: {one.report[name]:,}" for name in told(one.report)))
    return int(not all(same.values()) or any(run.cost.code for run in (one, two, ray, killed)))


def told(report: dict[str, Any]) -> list[str]:
    """What of a report is a number worth telling."""
    return ["pages", "articles", "near_duplicates", "same_pages", "comments", "flagged"]


def line(cost: Measured, pages: int) -> str:
    """Cells of a table."""
    cells = (
        f"{cost.wall:.1f}",
        f"{pages / cost.wall:.0f}",
        f"{cost.cpu:.1f}",
        f"{1000 * cost.cpu / pages:.1f}",
        f"{per_million(cost.cpu, pages):.1f}",
        f"{cost.peak:.0f}",
    )
    return f"| {' | '.join(cells)} |"


def per_million(seconds: float, pages: int) -> float:
    """Core-hours."""
    return seconds / 3600 / pages * 1e6


def extract(warc: Path, name: str, tasks: int, *more: str) -> Extracted:
    """One extraction, and what it wrote."""
    out = warc.parent / name
    cost = measure(command(warc, out, tasks, *more), folder=ROOT, env=environment())
    return Extracted(cost, report(out), Counter(rows(out)))


def command(warc: Path, out: Path, tasks: int, *more: str) -> list[str]:
    """As somebody would give it."""
    home = str(warc.parent / "home")
    return [*OURS, "extract", str(warc), "--out", str(out), "--tasks", str(tasks), "--home", home, "--json", *more]


def extract_killed(warc: Path, tasks: int) -> tuple[Extracted, int]:
    """One that is killed with all its processes half-way, and the same command again; how many tasks were read."""
    out = warc.parent / "killed"
    call = command(warc, out, tasks, "--workers", "2")
    process = subprocess.Popen(call, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL, start_new_session=True)
    while len(done(out)) < HALF_WAY * tasks and process.poll() is None:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = done(out)
    again = extract(warc, "killed", tasks, "--workers", "2")
    assert before.items() <= done(out).items(), "a task that was done was done again"
    return again, len(before)


def done(out: Path) -> dict[Path, int]:
    """The tasks that are read, and when they were."""
    return {path: path.stat().st_mtime_ns for path in (out / "work/read/completions").glob("*")}


def report(out: Path) -> dict[str, Any]:
    """What the extraction says of itself."""
    file = out / "report.json"
    return dict(json.loads(file.read_text())) if file.exists() else {}


def rows(out: Path) -> Iterator[str]:
    """Each row of each shard, with the kind of the shard."""
    from pyarrow import parquet

    for kind in ("articles", "duplicates", "ledger"):
        for shard in sorted(glob.glob(f"{out}/{kind}/*.parquet")):
            with parquet.ParquetFile(shard) as file:
                for batch in file.iter_batches(batch_size=200):
                    yield from (f"{kind} {printed(row)}" for row in batch.to_pylist())


def printed(row: dict[str, Any]) -> str:
    """A row's address and a print of all of it."""
    return f"{row['url']} {hashlib.sha256(repr(row).encode('utf-8', 'replace')).hexdigest()}"


def trafilatura(warc: Path, every: int) -> tuple[float, int]:
    """CPU seconds over how many records."""
    call = [str(PEERS), "-c", PEER, str(warc), str(max(1, every))]
    said = subprocess.run(call, capture_output=True, text=True, check=True, env=environment()).stdout.split()
    return float(said[1]), int(said[0])


if __name__ == "__main__":
    sys.exit(main())
