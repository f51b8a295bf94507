"""The measured parts of a document: each is replaced alone, and only by a part that ran."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.__main__ import DOCUMENT, NAMES, Failed, Part, Sizes, measured, replaced, shown, within
from bench.site import ROOT

SIZES = Sizes(Path("/e"), Path("/d.db"))
TEXT = """# Measured
<!-- bench: one -->
old one
<!-- end of bench: one -->
Said by a person.
<!-- bench: two -->
old two
<!-- end of bench: two -->
"""


def part(code: str, *, markdown: bool = True) -> Part:
    return Part("one", lambda sizes: [["-c", code]], markdown)


@pytest.fixture
def document(tmp_path: Path) -> Path:
    file = tmp_path / "benchmarks.md"
    file.write_text(TEXT)
    return file


def test_only_the_block_of_that_name_changes() -> None:
    changed = replaced(TEXT, "one", "new | one")
    assert changed == TEXT.replace("old one", "new | one")
    assert replaced(changed, "one", "old one") == TEXT


def test_a_block_that_is_not_there_is_an_error() -> None:
    with pytest.raises(Failed, match="no block 'three'"):
        replaced(TEXT, "three", "new")


def test_what_a_part_prints_stands_in_its_block_with_day_machine_and_command(document: Path) -> None:
    assert measured(part("print('| a |')"), SIZES, document)
    before, _, after = document.read_text().partition("old two")
    assert "Python 3" in before
    assert "cores" in before
    assert before.count("| a |\n<!-- end of bench: one -->") == 1
    assert after == TEXT.partition("old two")[2]


def test_columns_of_plain_text_stand_in_a_fence(document: Path) -> None:
    assert measured(part("print('a  b')", markdown=False), SIZES, document)
    assert "```\na  b\n```\n<!-- end of bench: one -->" in document.read_text()


def test_headings_of_a_part_stand_below_those_of_the_document() -> None:
    assert within('# a\n## b\n| # |\n{"c": 1}') == '#### a\n#### b\n| # |\n\n`{"c": 1}`'


@pytest.mark.parametrize("code", ["raise SystemExit(2)", "pass", "print('half'); 1 / 0"])
def test_a_part_that_could_not_run_leaves_its_block(document: Path, code: str) -> None:
    assert not measured(part(code), SIZES, document)
    assert document.read_text() == TEXT


def test_a_command_is_shown_without_the_folders_of_this_machine() -> None:
    assert shown(["-m", "bench.spam", "/somewhere/eval"]) == "python -m bench.spam eval"
    assert shown([f"{ROOT}/bench/clean.py", "held out"]) == "python bench/clean.py 'held out'"


def test_the_document_has_a_place_for_every_part() -> None:
    text = DOCUMENT.read_text("utf-8")
    for name in NAMES:
        assert replaced(text, name, "x") != text, name
