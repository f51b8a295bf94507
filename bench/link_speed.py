"""Measures `find_links` beside linkify-it-py, in turn and on the same clock, from two environments.

    python bench/link_speed.py PEER_PYTHON [EVALUATION]     (default ../shared/eval)

PEER_PYTHON has linkify-it-py==2.2.0. Each side runs in a process of its own, linkify-it before and after ours; the best
of five passes counts, in CPU seconds. Hosts that were met before are remembered, as in a crawl.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

CODE = """
import importlib, json, sys, time
sys.path[:0] = [sys.argv[1], "."]
module, _, name = sys.argv[2].partition(":")
find = getattr(importlib.import_module(module), name)
texts = json.load(sys.stdin)
best = {}
for group, listed in texts.items():
    for text in listed:
        find(text)
    times = []
    for _ in range(5):
        began = time.process_time()
        for text in listed:
            find(text)
        times.append(time.process_time() - began)
    best[group] = len(listed) / min(times)
print(json.dumps(best))
"""


def main() -> None:
    """Prints comments a CPU-second for each side, and ours beside the better of the peer's runs."""
    peer, evaluation = sys.argv[1], Path(sys.argv[2] if len(sys.argv) > 2 else "../shared/eval").resolve()
    texts = load(evaluation)
    sides = [
        (peer, "link_peers:linkify"),
        (sys.executable, "moderation.links:find_links"),
        (peer, "link_peers:linkify"),
    ]
    before, ours, after = (measure(python, name, texts, evaluation) for python, name in sides)
    print("| texts | linkify-it before | find_links | linkify-it after | times faster |\n|---|---|---|---|---|")
    for group in texts:
        ratio = ours[group] / max(before[group], after[group])
        print(f"| {group} | {before[group]:,.0f} | {ours[group]:,.0f} | {after[group]:,.0f} | {ratio:.1f} |")


def load(evaluation: Path) -> dict[str, list[str]]:
    """The disguises, the YouTube comments, and those of them that hold no link."""
    sys.path.insert(0, str(evaluation))
    from suites import load_disguises, load_youtube  # type: ignore[import-not-found]

    rows = load_youtube(str(evaluation / "data" / "youtube"))
    lines = (evaluation / "data" / "links" / "youtube_gold.jsonl").read_text("utf-8").splitlines()
    linked = {row["id"] for row in map(json.loads, lines) if row["has_url"]}
    return {
        "disguises": [case.text for case in load_disguises(evaluation / "data" / "links" / "disguises.jsonl")],
        "YouTube": [row["text"] for row in rows],
        "YouTube without a link": [row["text"] for row in rows if row["id"] not in linked],
    }


def measure(python: str, name: str, texts: dict[str, list[str]], evaluation: Path) -> dict[str, float]:
    """Texts a CPU-second by group."""
    command = [python, "-c", CODE, str(evaluation), name]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, check=True)
    best: dict[str, float] = json.loads(done.stdout)
    return best


if __name__ == "__main__":
    main()
