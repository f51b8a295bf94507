"""Proves the bounds in pyproject.toml: the suite with the lowest versions that they allow, and with the newest.

    python -m tools.resolutions                   both, the whole suite but the browser (`make resolutions`)
    python -m tools.resolutions --only lowest     one of them
    python -m tools.resolutions --quick           a few files of tests that together use every direct dependency
    python -m tools.resolutions --python 3.13     with another Python that is on this machine

Each gets an environment of its own in build/resolutions, made by uv; the locks are never changed. "lowest" are the
lowest versions of what pyproject.toml names, and the newest of what those ask for in turn; "highest" is what
`make lock` would choose today.

    0  all that was tried holds
    1  something fails; its output lies beside the environment
    3  nothing could be tried: no uv, no versions that go together, or no package index
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.locked import DEV, PROJECT, ROOT, direct, read

WHERE = ROOT / "build" / "resolutions"
RESOLUTIONS = {"lowest": "lowest-direct", "highest": "highest"}
"""Our word and uv's."""
CHECKS = {
    "lint": ("ruff", "check", "--quiet", "."),
    "types": ("mypy",),
    "imports": ("lint-imports",),
    "tests": ("python", "-m", "pytest", "-p", "no:cacheprovider"),
}
"""Each a program of the environment: so the tools' own bounds are proved too."""
QUICK = (
    "tests/test_app_alerting.py",  # apprise, prometheus-client
    "tests/test_app_commands.py",  # click, rich, platformdirs, filelock
    "tests/test_app_export.py",  # pyarrow, pandas
    "tests/test_app_sql.py",  # datasette, uvicorn
    "tests/test_app_web_reading.py",  # starlette, jinja2
    "tests/test_cleaning_page.py",  # beautifulsoup4, lxml
    "tests/test_cleaning_properties.py",  # hypothesis
    "tests/test_crawl.py",  # scrapy
    "tests/test_crawl_archive.py",  # warcio, fastwarc
    "tests/test_crawl_politeness.py",  # protego
    "tests/test_crawler_discovery.py",  # feedparser
    "tests/test_crawler_urls.py",  # w3lib
    "tests/test_db_migrations.py",  # sqlite-utils
    "tests/test_docs.py",  # cogapp
)
HOLDS, FAILS, NOT_TRIED = 0, 1, 3
NO_UV = "not tried: this needs uv; `python3 -m pip install uv` (or `pipx install uv`) gets it"


