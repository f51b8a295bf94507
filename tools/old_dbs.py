"""Fills a database as the watchfloor in some folder does, for the tests of upgrades: `python -m tools.old_dbs`.

    python -m tools.old_dbs               the present schema, into tests/dbs; before each release, and never after it
    python -m tools.old_dbs FOLDER        the schema of the checkout in FOLDER, by its own code

The demo site is crawled, changes, and is crawled again; people decide, take back, rule on domains and teach a model.
A file of a released schema is what people have: it is kept as it is.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent.parent
PLACE = HERE / "tests" / "dbs"
LESSONS = 32
"""Comments of each sort that people decide on: a model asks for 30, and two are left to wait."""
SPAMMY = "Buy {} now, cheap and fast, at http://shop{}.example/buy?id={} or call"
HONEST = "Those {} were late in {} too, see http://paper.example/{} for the figures"
DECIDING = """
import json, sys
from pathlib import Path
from db.store import Store
with Store(Path(sys.argv[1])) as store:
    for number, said, by, now in json.load(sys.stdin):
        store.decide(number, said, by=by, note="a lesson", now=now)
"""
THINGS = ("radars", "frigates", "shells", "drones", "helmets", "boots", "trucks", "optics")


class Desk:
    """One database, and the commands of the watchfloor that fills it."""

    def __init__(self, tree: Path, folder: Path, server: Any) -> None:
        self.tree, self.db, self.site = tree, folder / "old.db", server.site
        self._sources = folder / "demo.toml"
        self._address = f"127.0.0.1:{server.port}"
        self._env = {**os.environ, "PYTHONPATH": str(tree), "HOME": str(folder), "WATCHFLOOR_HOME": str(folder)}
        self._known = set(re.findall(r'^    "([a-z-]+)": \(', (tree / "app/cli/main.py").read_text("utf-8"), re.M))

    def crawl(self) -> None:
        """A crawl that asks for every page; archived where there is an archive."""
        again = ("--again",) if "again: bool" in (self.tree / "app/cli/crawl.py").read_text("utf-8") else ()
        self("crawl", "-q", "--sources", self._sources, "--allow-address", self._address, *again)

    def __call__(self, command: str, *args: str | Path) -> None:
        """Any command, if this watchfloor has it; the database is added."""
        if command in self._known:
            line = [sys.executable, "-m", "app.cli.main", command, *map(str, args), "--db", str(self.db)]
            done = subprocess.run(line, env=self._env, cwd=self.tree, capture_output=True, text=True, check=False)
            if done.returncode not in (0, 1):
                raise SystemExit(f"{command}: {done.stderr}")

    def decide(self, words: Sequence[tuple[int, str, str]]) -> None:
        """Many decisions at once: comment, spam or ok, by whom."""
        told = json.dumps([(*word, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}") for word in words])
        line = [sys.executable, "-c", DECIDING, str(self.db)]
        subprocess.run(line, env=self._env, cwd=self.tree, input=told, text=True, check=True)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What is in the database."""
        with contextlib.closing(sqlite3.connect(self.db)) as connection:
            return connection.execute(sql).fetchall()


def fill(desk: Desk) -> None:
    """Two crawls with changes between them, and what people say."""
    site, paths = desk.site, sorted(article.path for article in desk.site.articles)
    for n in range(LESSONS):
        thing = THINGS[n % len(THINGS)]
        site.add_comment(paths[0], SPAMMY.format(thing, n % 5, n), author=f"seller {n}")
        site.add_comment(paths[1], HONEST.format(thing, 2000 + n, n), author=f"reader {n}")
    site.add_comment(paths[4], "much too long " * 2_000, author="talker")
    desk.crawl()
    _decisions(desk)
    talked = next(article for article in site.articles if len(article.comments) > 2 and article.path not in paths[:2])
    site.edit_article(talked.path, headline="An altogether different headline")
    site.edit_article(paths[2], body="<p>The body was written anew, without a word about it.</p>" * 3)
    site.edit_comment(paths[0], max(c.id for c in _article(desk, paths[0]).comments), "now without any address")
    site.edit_comment(talked.path, talked.comments[0].id, "see http://edited.example/ instead")
    site.remove_comment(talked.path, talked.comments[-1].id)
    site.add_comment(paths[1], "late, but see cheap-armour-shop.top", author="Late Reader")
    site.remove(paths[3])
    site.add_article(replace(_article(desk, paths[5]), path=f"{paths[5].rstrip('/')}-again/", comments=()))
    desk("watch", "add", "the", "--name", "everything")
    desk.crawl()
    desk("rejudge")


def _article(desk: Desk, path: str) -> Any:
    """An article of the site, as it stands now."""
    return next(article for article in desk.site.articles if article.path == path)


def _decisions(desk: Desk) -> None:
    """Spam, ok, both by two people, one taken back, one changed; domains allowed and denied; a model."""
    told = desk.rows(
        "SELECT id, author FROM comments WHERE author LIKE 'seller %' OR author LIKE 'reader %' ORDER BY id"
    )
    desk.decide(
        [(id, *(("spam", "ann") if author.startswith("seller") else ("ok", "bob"))) for id, author in told[:-2]]
    )
    first, second = (str(number) for number, _ in told[:2])
    desk("undo", first, "--by", "bob")
    desk("decide", second, "ok", "--by", "bob")
    desk("decide", second, "spam", "--by", "eve")
    desk("deny", "shop1.example", "--by", "ann", "--note", "a shop")
    desk("allow", "paper.example", "--by", "bob", "--source", "demo")
    desk("deny", "shop2.example", "--by", "ann", "--remove")
    desk("learn")


def compact(database: Path) -> bytes:
    """The file without anything that need not be there, compressed; the same content gives the same bytes."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("VACUUM")
        connection.execute("PRAGMA journal_mode = DELETE")
    return gzip.compress(database.read_bytes(), mtime=0)


def make(tree: Path, place: Path) -> Path:
    """Fills a database by the code in a folder; where it lies now."""
    sys.path.insert(0, str(tree))
    from app.demo.server import serve, source

    version = max(map(int, re.findall(r"^def m(\d+)_", (tree / "db/migrations.py").read_text("utf-8"), re.M)))
    with tempfile.TemporaryDirectory() as name, serve() as server:
        folder = Path(name)
        (folder / "demo.toml").write_text(source(server.url), "utf-8")
        desk = Desk(tree, folder, server)
        fill(desk)
        made = compact(desk.db)
    place.mkdir(exist_ok=True)
    file = place / f"v{version}.db.gz"
    file.write_bytes(made)
    return file


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", nargs="?", type=Path, default=HERE, help="the checkout whose code fills it")
    parser.add_argument("--to", type=Path, default=PLACE, help="the folder for the file")
    given = parser.parse_args()
    print(make(given.tree.resolve(), given.to.resolve()))


if __name__ == "__main__":
    main()
