"""Crawl saved pages for real and say what became of each: `python -m bench.crawl_saved FOLDER...`.

The pages are served over HTTP on loopback by `serve_pages`, as they were saved; `watchfloor crawl` runs as a user runs
it, twice. Printed: pages stored, rejected and failed with their reasons, comments and flagged comments, CPU ms a page
(of all processes of the crawl, its start included), peak memory. Exit code 1 when a page has no row or failed.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.loopback import leave_the_network
from bench.measure import Measured, measure
from bench.programs import OURS, environment
from bench.serve_pages import Server, source, start
from bench.site import ROOT


def main(folders: list[str]) -> int:
    """Crawl twice, the second time with nothing changed, and print both as Markdown."""
    if not folders:
        print(__doc__)
        return 2
    leave_the_network()
    with start(folders) as server, tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        db, file = Path(scratch) / "saved.db", Path(scratch) / "saved.toml"
        file.write_text(source(server), "utf-8")
        command = [*OURS, "crawl", "-q", "--sources", str(file), "--db", str(db)]
        command += ["--allow-address", f"127.0.0.1:{server.port}"]
        first, second = (measure(command, folder=ROOT, env=environment()) for _ in range(2))
        print("\n".join(_report(db, len(server.pages), first, second)))
        return _silent_or_failed(db, server)


def _report(db: Path, pages: int, first: Measured, second: Measured) -> Iterator[str]:
    with sqlite3.connect(db) as connection:
        outcomes = connection.execute(_OUTCOMES).fetchall()
        ((articles, megabytes),) = connection.execute(
            "SELECT count(*), sum(bytes) / 1e6 FROM fetches WHERE kind = 'page'"
        )
        kinds = dict(connection.execute("SELECT kind, count(*) FROM comments GROUP BY kind"))
        states = dict(connection.execute("SELECT state, count(*) FROM standing GROUP BY state"))
    yield "| what | figure |"
    yield "|---|---|"
    yield f"| pages served, mean size | {pages}, {1000 * megabytes / max(articles, 1):.0f} KB |"
    for outcome, reason, number in outcomes:
        yield f"| {outcome}{': ' + reason if reason else ''} | {number} |"
    pings = kinds.get("pingback", 0) + kinds.get("trackback", 0)
    yield f"| comments · pingbacks | {kinds.get('comment', 0)} · {pings} |"
    yield f"| flagged | {states.get('flagged', 0)} |"
    for name, run in (("first crawl", first), ("second crawl", second)):
        figures = f"{1000 * run.cpu / pages:.1f} ms · {run.peak:.0f} MB · {run.code}"
        yield f"| {name}: CPU a page · peak memory · exit code | {figures} |"


def _silent_or_failed(db: Path, server: Server) -> int:
    with sqlite3.connect(db) as connection:
        seen = {
            url.removeprefix(server.url): outcome
            for url, outcome in connection.execute("SELECT url, outcome FROM fetches")
        }
    return int(any(seen.get(path, "failed") == "failed" for path in server.pages))


_OUTCOMES = """
SELECT CASE WHEN article_id IS NULL THEN outcome ELSE 'stored' END, reason, count(*) FROM fetches
WHERE kind = 'page' GROUP BY 1, 2 ORDER BY 3 DESC
"""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
