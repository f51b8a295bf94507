"""All measurements in one run: `python -m bench [--only NAME...] [--quick]`, or `make bench`.

Each part is a program of this folder, run in turn, in a process of its own; what it prints is a block of
`docs/benchmarks.md`, with the day, the machine, the versions and the command. A part that could not run says why and
leaves its block as it was. `--quick` makes everything small, to see that it runs, and writes nothing.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.copied import COPY
from bench.loopback import leave_the_network
from bench.programs import PEERS
from bench.site import ROOT

DOCUMENT = ROOT / "docs/benchmarks.md"
BEGIN, END = "<!-- bench: {name} -->", "<!-- end of bench: {name} -->"
PACKAGES = ("scrapy", "beautifulsoup4", "lxml")
QUICK_PAGES, QUICK_ARTICLES = 60, 3_000


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured, and on what."""

    evaluation: Path
    """The folder with the labelled pages."""
    db: Path
    """A large database, read only; where there is none yet, the part `database` makes it."""
    pages: int = 400
    long: int = 20_000
    """Pages of the long crawl."""
    repeats: int = 3
    articles: int = 20_000
    """In the database; ten times as many comments."""
    quick: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One measurement."""

    name: str
    commands: Callable[[Sizes], list[list[str]]]
    """Arguments of Python, from the project's root; what they print is put together."""
    markdown: bool = True
    """False for columns of plain text."""


class Failed(Exception):
    """A part that could not run, and why."""


def _module(name: str, *given: object) -> list[str]:
    return ["-m", f"bench.{name}", *map(str, given)]


def _few(sizes: Sizes) -> list[str]:
    """For the scripts of the evaluation."""
    return ["--limit", "10"] if sizes.quick else []


def _crawls(sizes: Sizes) -> list[str]:
    return ["--pages", str(sizes.pages), "--repeats", str(sizes.repeats)]


def _saved(sizes: Sizes) -> list[list[str]]:
    pages = sizes.evaluation / "data/pages"
    names = ("defense_articles", "comments_wordpress", "comments_other", "controls_js_widget_only")
    more = ("controls_comments_not_in_html", "controls_form_no_comments", "defense_isw")
    return [_module("crawl_saved", *(pages / name for name in (names if sizes.quick else names + more)))]


def _comments(sizes: Sizes) -> list[list[str]]:
    script, data = str(sizes.evaluation / "score_comments.py"), sizes.evaluation / "data"
    told = [script, "--gold", str(data / "comments/gold.jsonl"), "--html-dir", str(data / "pages"), "--split", "all"]
    return [[*told, "--extractor", "bench.adapters:comments"], [*told, "--leak", "bench.adapters:article"]]


def _links(sizes: Sizes) -> list[list[str]]:
    return [_module("link_speed", PEERS, sizes.evaluation)]


def _on_a_copy(name: str, sizes: Sizes, *given: str) -> list[str]:
    if not sizes.db.exists():
        raise Failed("it needs a database: --db FILE, or the part `database` before it")
    return _module("copied", name, sizes.db, *given)


def _start(sizes: Sizes) -> list[list[str]]:
    return [_module("start", *(["--db", sizes.db] if sizes.db.exists() else []))]


def _built(sizes: Sizes) -> list[list[str]]:
    wanted = ["--articles", sizes.articles, "--comments", 10 * sizes.articles]
    return [_module("db", *wanted, "--keep", sizes.db)]


PARTS = (
    Part("crawl", lambda sizes: [_module("crawl", *_crawls(sizes))]),
    Part("profile", lambda sizes: [_module("profile", "--pages", sizes.pages)]),
    Part("saved", _saved),
    Part("again", lambda sizes: [_module("again", *_crawls(sizes))]),
    Part("readers", lambda sizes: [_module("readers", "--pages", f"{sizes.pages},20", "--repeats", sizes.repeats)]),
    Part("memory", lambda sizes: [_module("memory", "--pages", sizes.long)]),
    Part("cleaning", lambda sizes: [_module("clean", PEERS, *_few(sizes))]),
    Part("comments", _comments),
    Part("links", _links),
    Part("spam", lambda sizes: [_module("spam", sizes.evaluation)]),
    Part("stories", lambda sizes: [_module("stories", "held out")]),
    Part("database", _built, markdown=False),
    Part("start", _start),
    Part("pages", lambda sizes: [_on_a_copy("pages", sizes, COPY, "--fill")], markdown=False),
    Part("desk", lambda sizes: [_on_a_copy("desk", sizes, "--db", COPY)], markdown=False),
    Part("extract", lambda sizes: [_module("extract", *(["--quick"] if sizes.quick else []))]),
)
NAMES = tuple(part.name for part in PARTS)