class NotTried(Exception):
    """There is no environment to try anything in. The message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What one resolution came to."""

    name: str
    versions: Mapping[str, str]
    """Of every package that was installed."""
    checks: Mapping[str, str]
    """What each check said, in a word or a line."""
    failed: tuple[str, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code; two tables go to standard output, trouble to standard error."""
    parser = argparse.ArgumentParser(prog="python -m tools.resolutions", description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=RESOLUTIONS, help="one of the two")
    parser.add_argument("--python", default="3.11", help="which Python; %(default)s without")
    parser.add_argument("--quick", action="store_true", help="a few files of tests instead of all")
    options = parser.parse_args(arguments)
    uv = shutil.which("uv")
    if not uv:
        print(NO_UV, file=sys.stderr)
        return NOT_TRIED
    names = [options.only] if options.only else list(RESOLUTIONS)
    try:
        tried = [_try(uv, name, options.python, QUICK if options.quick else ()) for name in names]
    except NotTried as e:
        print(f"not tried: {e}", file=sys.stderr)
        return NOT_TRIED
    print(*_versions(tried), "", *_outcomes(tried), sep="\n")
    return FAILS if any(t.failed for t in tried) else HOLDS


def _try(uv: str, name: str, python: str, tests: Sequence[str]) -> Tried:
    """Makes the environment anew and runs every check in it. Raises `NotTried`."""
    folder = WHERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    env = folder / ".venv"  # a name that linters know to leave out
    versions = _environment(uv, name, python, env)
    said: dict[str, str] = {}
    failed = []
    for check, (program, *rest) in CHECKS.items():
        print(f"{name}: {check} ...", file=sys.stderr, flush=True)
        command = [str(env / "bin" / program), *rest, *(tests if check == "tests" else ())]
        started = time.monotonic()
        code, output = _run(command, _surroundings(env))
        (folder / f"{check}.txt").write_text(output, "utf-8")
        said[check] = _said(check, code, output, time.monotonic() - started, folder)
        failed += [check] if code else []
    return Tried(name=name, versions=versions, checks=said, failed=tuple(failed))


def _environment(uv: str, name: str, python: str, env: Path) -> dict[str, str]:
    """Installs what this resolution chooses, and the project itself; the version of each. Raises `NotTried`."""
    chosen = env.parent / "requirements.txt"
    how = ("--resolution", RESOLUTIONS[name], "--python", python, "--no-header", "--no-annotate")
    into = ("--python", str(env))
    steps = (
        ("venv", "--python", python, str(env)),
        ("pip", "compile", str(PROJECT), "--extra", "dev", *how, "-o", str(chosen)),
        ("pip", "install", *into, "-r", str(chosen)),
        ("pip", "install", *into, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)),
    )
    for step in steps:
        print(f"{name}: uv {' '.join(step[:2])} ...", file=sys.stderr, flush=True)
        code, output = _run([uv, *step, "--quiet"], _surroundings(env))
        if code:
            raise NotTried(f"{name}: uv {step[0]}: {' '.join(output.split())[-1000:] or f'exit code {code}'}")
    exact = (Requirement(line) for line in chosen.read_text("utf-8").splitlines() if "==" in line)
    return {canonicalize_name(r.name): next(iter(r.specifier)).version for r in exact}


def _surroundings(env: Path) -> dict[str, str]:
    """The environment variables: nothing of another environment, no browser, no Python that is not here already."""
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    path = f"{env / 'bin'}{os.pathsep}{kept.get('PATH', os.defpath)}"
    ours = {"VIRTUAL_ENV": str(env), "UV_PYTHON_DOWNLOADS": "never", "WATCHFLOOR_NO_BROWSER": "1"}
    return {**kept, **ours, "PATH": path}


def _run(command: Sequence[str], env: Mapping[str, str]) -> tuple[int, str]:
    """Exit code, and what was said on both streams."""
    done = subprocess.run(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.returncode, done.stdout


def _said(check: str, code: int, output: str, seconds: float, folder: Path) -> str:
    """One cell of the table; the tests' own last line tells how many there were."""
    last = output.strip().rpartition("\n")[2].strip("= ") if check == "tests" else ""
    words = ["FAILS" if code else "holds", f"({last})" if last else f"({seconds:.0f} s)"]
    return " ".join([*words, f"see {(folder / f'{check}.txt').relative_to(ROOT)}"] if code else words)


def _versions(tried: Sequence[Tried]) -> list[str]:
    """What was chosen for each direct dependency, beside its bounds and the lock."""
    locked = {package.name: package.version for package in read(DEV)}
    asked = {canonicalize_name(r.name): str(r.specifier) for r in (*direct(), *direct("dev"))}
    rows = [["package", "bounds", *(t.name for t in tried), "lock"]]
    for name, bounds in sorted(asked.items()):
        rows.append([name, bounds, *(t.versions.get(name, "-") for t in tried), locked.get(name, "-")])
    return _table(rows)


def _outcomes(tried: Sequence[Tried]) -> list[str]:
    rows = [["", *(t.name for t in tried)]]
    rows.append(["packages", *(str(len(t.versions)) for t in tried)])
    return _table(rows + [[check, *(t.checks[check] for t in tried)] for check in CHECKS])


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns under each other."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


if __name__ == "__main__":
    sys.exit(main())
