"""The programs that crawl the site of the benchmarks: watchfloor and its peers, each as its own documentation says,
with delays off; and what each leaves behind.

Each peer lives in an environment of its own (`make peers`, versions in `bench/peers*.txt`), is run by a script of
`bench/peers/`, and leaves rows with an address and a text: in a database, as lines of JSON, or as a file an article.
"""

from __future__ import annotations

import json
import operator
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.site import ROOT
from bench.static import Served

ENVIRONMENTS = ROOT / "bench/out"
PEERS, FUNDUS = ENVIRONMENTS / "peers/bin/python", ENVIRONMENTS / "fundus/bin/python"
"""fundus needs another lxml than the others."""
WITH_TEXT = 200
"""Characters from which on an article's text counts as one."""
QUIET = {"PYTHONWARNINGS": "ignore", "no_proxy": "*"}
INSTALLED = Path(sys.executable).with_name("watchfloor")
OURS = [str(INSTALLED)] if INSTALLED.exists() else [sys.executable, "-m", "app.cli.main"]
"""The command, as its user has it; from the checkout where it is not installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One that crawls the whole site."""

    name: str
    command: Callable[[Served, Path], list[str]]
    """For the site, and the folder that it may write into."""
    python: Path
    """Of its environment."""
    packages: tuple[str, ...]
    """Whose versions tell what was run."""
    note: str
    """What it does more or less than watchfloor."""
    alone: bool = False
    """It needs the site without a port."""

    def missing(self, site: Served) -> str:
        """Why it cannot be run here; empty when it can."""
        if not self.python.exists():
            return f"not installed ({self.python.relative_to(ROOT)}): `make peers`"
        if self.alone and not site.also:
            return "it takes no port, and port 80 could not be had: needs root"
        return ""

    def versions(self) -> str:
        """As `name version`, of what it is made of."""
        code = "import sys, importlib.metadata as m\nprint(', '.join(f'{n} {m.version(n)}' for n in sys.argv[1:]))"
        command = [str(self.python), "-c", code, *self.packages]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def watchfloor(site: Served, folder: Path, *more: str) -> list[str]:
    """The command as its user would give it; the database and the archive are in the folder."""
    source = folder / "bench.toml"
    source.write_text(site.source, "utf-8")
    return [
        *OURS,
        "crawl",
        "-q",
        "--sources",
        str(source),
        "--db",
        str(folder / "bench.db"),
        "--allow-address",
        f"127.0.0.1:{site.port}",
        *more,
    ]


def environment() -> dict[str, str]:
    """For a program: without proxies, warnings and paths of ours. Run from the project's root."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    kept.pop("PYTHONPATH", None)
    return {**kept, **QUIET}


def _script(name: str, python: Path, *given: str | Path) -> list[str]:
    return [str(python), str(ROOT / f"bench/peers/{name}.py"), *map(str, given)]


def _addresses(site: Served, folder: Path) -> Path:
    file = folder / "addresses.txt"
    file.write_text("".join(f"{site.url}{path}\n" for path in site.paths))
    return file


WATCHFLOOR = Program(
    name="watchfloor",
    command=watchfloor,
    python=Path(sys.executable),
    packages=("scrapy", "beautifulsoup4", "lxml"),
    note="fetches, cleans, comments, verdicts, archive, stores, indexes",
)
RIVALS = (
    Program(
        name="Scrapy + BS4 + trafilatura + sqlite-utils",
        command=lambda site, folder: _script("run_scrapy", PEERS, site.url, folder),
        python=PEERS,
        packages=("scrapy", "beautifulsoup4", "trafilatura", "sqlite-utils"),
        note="stores and indexes, a commit an article; no comments, no archive",
    ),
    Program(
        name="newspaper4k",
        command=lambda site, folder: _script("run_newspaper", PEERS, _addresses(site, folder), folder),
        python=PEERS,
        packages=("newspaper4k",),
        note="was given the addresses; writes JSON lines",
    ),
    Program(
        name="news-please",
        command=lambda site, folder: _script("run_newsplease", PEERS, site.also, folder),
        python=PEERS,
        packages=("news-please",),
        note="writes a JSON and an HTML file an article",
        alone=True,
    ),
    Program(
        name="trafilatura CLI",
        command=lambda site, folder: _script("run_trafilatura", PEERS, _addresses(site, folder), folder),
        python=PEERS,
        packages=("trafilatura",),
        note="was given the addresses; writes a JSON file an article",
    ),
    Program(
        name="fundus",
        command=lambda site, folder: _script("run_fundus", FUNDUS, site.url, folder, str(site.pages)),
        python=FUNDUS,
        packages=("fundus",),
        note="with a publisher class made for this site: all paragraphs are the text; writes JSON lines",
    ),
)


def stored(folder: Path) -> tuple[int, int]:
    """Articles that a program left in its folder, and those of them that have a text."""
    texts: dict[str, int] = {}
    for address, text in filter(operator.itemgetter(0), _left(folder)):
        texts[address] = max(texts.get(address, 0), len(text))
    return len(texts), sum(length >= WITH_TEXT for length in texts.values())


def _left(folder: Path) -> Iterator[tuple[str, str]]:
    """(address, text) of each row."""
    for file in folder.glob("*.db"):
        with closing(sqlite3.connect(file)) as db:
            names = {name for _, name, *_ in db.execute("PRAGMA table_info(articles)")}
            yield from db.execute(f"SELECT url, {'body' if 'body' in names else 'text'} FROM articles")
    for file in folder.glob("*.jsonl"):
        with file.open() as lines:
            yield from map(_told, map(json.loads, lines))
    for file in folder.rglob("*.json"):
        yield _told(json.loads(file.read_text()))


def _told(row: Mapping[str, Any]) -> tuple[str, str]:
    return row.get("url") or row.get("source") or "", row.get("text") or row.get("maintext") or row.get(
        "raw_text"
    ) or ""
