"""Runs commands in forks of a process that has the libraries loaded: a second less for each of hundreds of crawls.

The commands themselves, the settings and Twisted's reactor are imported in the fork, with its environment, as in a
process of its own. Reads a JSON request a line from standard input and answers each with the exit code.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from scrapy.settings import default_settings

LIBRARIES = """
asyncio bs4 click feedparser filelock jinja2 lxml.cssselect lxml.etree lxml.html platformdirs protego rich.console
rich.progress rich.status scrapy.cmdline scrapy.core.downloader.handlers.http11 scrapy.core.engine
scrapy.core.scheduler scrapy.core.scraper scrapy.crawler scrapy.dupefilters scrapy.logformatter scrapy.pipelines
scrapy.pqueues scrapy.robotstxt scrapy.spiderloader scrapy.squeues scrapy.statscollectors scrapy.utils.engine
tomllib twisted.internet.asyncioreactor twisted.web.client urllib.request warcio.archiveiterator
warcio.warcwriter
"""
"""And what Scrapy loads by its own settings."""
PURE = """
crawler.cleaning crawler.discovery crawler.gathering crawler.health crawler.reading crawler.schedule db.archive
db.captures db.finding db.read db.search db.selections db.store moderation.rejudge moderation.review
pipelines.normalise
"""
"""Our rooms that look at no environment: most of what they cost at the start is the compiling of patterns."""


def main() -> None:
    """One command after the other, until standard input ends."""
    bases = (value for name, value in vars(default_settings).items() if name.endswith("S_BASE"))
    by_settings = {path.rpartition(".")[0] for base in bases for path in base if "." in path}
    for name in (*LIBRARIES.split(), *sorted(by_settings), *PURE.split()):
        importlib.import_module(name)
    warm_up()
    for name in ("twisted.internet.reactor", "crawler.settings", "app.cli.main"):
        assert name not in sys.modules, f"{name} belongs to each fork"
    gc.collect()
    gc.freeze()  # a fork that looked through all this for garbage would copy its memory
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if not pid:
            as_asked(request)
            os._exit(run(request["module"]))
        print(json.dumps(waited(pid, request["timeout"])), flush=True)


def warm_up() -> None:
    """Reads tables, compiles patterns and makes the blank database that wait for their first use."""
    from db.store import Store
    from moderation.links import find_links
    from moderation.policy import default_policy

    default_policy()
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "blank.db"):
        pass
    for text in ("see example dot com, example.com", "“example . com”"):
        find_links(text)


def as_asked(request: dict[str, Any]) -> None:
    """In the fork: its streams, environment, folder and arguments."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        flags = os.O_RDONLY if not number else os.O_WRONLY | os.O_APPEND
        os.dup2(os.open(request[name], flags), number)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.argv[1:] = request["args"]
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - the process's own, made anew for what they lead to now
    sys.stdout, sys.stderr = (open(number, "w", closefd=False) for number in (1, 2))  # noqa: SIM115


def run(module: str) -> int:
    """Becomes the command; its exit code, when all that Python does at the end is done but for one thing: to take the
    loaded libraries down again costs ten times what most commands do."""
    try:
        code = _called(module)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        code = 120  # as Python says it
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.flush()
    return code


def _called(module: str) -> int:
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as e:
        if e.code is None or isinstance(e.code, int):
            return (e.code or 0) & 0xFF
        print(e.code, file=sys.stderr)
        return 1
    return 0


def waited(pid: int, seconds: float) -> int | None:
    """The exit code, the negative number of the signal that ended it, or None for one that took too long."""
    ended = os.pidfd_open(pid)
    late = not select.select([ended], [], [], seconds)[0]
    if late:
        os.kill(pid, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(ended)
    return None if late else code


if __name__ == "__main__":
    main()
