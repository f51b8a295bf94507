"""Which sources there are: the shipped ones, with the user's own beside or instead of them."""

from __future__ import annotations

from pathlib import Path

import crawler.sources
from crawler.source import Source, load_sources

SHIPPED = Path(crawler.sources.__file__).parent


def catalogue(files: Path | None, home: Path) -> dict[str, Source]:
    """The sources of `files` alone where it is given; else the shipped ones and those in the home folder, by id.

    A user's file with a shipped id takes its place. Raises `SourceError`.
    """
    if files is not None:
        return load_sources(files)
    shipped, own = (load_sources(d) if any(d.glob("*.toml")) else {} for d in (SHIPPED, home / "sources"))
    return {**shipped, **own}
