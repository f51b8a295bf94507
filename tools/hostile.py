"""`make hostile`: a crawl of the hostile site, judged from outside, once for each thing that its robots.txt can be.

The site and its judge lie outside of the project, in the folder that WATCHFLOOR_HOSTILE names. The judge starts the
site, runs the crawl within limits of time and memory, reads the site's log and the database, and reports in JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parent.parent
ANSWERED = ("ok", "404", "huge", "loop", "binary")
"""What robots.txt can be where it lets us in: then every criterion of the judge holds."""
REFUSED = ("deny", "500", "503", "never", "drip", "reset")
"""Where it forbids everything or cannot be had: no page is asked for, and the ledger says why."""
SECONDS = 300
MEGABYTES = 700
FIRST_PORT, LAST_PORT = 20_000, 30_000
"""Below those that the system gives out by itself."""
FEEDS = "laughs-feed xxe-file xxe-http ext-dtd xinclude deep items-1m broken latin1-lie feed-xss html-as-feed"
"""Of the site's hostile XML, what is a feed, and below what is a sitemap: asked for as what it pretends to be."""
SITEMAPS = "laughs-sitemap quadratic sitemap-loop sitemap-ssrf sitemap-bomb.xml.gz"
ARTICLES = "SELECT url, headline, body FROM articles"
LEDGER = """
    SELECT url, outcome || ' ' || reason || ' ' || detail FROM fetches f
    WHERE outcome NOT IN ('stored', 'unchanged')
       OR (SELECT url FROM articles a WHERE a.id = f.article_id) <> f.url
"""
"""Everything that gave no article under its own address: what was asked for under one and stored under another too."""
COMMENTS = """
    SELECT a.url, c.site_id, c.text, s.state = 'flagged'
    FROM comments c JOIN articles a ON a.id = c.article_id LEFT JOIN standing s ON s.comment_id = c.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What became of one crawl."""

    mode: str
    failed: tuple[str, ...]
    """What does not hold, in words; empty when all does."""
    report: dict[str, Any]
    """What the judge told."""


@click.command()
@click.argument("mode", nargs=-1, type=click.Choice([*ANSWERED, *REFUSED]))
@click.option("--seconds", default=SECONDS, show_default=True, help="A crawl may take.")
@click.option("--megabytes", default=MEGABYTES, show_default=True, help="A crawl may use, its children with it.")
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Keep databases and logs here.")
@click.option("--json", "json_", is_flag=True, help="The judge's whole reports, as a JSON object by mode.")
def main(mode: tuple[str, ...], seconds: int, megabytes: int, keep: Path | None, json_: bool) -> None:
    """Crawl the hostile site once for each MODE of its robots.txt, all of them without; exit 0 when all holds."""
    hostile = Path(os.environ.get("WATCHFLOOR_HOSTILE") or ROOT.parent / "shared" / "hostile")
    judge = hostile / "judge.py"
    if not judge.is_file():
        click.echo(f"no judge at {judge}; WATCHFLOOR_HOSTILE names the folder that has it", err=True)
        sys.exit(2)
    judged = []
    for each in mode or (*ANSWERED, *REFUSED):
        with _folder(keep, each) as folder:
            click.echo(f"robots.txt: {each} …", err=True)
            judged.append(_judged(judge, each, folder, seconds, megabytes))
            click.echo(line(judged[-1]), err=json_)
    if json_:
        click.echo(json.dumps({one.mode: one.report for one in judged}, indent=1))
    sys.exit(any(one.failed for one in judged))


def line(judged: Judged) -> str:
    """One row of the table: mode, seconds, memory, requests, and what does not hold."""
    report = judged.report
    told = "; ".join(judged.failed) or "all holds"
    numbers = (
        f"{report.get('seconds', 0):6.1f} s  {report.get('peak_mb', 0):4d} MB  {report.get('requests', 0):5d} requests"
    )
    return f"{judged.mode:<7} {numbers}  {told}"


