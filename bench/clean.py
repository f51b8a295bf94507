"""Clean real pages beside trafilatura and print accuracy and time: `python bench/clean.py PEER_PYTHON [OPTION...]`.

Both run as child processes of the scoring script, each in its own environment, in turn on small groups of pages, so
that a busy machine disturbs them alike: what counts is the last column, the time beside trafilatura's. Options go to
`score_article.py` (`--limit 40 --repeat 3`). `WATCHFLOOR_EVAL` names the folder with the pages and the script; the
default is `../shared/eval`, from the project's root. Exit code 2 where it is absent.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SETS = ("aeb", "fundus", "traf")


def main(arguments: list[str]) -> int:
    """One table for each set of pages."""
    if not arguments:
        print(__doc__)
        return 2
    folder = Path(os.environ.get("WATCHFLOOR_EVAL") or ROOT / "../shared/eval").resolve()
    if not (folder / "score_article.py").is_file():
        print(f"bench: the evaluation pages are not here ({folder}): set WATCHFLOOR_EVAL", file=sys.stderr)
        return 2
    return max(subprocess.run(_command(folder, name, *arguments), cwd=ROOT, check=False).returncode for name in SETS)


def _command(folder: Path, name: str, peer: str, *options: str) -> list[str]:
    script, peer = str(folder / "score_article.py"), str(Path(peer).absolute())
    children = {
        "trafilatura": f"{peer} {script} --path {folder} --serve peers:trafilatura",
        "watchfloor": f"{sys.executable} {script} --path {ROOT} --serve bench.adapters:article",
    }
    commands = [part for child, run in children.items() for part in ("--command", f"{child}={run}")]
    return [peer, script, f"--{name}", str(folder / "data" / name), *options, *commands]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
