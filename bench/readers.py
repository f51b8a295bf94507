"""What child processes cost and save: `python -m bench.readers FOLDER... [--pages 400,20] [--repeats 3]`.

The same saved pages are crawled over loopback by the run itself (0 readers) and by 1 and 2 readers, in turn. Printed:
medians of wall and CPU seconds of a whole crawl, its start and end included, with the CPU of all its processes.
"""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.serve_pages import Server, source, start

ROOT = Path(__file__).parent.parent
PROGRAM = """
import sys
from crawler import workers
readers = int(sys.argv.pop(1))
workers.usual_count = lambda: readers
from app.cli.main import main
sys.exit(main())
"""


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--pages", default="400,20")
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    print("| pages | readers | wall s | CPU s |\n|---|---|---|---|")
    for most in map(int, given.pages.split(",")):
        with start(given.folders) as server:
            for path in itertools.islice(list(server.pages), most, None):
                del server.pages[path]
            measured: dict[int, list[tuple[float, float]]] = {0: [], 1: [], 2: []}
            for _ in range(given.repeats):
                for readers, times in measured.items():
                    times.append(_crawl(server, readers))
            for readers, times in measured.items():
                wall, cpu = (statistics.median(each) for each in zip(*times, strict=True))
                print(f"| {len(server.pages)} | {readers} | {wall:.2f} | {cpu:.2f} |", flush=True)


def _crawl(server: Server, readers: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as scratch:
        file, before = Path(scratch) / "saved.toml", resource.getrusage(resource.RUSAGE_CHILDREN)
        file.write_text(source(server), "utf-8")
        command = [sys.executable, "-c", PROGRAM, str(readers), "crawl", "-q", "--sources", file]
        command += ["--db", Path(scratch) / "saved.db", "--allow-address", f"127.0.0.1:{server.port}"]
        begun = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
        assert done.returncode < 2, "the crawl broke"
        wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
