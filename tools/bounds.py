"""Named numbers with their reasons as tables for the documents, from the code itself (cog calls this)."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
SECTION = "# ---- "
SIZES = ((2**30, "GiB"), (10**9, "GB"), (2**20, "MiB"), (10**6, "MB"), (2**10, "KiB"))
"""The first that divides a size without a rest says it."""
UNITS = {"BYTES": "bytes", "CHARACTERS": "characters", "SECONDS": "s", "MINUTES": "min", "DAYS": "days", "YEAR": ""}


class Bound(NamedTuple):
    """One constant of a module."""

    section: str
    """The heading that it stands under, `# ---- what is parsed` in the code."""
    name: str
    value: Any
    reason: str
    """Its docstring, on one line; empty where it has none."""


def limits(*sections: str) -> str:
    """The limits of `crawler/limits.py` under these headings. Raises `KeyError` for a heading that is not there."""
    found = list(bounds("crawler.limits"))
    if missing := set(sections) - {bound.section for bound in found}:
        raise KeyError(f"crawler/limits.py has no heading {sorted(missing)}")
    return table([bound for section in sections for bound in found if bound.section == section])


def of(*places: str) -> str:
    """Constants of other rooms, each as `app.web.guard.GUESSES`. Raises `KeyError` for one that is not there."""
    rows = []
    for place in places:
        module, _, name = place.rpartition(".")
        rows.append({bound.name: bound for bound in bounds(module)}[name])
    return table(rows)


def table(rows: list[Bound]) -> str:
    """The bounds in Markdown."""
    lines = (f"| `{b.name}` | {shown(b.name, b.value)} | {b.reason.replace('|', chr(92) + '|')} |" for b in rows)
    return "\n".join(["| bound | is | why |", "|---|---|---|", *lines])


def shown(name: str, value: Any) -> str:
    """The number with its unit, as the end of its name has it."""
    unit = next((told for end, told in UNITS.items() if f"_{name}_".find(f"_{end}_") >= 0), "")
    if unit == "bytes":
        return next((f"{value // size} {word}" for size, word in SIZES if not value % size), f"{value} bytes")
    number = str(value) if name.endswith("YEAR") else f"{value:,g}" if value < 10**6 else f"{value:,.0f}"
    return f"{number} {unit}".strip()


def bounds(module: str) -> Iterator[Bound]:
    """The public numbers of a module, in their order, each with the docstring under it."""
    made = importlib.import_module(module)
    text = (ROOT / f"{module.replace('.', '/')}.py").read_text("utf-8")
    headings = {n: line[len(SECTION) :].strip() for n, line in enumerate(text.splitlines(), 1) if _heads(line)}
    body = ast.parse(text).body
    for node, after in zip(body, [*body[1:], None], strict=True):
        name = _named(node)
        if name and isinstance(value := getattr(made, name), int | float):
            section = next((told for n, told in reversed(headings.items()) if n < node.lineno), "")
            yield Bound(section, name, value, _reason(after))


def _heads(line: str) -> bool:
    return line.startswith(SECTION)


def _named(node: ast.stmt) -> str:
    """The name of a public constant that is set here; empty for anything else."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    return names[0] if len(names) == 1 and names[0].isupper() and not names[0].startswith("_") else ""


def _reason(after: ast.stmt | None) -> str:
    if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str):
        return " ".join(after.value.value.split())
    return ""
