"""The lock files as values: which package in which version, by which hashes, for whom (`requirements/*.txt`).

They are written by `make lock`, in the form of pip's requirements files with uv's comments `# via`. What does not look
like that is an error and never passed over: a line that is not understood may be one that nobody checks.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
RUN, DEV = ROOT / "requirements" / "run.txt", ROOT / "requirements" / "dev.txt"
PROJECT = ROOT / "pyproject.toml"

_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_CONSTRAINT = re.compile(r"-c \S+")


class NotALock(ValueError):
    """A line that `make lock` would not have written. The message names file and line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """One package in one version."""

    name: str
    """As PyPI normalises it: `beautifulsoup4`, `prometheus-client`."""
    version: str
    marker: str
    """On which systems it is installed (PEP 508); empty for all."""
    hashes: tuple[str, ...]
    """SHA-256 of the files that pip may install, sorted: one a wheel, and the source."""
    via: tuple[str, ...]
    """Who asks for it, sorted; the project itself by its name."""

    @property
    def purl(self) -> str:
        """The package URL (purl-spec, type pypi)."""
        return f"pkg:pypi/{self.name}@{self.version}"


def read(path: Path) -> tuple[Locked, ...]:
    """Every package of a lock, in its order. Raises `NotALock`, and OSError where there is none."""
    return tuple(_locked(path, number, lines) for number, lines in _blocks(path))


def direct(extra: str = "") -> tuple[Requirement, ...]:
    """What pyproject.toml asks for itself, or for one of its extras."""
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    asked = project["optional-dependencies"][extra] if extra else project["dependencies"]
    return tuple(Requirement(text) for text in asked)


def _blocks(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The lines of each package, with the number of the first."""
    number, block = 0, list[str]()
    for here, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line[:1] not in ("", " ", "#"):
            if block:
                yield number, block
            number, block = here, [line]
        elif block:
            block.append(line)
        elif line[:1] != "#" and line.strip():
            raise NotALock(f"{path.name}:{here}: belongs to no package: {line.strip()}")
    if block:
        yield number, block


def _locked(path: Path, number: int, lines: list[str]) -> Locked:
    """One package of its lines. Raises `NotALock` where the version is no exact one or a hash is missing."""
    place = f"{path.name}:{number}"
    try:
        asked = Requirement(lines[0].rstrip("\\").strip())
    except ValueError as e:
        raise NotALock(f"{place}: {e}") from e
    exact = [part.version for part in asked.specifier if part.operator == "==" and "*" not in part.version]
    if len(exact) != 1 or len(asked.specifier) != 1 or asked.url:
        raise NotALock(f"{place}: {asked} is not locked to one version")
    said = [line.rstrip("\\").strip() for line in lines[1:]]
    hashes = [found[1] for text in said if (found := _HASH.fullmatch(text))]
    if not hashes:
        raise NotALock(f"{place}: {asked.name} has no hash")
    if strange := [text for text in said if text and text[0] != "#" and not _HASH.fullmatch(text)]:
        raise NotALock(f"{place}: {asked.name} has a line that is no SHA-256: {strange[0]}")
    return Locked(
        name=canonicalize_name(asked.name),
        version=exact[0],
        marker=str(asked.marker or ""),
        hashes=tuple(sorted(hashes)),
        via=tuple(sorted(_via(said))),
    )


def _via(said: list[str]) -> Iterator[str]:
    for comment in (text.removeprefix("#").strip() for text in said if text.startswith("#")):
        name = comment.removeprefix("via").removesuffix("(pyproject.toml)").strip()
        if name and not _CONSTRAINT.fullmatch(name):
            yield canonicalize_name(name)
