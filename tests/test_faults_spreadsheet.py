"""A real spreadsheet opens what was exported of hostile comments, and computes nothing (`make faults`)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import watchfloor
from db.export import SEPARATORS, csv_lines
from hostile_cells import HOSTILE_CELLS
from test_app_export import fill

OFFICE = shutil.which("soffice") or shutil.which("libreoffice") or ""
pytestmark = [
    pytest.mark.skipif(os.environ.get("WATCHFLOOR_FAULTS") != "1", reason="takes long; `make faults` runs it"),
    pytest.mark.skipif(not OFFICE, reason="needs LibreOffice: apt-get install libreoffice-calc"),
]
FORMULA = re.compile(r'table:formula="([^"]*)"')
TOKENS = "{},34,76,1,,0,false,true,false,false,{},0,true"
"""Options of LibreOffice's CSV filter: separators, quote, UTF-8, from line 1; numbers are looked for, spaces at the
ends removed or kept, formulas computed (wiki.documentfoundation.org, Filter Options for CSV)."""
CUTS = ["44", "59", "9", "124", "44/59/9/124", "44/59/9/124/MRG"]
"""Separators as character codes: each that `db.export` guards, all of them, runs of them as one."""


def formulas(folder: Path, cuts: str, *, trim: bool) -> list[str]:
    """The formulas in the sheets that LibreOffice makes of the CSV files of a folder."""
    office = [OFFICE, "--headless", f"-env:UserInstallation={(folder / 'profile').as_uri()}"]
    tokens = TOKENS.format(cuts, str(trim).lower())
    files = sorted(folder.glob("*.csv"))
    command = [*office, f"--infilter=CSV:{tokens}", "--convert-to", "fods", "--outdir", folder, *files]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    sheets = [file.with_suffix(".fods").read_text("utf-8") for file in files]
    assert all(sheet.count("<table:table-row") > 1 for sheet in sheets)
    return [formula for sheet in sheets for formula in FORMULA.findall(sheet)]


@pytest.mark.parametrize("trim", [False, True], ids=["as it is", "trimmed"])
@pytest.mark.parametrize("cuts", CUTS)
def test_no_cell_of_hostile_comments_is_a_formula(cuts: str, trim: bool, tmp_path: Path) -> None:
    fill(tmp_path / "w.db")
    for view in ("comment_threads", "flagged_comments", "latest_articles"):
        out = tmp_path / f"{view}.csv"
        assert watchfloor("export", "view", view, "--out", out, "--db", tmp_path / "w.db").code == 0
    rows = [(cell, cell) for cell in HOSTILE_CELLS]
    (tmp_path / "plain.csv").write_text("".join(csv_lines(("text", "more"), rows)), "utf-8", newline="")
    assert formulas(tmp_path, cuts, trim=trim) == []


def test_without_the_guard_there_would_be_formulas(tmp_path: Path) -> None:
    lines = ['"text","more"', *('"{0}","{0}"'.format(cell.replace('"', '""')) for cell in HOSTILE_CELLS)]
    (tmp_path / "bare.csv").write_text("\r\n".join(lines), "utf-8", newline="")
    assert len(formulas(tmp_path, "44", trim=False)) > 10
    assert {ord(each) for each in SEPARATORS if each not in "\r\n"} == {44, 59, 9, 124}