def run(part: Part, sizes: Sizes) -> str:
    """What the part prints. Raises `Failed`."""
    said = []
    for command in part.commands(sizes):
        env = {**os.environ, "PYTHONPATH": str(ROOT), "WATCHFLOOR_EVAL": str(sizes.evaluation)}
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=False
        )
        if done.returncode or not done.stdout.strip():
            raise Failed(f"exit code {done.returncode}: {shown(command)}")
        said.append(done.stdout.strip())
    text = "\n\n".join(said)
    return within(text) if part.markdown else f"```\n{text}\n```"


def within(text: str) -> str:
    """Markdown as a part of a larger document: its headings below the document's, lines of JSON as code."""
    text = re.sub(r"(?m)^#{1,3} ", "#### ", text)
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"(?m)^(\{.*\})$", r"\n`\1`", text))


def shown(command: Sequence[str]) -> str:
    """As somebody would type it, from the project's root and without the other folders of this machine."""
    named = (each.removeprefix(f"{ROOT}/") for each in command)
    return shlex.join(["python", *(each.rpartition("/")[2] if each.startswith("/") else each for each in named)])


def block(part: Part, text: str, sizes: Sizes) -> str:
    """A part of the document, without its marks."""
    commands = " · ".join(f"`{shown(command)}`" for command in part.commands(sizes))
    return f"{datetime.now(UTC):%-d %B %Y}, {machine()}; {commands}\n\n{text}"


def machine() -> str:
    """What it was measured on, and with."""
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    usable, gigabytes = len(os.sched_getaffinity(0)), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    return (
        f"{found[1].strip() if found else platform.machine()}, {usable} cores, {gigabytes:.0f} GB, "
        f"Linux {platform.release().partition('-')[0]}, Python {platform.python_version()}, {versions}, "
        f"SQLite {sqlite3.sqlite_version}"
    )


def replaced(document: str, name: str, text: str) -> str:
    """The document with another block of that name. Raises `Failed` where it has no place for it."""
    begin, end = BEGIN.format(name=name), END.format(name=name)
    before, found, rest = document.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise Failed(f"the document has no block {name!r}: put {begin} and {end} into it")
    return f"{before}{begin}\n{text}\n{end}{after}"


def write(document: Path, name: str, text: str) -> None:
    """Puts the block into the file, all at once. Raises `Failed`."""
    fresh = replaced(document.read_text("utf-8"), name, text)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=document.parent, delete=False) as file:
        file.write(fresh)
    shutil.copymode(document, file.name)
    Path(file.name).replace(document)


def measured(part: Part, sizes: Sizes, document: Path | None) -> bool:
    """Runs the part, prints it and writes its block; says on stderr how it went. False when it failed."""
    begun = time.monotonic()
    print(f"bench: {part.name} …", file=sys.stderr, flush=True)
    try:
        text = block(part, run(part, sizes), sizes)
        print(f"## {part.name}\n\n{text}\n", flush=True)
        if document:
            write(document, part.name, text)
    except Failed as e:
        print(f"bench: {part.name} could not run: {e}", file=sys.stderr, flush=True)
        return False
    print(f"bench: {part.name} took {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    return True


def main(arguments: list[str] | None = None) -> int:
    """Measures what is wanted. 1 when a part could not run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--pages", type=int, default=400, help="of a crawl")
    parser.add_argument("--long", type=int, default=20_000, help="pages of the long crawl")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--articles", type=int, default=20_000, help="of the database")
    parser.add_argument("--db", type=Path, help="a database that is there already, from an earlier run")
    given = parser.parse_args(arguments)
    evaluation = Path(os.environ.get("WATCHFLOOR_EVAL") or ROOT / "../shared/eval").resolve()
    leave_the_network()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        db = (given.db or Path(scratch) / "bench.db").resolve()
        sizes = Sizes(evaluation, db, given.pages, given.long, given.repeats, given.articles)
        if given.quick:
            sizes = Sizes(evaluation, db, QUICK_PAGES, 5 * QUICK_PAGES, 1, QUICK_ARTICLES, quick=True)
        document = None if given.quick else DOCUMENT
        worked = [measured(part, sizes, document) for part in PARTS if part.name in given.only]
    return int(not all(worked))


if __name__ == "__main__":
    sys.exit(main())
