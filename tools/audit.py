"""Asks whether anything that is locked has a known vulnerability: `python -m tools.audit` (`make audit`).

It asks OSV (osv.dev, POST /v1/querybatch), which has the advisories of PyPI, GitHub and others. Silence is no answer:
it ends well only when every locked package was answered for, by a database that also named the vulnerabilities of a
version that is known to have some.

    0  an answer for every package, and none has a known vulnerability
    1  vulnerabilities, one a line
    3  it could not ask, or could not believe the answer; one line says why

Nothing is sent but names and versions. WATCHFLOOR_OSV names another server with the same interface.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from tools.locked import DEV, RUN, Locked, NotALock, read

OSV = "https://api.osv.dev"
KNOWN_BAD = Locked(name="jinja2", version="2.4.1", marker="", hashes=(), via=())
"""Asked about with the others: it has had advisories since 2014. A server that knows none of it knows nothing."""
SECONDS = 30
"""For one answer."""
ANSWER_BYTES = 32 * 1024 * 1024
"""OSV itself answers with no more (its documentation, API)."""
AT_ONCE = 1000
"""Questions in one request (same place)."""
PAGES = 20
"""How often a list of vulnerabilities may go on; beyond that the server is not sane."""
CLEAN, FOUND, NOT_ASKED = 0, 1, 3

Question = tuple[Locked, str]
"""A package, and the token of the page that is asked for; empty for the first."""


class NotAsked(Exception):
    """There is no answer that could be believed. The message says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code; what was found goes to standard output, why there is no answer to standard error."""
    parser = argparse.ArgumentParser(prog="python -m tools.audit", description=__doc__.splitlines()[0])
    parser.add_argument("locks", nargs="*", type=Path, default=[RUN, DEV], help="lock files; both of the project")
    options = parser.parse_args(arguments)
    server = os.environ.get("WATCHFLOOR_OSV", OSV)
    try:
        packages = sorted({p.purl: p for lock in options.locks for p in read(lock)}.values(), key=lambda p: p.purl)
        found = ask(server, packages)
        lines = [_line(server, package, name) for package, names in found.items() for name in names]
    except (NotAsked, NotALock, OSError) as e:
        print(f"not audited: {' '.join(str(e).split())}", file=sys.stderr)
        return NOT_ASKED
    for line in lines:
        print(line)
    sound = f"{len(packages)} packages asked about at {urlsplit(server).netloc}"
    print(f"{sound}: {len(lines)} known vulnerabilities" if lines else f"{sound}: no known vulnerability")
    return FOUND if lines else CLEAN


def ask(server: str, packages: Sequence[Locked]) -> dict[Locked, list[str]]:
    """The names of the advisories that each package has, for those that have any. Raises `NotAsked`."""
    if not packages:
        raise NotAsked("the locks name no package")
    found: dict[Locked, list[str]] = {}
    for start in range(0, len(packages), AT_ONCE - 1):
        found |= _batch(server, packages[start : start + AT_ONCE - 1])
    return found


def _batch(server: str, packages: Sequence[Locked]) -> dict[Locked, list[str]]:
    """As `ask`, for as many as one request takes, with the known bad one among them."""
    found: dict[Locked, list[str]] = {}
    questions: list[Question] = [(KNOWN_BAD, ""), *((package, "") for package in packages)]
    for _ in range(PAGES):
        if not questions:
            break
        questions = [more for more in _answered(server, questions, found) if more[1]]
    if questions:
        raise NotAsked(f"{server} never comes to an end about {questions[0][0].purl}")
    if not found.pop(KNOWN_BAD, []):
        raise NotAsked(f"{server} knows of no vulnerability in {KNOWN_BAD.purl}, which has some: not to be believed")
    return {package: sorted(set(names)) for package, names in found.items()}


def _answered(server: str, questions: Sequence[Question], found: dict[Locked, list[str]]) -> Iterator[Question]:
    """Puts what is answered into `found`, and gives where each package's list goes on. Raises `NotAsked`."""
    asked = [{"package": {"purl": p.purl}, **({"page_token": token} if token else {})} for p, token in questions]
    said = _json(f"{server}/v1/querybatch", {"queries": asked})
    results = said.get("results") if isinstance(said, dict) else None
    if not isinstance(results, list) or len(results) != len(questions):
        raise NotAsked(f"{server} was asked about {len(questions)} packages and did not answer for each")
    for (package, _), result in zip(questions, results, strict=True):
        names, token = _understood(result, f"{server} about {package.purl}")
        if names:
            found.setdefault(package, []).extend(names)
        yield package, token


def _understood(result: Any, whose: str) -> tuple[list[str], str]:
    """The names in one answer and where it goes on. Raises `NotAsked` for what is no answer."""
    vulns = result.get("vulns", []) if isinstance(result, dict) else None
    names = [v.get("id") if isinstance(v, dict) else None for v in vulns] if isinstance(vulns, list) else [None]
    token = result.get("next_page_token") or "" if isinstance(result, dict) else None
    known = [name for name in names if isinstance(name, str) and name]
    if len(known) != len(names) or not isinstance(token, str):
        raise NotAsked(f"{whose} gave an answer that cannot be understood")
    return known, token


def _line(server: str, package: Locked, name: str) -> str:
    """One finding: the advisory's other names, its summary and where it is mended, as far as the server says so.

    That the package has it is known already: what cannot be had here takes nothing from the finding.
    """
    try:
        told = _json(f"{server}/v1/vulns/{quote(name, safe='')}")
    except NotAsked:
        told = {}
    told = told if isinstance(told, dict) else {}
    others = ", ".join(text for text in _list(told.get("aliases")) if isinstance(text, str))
    mended = ", ".join(sorted(_mended(told, package.name)))
    parts = (f" ({others})" if others else "", f": {told['summary']}" if told.get("summary") else "")
    ending = f"; mended in {mended}" if mended else ""
    line = f"{package.name} {package.version}: {name}{parts[0]}{parts[1]}{ending}"
    return "".join(c if c.isprintable() else " " for c in line)


def _mended(told: dict[str, Any], package: str) -> Iterator[str]:
    """The versions in which the advisory says that the package has it no more (OSV schema, `affected`)."""
    for affected in _list(told.get("affected")):
        if not isinstance(affected, dict) or _dict(affected.get("package")).get("name", "").lower() != package:
            continue
        for span in _list(affected.get("ranges")):
            if _dict(span).get("type") == "ECOSYSTEM":
                yield from (str(e["fixed"]) for e in _list(span.get("events")) if isinstance(e, dict) and "fixed" in e)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _json(address: str, question: Any = None) -> Any:
    """What the server answers. Raises `NotAsked` for every way in which it may not."""
    if urlsplit(address).scheme not in ("http", "https"):
        raise NotAsked(f"{address} is no address of the web")
    body = None if question is None else json.dumps(question).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "watchfloor-audit"}
    request = urllib.request.Request(address, body, headers)  # noqa: S310 - http(s), checked above
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            text = answer.read(ANSWER_BYTES + 1)
    except urllib.error.HTTPError as e:
        raise NotAsked(f"{address} answered with HTTP {e.code}") from e
    except (OSError, http.client.HTTPException, ValueError) as e:
        raise NotAsked(f"{address}: {getattr(e, 'reason', None) or e or type(e).__name__}") from e
    if len(text) > ANSWER_BYTES:
        raise NotAsked(f"{address} answered with more than {ANSWER_BYTES} bytes")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as e:
        raise NotAsked(f"{address} answered with what is no JSON") from e


if __name__ == "__main__":
    sys.exit(main())
