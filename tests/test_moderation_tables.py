"""The tables beside the code: each says where it comes from; those made from others' data are what the tool makes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from moderation.hosts import lookalike
from moderation.tables import FOLDER, read_words
from tools.tables import common_words, confusables, installed_suffixes, suffixes

TABLES = [
    *("common_words.txt", "confusables.tsv", "dot_words.tsv", "file_stems.txt", "handles.tsv", "messengers.txt"),
    *("not_domains.txt", "short_hosts.txt", "shorteners.txt", "suffixes.txt", "tlds.tsv"),
]
CONFUSABLES = Path(os.environ.get("WATCHFLOOR_CONFUSABLES", "/usr/share/unicode/security/confusables.txt"))


def _head(name: str) -> str:
    lines = (FOLDER / name).read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if line.startswith("# "))


@pytest.mark.parametrize("name", TABLES)
def test_table_says_its_source_its_licence_and_how_to_refresh_it(name: str) -> None:
    for word in ("Source:", "Licence:", "Refresh:"):
        assert word in _head(name), f"{name} does not say its {word}"


@pytest.mark.parametrize("name", ["confusables.tsv", "suffixes.txt"])
def test_table_made_from_a_standard_says_which_version(name: str) -> None:
    assert "ersion" in _head(name) and "not stated" not in _head(name)


def test_shipped_suffixes_are_what_the_tool_makes_of_the_installed_list() -> None:
    made = suffixes(installed_suffixes().read_text("utf-8"))
    version = next(line for line in made.splitlines() if "ersion" in line)
    if version not in _head("suffixes.txt"):
        pytest.skip(f"the installed tldextract carries another list ({version}); `make refresh` takes it over")
    assert made == (FOLDER / "suffixes.txt").read_text("utf-8")


@pytest.mark.skipif(
    not CONFUSABLES.exists(), reason="confusables.txt is not here; WATCHFLOOR_CONFUSABLES names the file"
)
def test_shipped_confusables_are_what_the_tool_makes_of_the_standard() -> None:
    made = confusables(CONFUSABLES.read_text("utf-8"))
    version = next(line for line in made.splitlines() if "version" in line)
    if version not in _head("confusables.tsv"):
        pytest.skip(f"another version of the standard is here ({version})")
    assert made == (FOLDER / "confusables.tsv").read_text("utf-8")


def test_confusables_are_read_from_the_format_of_the_standard() -> None:
    lines = [
        "\ufeff# Version: 99.0.0",
        "0430 ;\t0061 ;\tMA\t# ( а → a ) CYRILLIC SMALL LETTER A\t#",
        "0412 ;\t0042 ;\tMA\t# ( В → B ) CYRILLIC CAPITAL LETTER VE\t#",
        "0627 ;\t006C ;\tMA\t# ( ا → l ) ARABIC LETTER ALEF: not of a script that passes as Latin\t#",
        "0417 ;\t0033 ;\tMA\t# ( З → 3 ) CYRILLIC CAPITAL LETTER ZE: a digit\t#",
    ]
    table = confusables("\n".join(lines))
    rows = dict(line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    assert "99.0.0" in table
    assert "а" in rows["a"] and "в" in rows["b"] and "3" not in rows and "ا" not in rows["l"]


def test_letters_of_disguised_brands_are_doubles_of_latin_ones() -> None:
    assert lookalike("раураӏ") == "paypal"
    assert lookalike("ցօօցӏе") == "google"


def test_a_common_word_stands_on_six_pages_however_often_on_one() -> None:
    pages = ["tank tank tank rare see bank.com", *["The tank and TANKS"] * 5]
    table = common_words(pages)
    assert [line for line in table.splitlines() if not line.startswith("#")] == ["tank"]


def test_a_full_stop_and_the_suffix_of_a_name_are_no_words() -> None:
    assert "com" not in read_words("common_words.txt")
