"""The pictures of the web application in README and docs, anew: `make screenshots` (`tests` on PYTHONPATH).

With a folder as argument every page in both themes at two widths goes there instead, to be looked at.
"""

from __future__ import annotations

import base64
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from browser import Room, Visitor, launched, served
from showcase import keep_watch

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures"
VISITS = 8
LARGEST = 120_000
"""Bytes of a picture that goes into the repository."""
PAGES = {
    "latest": "/",
    "older": "/?by=article&source=world-defense",
    "search": "/search?q=navigation",
    "comments": "/search?q=casino&in=comments",
    "article": "/articles/{talked}",
    "history": "/articles/{edited}/history",
    "stories": "/stories",
    "story": "/stories/{story}",
    "sources": "/sources",
    "source": "/sources/world-defense",
    "runs": "/runs",
    "run": "/runs/1",
    "status": "/status",
    "feeds": "/feeds",
    "missing": "/articles/999999",
    "review": "/review",
    "audit": "/audit",
    "sql": "/sql/",
    "query": "/sql/watchfloor/changed-headlines",
}
"""Every page, by the name of its picture; numbers are put in from the database."""
SHOWN = (
    ("latest", False, False),
    ("article", False, False),
    ("history", True, False),
    ("source", False, False),
    ("review", False, False),
    ("latest", True, True),
)
"""What README and docs show: name, dark, phone."""


def crawl(words: Sequence[str]) -> int:
    """`watchfloor` in a process of its own."""
    return subprocess.run([Path(sys.executable).parent / "watchfloor", *words], check=False).returncode


def address(room: Room, name: str) -> str:
    """The page's path, with numbers of this database in it."""
    numbers = {
        "talked": "SELECT article_id FROM comments GROUP BY 1 ORDER BY count(*) DESC LIMIT 1",
        "edited": "SELECT id FROM articles ORDER BY revision DESC, id LIMIT 1",
        "story": "SELECT story_id FROM story_articles GROUP BY 1 ORDER BY count(*) DESC LIMIT 1",
    }
    return PAGES[name].format(**{key: (room.rows(sql) or [(0,)])[0][0] for key, sql in numbers.items()})


def picture(visitor: Visitor, name: str, folder: Path, *, dark: bool, phone: bool, whole: bool) -> None:
    """Takes one."""
    page: Any = visitor.opens(address(visitor.room, name), dark=dark, phone=phone)
    file = folder / f"{name}{'-dark' if dark else ''}{'-phone' if phone else ''}.png"
    taken = page.screenshot(full_page=whole)
    file.write_bytes(taken if whole else small(page, taken))
    page.context.close()
    if not whole and (size := file.stat().st_size) > LARGEST:
        print(f"{file.name} has {size:,} bytes, more than {LARGEST:,}", file=sys.stderr)


def small(page: Any, png: bytes) -> bytes:
    """The picture with a palette (W3C, PNG 11.2.2), a third of the bytes: its 192 most frequent colours, and those of
    the others that are least like them."""
    page.goto("about:blank")
    found = page.evaluate(FEW_COLOURS, base64.b64encode(png).decode())
    width, places = found["width"], base64.b64decode(found["places"])
    rows = b"".join(b"\0" + places[at : at + width] for at in range(0, len(places), width))
    head = struct.pack(">IIBBBBB", width, found["height"], 8, 3, 0, 0, 0)
    parts = ((b"IHDR", head), (b"PLTE", bytes(found["colours"])), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )


FEW_COLOURS = """
async png => {
  const bitmap = await createImageBitmap(await (await fetch('data:image/png;base64,' + png)).blob());
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height), context = canvas.getContext('2d');
  context.drawImage(bitmap, 0, 0);
  const data = context.getImageData(0, 0, bitmap.width, bitmap.height).data, counts = new Map();
  const colour = at => data[at] << 16 | data[at + 1] << 8 | data[at + 2];
  for (let at = 0; at < data.length; at += 4) counts.set(colour(at), (counts.get(colour(at)) || 0) + 1);
  const parts = one => [one >> 16, one >> 8 & 255, one & 255];
  const far = (a, b) => parts(a).reduce((sum, part, i) => sum + Math.abs(part - parts(b)[i]), 0);
  const all = [...counts].sort((a, b) => b[1] - a[1]).map(pair => pair[0]), places = new Map();
  const kept = all.slice(0, 192);
  const left = all.slice(192).map(one => [one, Math.min(...kept.map(other => far(one, other)))]);
  while (kept.length < 256 && left.length) {  // then those that are least like any of them
    const next = left.reduce((a, b) => b[1] > a[1] ? b : a)[0];
    kept.push(next);
    for (const pair of left) pair[1] = Math.min(pair[1], far(pair[0], next));
  }
  for (const one of counts.keys()) {
    let best = 0;
    for (let i = 1; i < kept.length; i++) if (far(one, kept[i]) < far(one, kept[best])) best = i;
    places.set(one, best);
  }
  let text = '';
  for (let at = 0; at < data.length; at += 4) text += String.fromCharCode(places.get(colour(at)));
  return {width: bitmap.width, height: bitmap.height, places: btoa(text),
    colours: kept.flatMap(parts)};
}
"""


def main(folder: str = "", *names: str) -> None:
    """All of README and docs, or all pages into a folder, or the named ones of them."""
    with tempfile.TemporaryDirectory() as home:
        db = keep_watch(Path(home), crawl, visits=VISITS)
        with served(db, Path(home)) as room, launched() as browser:
            visitor = Visitor(browser, room)
            if folder:
                Path(folder).mkdir(parents=True, exist_ok=True)
                for name in names or PAGES:
                    for dark in (False, True):
                        for phone in (False, True):
                            picture(visitor, name, Path(folder), dark=dark, phone=phone, whole=True)
            else:
                PICTURES.mkdir(parents=True, exist_ok=True)
                for name, dark, phone in SHOWN:
                    picture(visitor, name, PICTURES, dark=dark, phone=phone, whole=False)
            for fault in visitor.faults:
                print(fault, file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
