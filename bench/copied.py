"""Runs a program of this folder on a copy of a database: `python -m bench.copied NAME FILE [OPTION...]`.

What it writes is gone afterwards. The copy stands where the options say `COPY`.
"""

from __future__ import annotations

import runpy
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

COPY = "COPY"


def main(name: str, file: Path, *options: str) -> None:
    """Copies, runs, forgets."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        copy = Path(scratch) / "bench.db"
        source = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        with closing(source), closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        sys.argv[1:] = [str(copy) if each == COPY else each for each in options]
        runpy.run_module(f"bench.{name}", run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