def _judged(judge: Path, mode: str, folder: Path, seconds: int, megabytes: int) -> Judged:
    port, db, log = _free_port(), folder / "hostile.db", folder / "site.jsonl"
    source = folder / "hostile.toml"
    source.write_text(_source(f"http://127.0.0.1:{port}", whole=mode in ANSWERED), "utf-8")
    selects = ["--articles", ARTICLES, "--errors", LEDGER, "--comments", COMMENTS]
    bounds = ["--port", str(port), "--max-seconds", str(seconds), "--max-mb", str(megabytes)]
    site = ["--log", str(log), "--db", str(db), f"--server-args={shlex.join(['--robots', mode])}"]
    crawl = [sys.executable, "-m", "app.cli.main", "crawl", "--sources", str(source), "--db", "{db}", "--quiet"]
    crawl += ["--allow-address", f"127.0.0.1:{port}", "--home", str(folder)]
    told = subprocess.run(
        [sys.executable, str(judge), *bounds, *site, *selects, "--", *crawl],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        timeout=seconds + 120,
        check=False,
    )
    report = _report_in(told.stdout.decode("utf-8", "replace"))
    if report is None:
        return Judged(mode=mode, failed=("the judge gave no report",), report={})
    if mode in ANSWERED:
        failed = tuple(f"{name}: {_short(report.get(name))}" for name in report.get("failed", ()))
    else:
        failed = tuple(_not_refused(report, db, log))
    return Judged(mode=mode, failed=failed, report=report)


def _not_refused(report: dict[str, Any], db: Path, log: Path) -> Iterator[str]:
    """What does not hold where robots.txt lets nobody in. The articles that the judge misses are none here."""
    for name in ("finished_in_limits", "no_canary_hit", "no_server_bug", "integrity_check", "content_leaked"):
        if report.get(name) != "ok":
            yield f"{name}: {_short(report.get(name))}"
    lines = log.read_text("utf-8").splitlines() if log.exists() else []
    asked = {each["path"] for each in map(json.loads, lines) if "watchfloor" in each["ua"]}
    if asked != {"/robots.txt"}:
        yield f"asked for {', '.join(sorted(asked)[:5]) or 'nothing'}"
    with contextlib.closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT outcome, reason FROM fetches").fetchall()
    if len(rows) != 1 or rows[0][0] not in ("failed", "skipped") or "robots.txt" not in rows[0][1]:
        yield f"the ledger says {rows[:3]}"


def _source(site: str, *, whole: bool) -> str:
    """The site as a source: by its feed alone, or by all that it lists itself in and all that claims to be a listing
    too."""
    lines: dict[str, Any] = {"name": "Hostile", "home": f"{site}/", "delay": 0, "feeds": [f"{site}/feed.xml"]}
    if whole:
        lines["feeds"] += [f"{site}/xml/{name}" for name in FEEDS.split()]
        lines["sitemaps"] = [f"{site}/sitemap.xml", *(f"{site}/xml/{name}" for name in SITEMAPS.split())]
        lines |= {"sections": [f"{site}/"], "include": ["."], "exclude": ["/xml/"], "max_listings": 50}
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items())


def _report_in(told: str) -> dict[str, Any] | None:
    """The judge's report: the last JSON object that begins a line."""
    start = told.rfind("\n{\n") + 1
    with contextlib.suppress(ValueError):
        report = json.loads(told[start:])
        return report if isinstance(report, dict) else None
    return None


def _short(told: Any) -> str:
    detail = told.get("FAIL") if isinstance(told, dict) else told
    text = json.dumps(detail, ensure_ascii=False)
    return text if len(text) <= 300 else f"{text[:300]} …"


def _free_port() -> int:
    """One that is free together with the next, where the site has its trap."""
    for port in range(FIRST_PORT, LAST_PORT, 2):
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for each in (port, port + 1):
                held.enter_context(socket.create_server(("127.0.0.1", each)))
            return port
    raise OSError("no two free ports in a row")


@contextlib.contextmanager
def _folder(keep: Path | None, mode: str) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
    else:
        folder = keep / mode
        folder.mkdir(parents=True, exist_ok=True)
        for old in [*folder.glob("hostile.db*"), folder / "site.jsonl"]:
            if old.is_file():
                old.unlink()
        yield folder


if __name__ == "__main__":
    main()
