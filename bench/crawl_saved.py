"""Crawl saved pages for real and say what became of each: `python bench/crawl_saved.py [--tells TELLS] FOLDER...`.

The pages are served over HTTP on loopback by `serve_pages`; `watchfloor crawl` runs as a user runs it, in a process of
its own. `TELLS` is by what the site tells that nothing changed: nothing, receipts or lastmod. Printed: pages
stored, rejected and failed with their reasons, comments and flagged comments, CPU ms a page (user and system, of the
crawl alone, its start included), peak memory, and what the second crawl asked for. Exit code 1 when a page has no row
or failed.
"""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.serve_pages import TELLS, Server, source, start

ROOT = Path(__file__).parent.parent


def main(folders: list[str]) -> int:
    """Crawl twice, the second time with nothing changed, and print both as Markdown."""
    tells = folders[1] if folders[:1] == ["--tells"] else TELLS[0]
    folders = folders[2:] if folders[:1] == ["--tells"] else folders
    if not folders or tells not in TELLS:
        print(__doc__)
        return 2
    with start(folders, tells=tells) as server, tempfile.TemporaryDirectory() as scratch:
        db, file = Path(scratch) / "saved.db", Path(scratch) / "saved.toml"
        file.write_text(source(server), "utf-8")
        first = _crawl(server, file, db)
        server.requests.clear()
        second = _crawl(server, file, db)
        pages = len(server.pages)
        print("\n".join(_report(db, pages, first, second)))
        asked = [status for _, path, status in server.requests if path in server.pages]
        print(f"| second crawl: pages asked for · of them 304 | {len(asked)} · {asked.count(304)} |")
        return _silent_or_failed(db, server)


def _crawl(server: Server, file: Path, db: Path) -> tuple[float, int, int]:
    """(CPU seconds, peak MB, exit code) of one crawl."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "app.cli.main", "crawl", "-q", "--sources", file, "--db", db]
    command += ["--allow-address", f"127.0.0.1:{server.port}"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, after.ru_maxrss // 1024, done.returncode


def _report(db: Path, pages: int, first: tuple[float, int, int], second: tuple[float, int, int]) -> Iterator[str]:
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
    for name, (cpu, peak, code) in (("first crawl", first), ("second crawl", second)):
        yield f"| {name}: CPU a page · peak memory · exit code | {1000 * cpu / pages:.1f} ms · {peak} MB · {code} |"


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
