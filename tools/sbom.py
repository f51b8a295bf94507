"""Writes what a release is made of as CycloneDX 1.6 JSON: `python -m tools.sbom` (`make sbom`).

Made from the lock alone, so it names what pip installs and not what happens to be installed: each package with its
version, package URL, the SHA-256 of every file that pip would take, who asks for it, and its licence as far as the
metadata of an installed copy of that version says. The same lock and environment give the same bytes; `--stamp` adds a
serial number and the time, which a published one should have.

The schema is ECMA-424 (cyclonedx.org/docs/1.6/json).
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from tools.locked import PROJECT, RUN, Locked, read

SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
NAME_CHARACTERS = 100
"""Of a licence that has a name only; some packages put the whole text there."""
NO_LICENCE = ("", "UNKNOWN")
CLASSIFIER = "License :: "

Json = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the file, or to standard output."""
    parser = argparse.ArgumentParser(prog="python -m tools.sbom", description=__doc__.splitlines()[0])
    parser.add_argument("--lock", type=Path, default=RUN, help="which lock; what runs, without one")
    parser.add_argument("--out", type=Path, help="the file; standard output, without one")
    parser.add_argument("--stamp", action="store_true", help="with a serial number and the time")
    options = parser.parse_args(arguments)
    made = bill(read(options.lock))
    if options.stamp:
        made = stamped(made, datetime.now(UTC))
    text = json.dumps(made, indent=1, ensure_ascii=True) + "\n"
    if not options.out:
        sys.stdout.write(text)
        return 0
    options.out.write_text(text, "utf-8")
    print(f"{options.out}: {len(made['components'])} packages of {options.lock.name}")
    return 0


def bill(packages: Sequence[Locked]) -> Json:
    """The bill of materials of these packages, for the project as it is."""
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    own = {"type": "application", "bom-ref": project["name"], "name": project["name"], "version": project["version"]}
    own |= {"description": project["description"], "licenses": [{"expression": project["license"]}]}
    return {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"lifecycles": [{"phase": "pre-build"}], "component": own},
        "components": [_component(package) for package in packages],
        "dependencies": _dependencies(project["name"], packages),
    }


def stamped(made: Json, now: datetime) -> Json:
    """With a serial number that nobody else's has, and the time, as those have that are handed on."""
    head = {key: made[key] for key in ("$schema", "bomFormat", "specVersion")}
    told = {"timestamp": f"{now:%Y-%m-%dT%H:%M:%SZ}", **made["metadata"]}
    return {**head, "serialNumber": uuid.uuid4().urn, **made, "metadata": told}


def _component(package: Locked) -> Json:
    made: Json = {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "hashes": [{"alg": "SHA-256", "content": text} for text in package.hashes],
        "purl": package.purl,
    }
    if licences := _licences(package):
        made["licenses"] = licences
    if package.marker:
        made["properties"] = [{"name": "watchfloor:marker", "value": package.marker}]
    return made


def _dependencies(project: str, packages: Sequence[Locked]) -> list[Json]:
    """Who asks for whom. A name that is locked in two versions, each for other systems, stands for both."""
    refs = defaultdict[str, list[str]](list, {project: [project]})
    asked: dict[str, set[str]] = {project: set(), **{package.purl: set() for package in packages}}
    for package in packages:
        refs[package.name].append(package.purl)
    for package in packages:
        for ref in (ref for name in package.via for ref in refs[name]):
            asked[ref].add(package.purl)
    return [{"ref": ref, "dependsOn": sorted(those)} for ref, those in asked.items()]


def _licences(package: Locked) -> list[Json]:
    """What the metadata of an installed copy says: an SPDX expression, a name, or the classifiers."""
    try:
        told = metadata(package.name)
    except PackageNotFoundError:
        return []
    if told["Version"] != package.version:
        return []
    stated = next(iter([*(told.get_all("License-Expression") or []), *(told.get_all("License") or [])]), "").strip()
    try:
        return [{"expression": str(canonicalize_license_expression(stated))}]
    except InvalidLicenseExpression:
        listed = told.get_all("Classifier") or []
        classified = sorted({c.rpartition(" :: ")[2] for c in listed if c.startswith(CLASSIFIER)} - {"OSI Approved"})
        short = stated.partition("\n")[0][:NAME_CHARACTERS]
        names = classified or ([short] if short not in NO_LICENCE else [])
        return [{"license": {"name": name}} for name in names]


if __name__ == "__main__":
    sys.exit(main())
