"""Makes the tables of `moderation/` that are made from others' data anew: `python -m tools.tables` (`make refresh`).

    python -m tools.tables                          what can be made from what is installed: the public suffixes
    python -m tools.tables --confusables FILE       confusables.txt of UTS 39: www.unicode.org/Public/security, or
                                                    source/data/unidata in ICU's source (Debian: apt-get source icu)
    python -m tools.tables --suffixes FILE          another Public Suffix List than the one that tldextract carries
    python -m tools.tables --pages FOLDER           saved news pages, *.html, of which the common words are counted

The same source gives the same file to the byte. Every other table is written by hand; its head says how to extend it.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import textwrap
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from crawler.cleaning import clean
from crawler.items import Page

TABLES = Path(__file__).parent.parent / "moderation"
SCRIPTS = ("LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE", "COPTIC")
"""Scripts in which whole names can be written that pass as Latin; others only have a letter that resembles one."""
OURS = {"ғ": "f", "ƒ": "f", "є": "e", "ɗ": "d", "ӏ": "l"}
"""Seen in disguises, and not in the table of UTS 39, or for another letter there."""
BASIC_PLANE = 0x10000
"""Beyond it are styled letters, which are undone before."""
PAGES = 6
"""Pages on which a word must stand to be common: on fewer, names and slips of one newsroom come in."""
WORD = re.compile(r"(?<![\w.@/-])[a-zà-žа-яё]{3,20}(?![\w@/-]|\.\w)")
SMALL_CAPITAL = re.compile(r"LATIN LETTER SMALL CAPITAL ([A-Z])")
VERSION = re.compile(r"(?:Version|VERSION): *(\S+)")
COMMIT = re.compile(r"COMMIT: *(\S+)")
DATE = re.compile(r"Date: *(\S+),")

CONFUSABLES_HEAD = """\
# Letters that look like a Latin one: the Latin letter, then its doubles, all in small letters, as hosts are compared.
# Source: confusables.txt of Unicode Technical Standard 39, version {version}, {date}; a small letter whose capital
# looks like a Latin capital counts too; small capitals by their names in the Unicode Character Database; some of ours.
# Licence: Unicode License V3, https://www.unicode.org/license.txt
# Refresh: python -m tools.tables --confusables FILE
"""
SUFFIXES_HEAD = """\
# Every rule of the Public Suffix List, private domains too; `*.ck` and `!www.ck` as they stand there.
# Source: https://publicsuffix.org/list/public_suffix_list.dat
# Version: {version}, commit {commit}
# Licence: Mozilla Public License 2.0, https://mozilla.org/MPL/2.0/
# Refresh: python -m tools.tables [--suffixes FILE]
"""
WORDS_HEAD = """\
# Words that a sentence may end with: what stands before a full stop with a missing or a stray blank is prose when it is
# one of these.
# Source: counted in {pages} saved news pages, articles and comments: words in small letters on {least} pages and more,
# a page counted once, names of sites left out. Single words in the order of the alphabet: no page can be read from it.
# Licence: as the project, MIT
# Refresh: python -m tools.tables --pages FOLDER
"""


def confusables(text: str) -> str:
    """The table from UTS 39's confusables.txt."""
    doubles: defaultdict[str, set[str]] = defaultdict(set)
    known = dict(OURS)
    for source, target in (*_pairs(text), *_small_capitals()):
        known.setdefault(source, target)
    for source, target in known.items():
        small = source.lower()
        if len(small) == 1 and (small == source or small not in known):
            doubles[target.lower()].add(small)
    rows = (f"{letter}\t{''.join(sorted(doubles[letter]))}\n" for letter in sorted(doubles))
    return CONFUSABLES_HEAD.format(version=_said(VERSION, text), date=_said(DATE, text)) + "".join(rows)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Letters of the chosen scripts, each with the one ASCII letter that it looks like."""
    for line in text.splitlines():
        cells = [cell.split() for cell in line.lstrip("\ufeff").partition("#")[0].split(";")]
        if len(cells) < 2 or len(cells[0]) != 1 or len(cells[1]) != 1:
            continue
        source, target = chr(int(cells[0][0], 16)), chr(int(cells[1][0], 16))
        if target.isascii() and target.isalpha() and _may_stand_in_a_name(source):
            yield source, target


def _small_capitals() -> Iterator[tuple[str, str]]:
    for source in map(chr, range(0x80, BASIC_PLANE)):
        named = SMALL_CAPITAL.fullmatch(unicodedata.name(source, ""))
        if named:
            yield source, named[1].lower()


def _may_stand_in_a_name(c: str) -> bool:
    name = unicodedata.name(c, "")
    letter = name.startswith("SMALL ROMAN NUMERAL") or (c.isalpha() and name.startswith(SCRIPTS))
    return 0x80 <= ord(c) < BASIC_PLANE and letter and len(c.lower()) == 1


def suffixes(text: str) -> str:
    """The rules of a Public Suffix List, in their order, without its remarks."""
    lines = (line.strip() for line in text.splitlines())
    rules = dict.fromkeys(line for line in lines if line and not line.startswith("//"))
    head = SUFFIXES_HEAD.format(version=_said(VERSION, text), commit=_said(COMMIT, text))
    return head + "".join(f"{rule}\n" for rule in rules)


def installed_suffixes() -> Path:
    """The list that tldextract carries."""
    spec = importlib.util.find_spec("tldextract")
    return Path(spec.origin or "").parent / ".tld_set_snapshot" if spec else Path()


def common_words(texts: Iterable[str]) -> str:
    """The words of the texts of pages, of which each counts once."""
    pages: Counter[str] = Counter()
    count = 0
    for text in texts:
        count += 1
        pages.update(set(WORD.findall(text)))
    words = sorted(word for word, on in pages.items() if on >= PAGES)
    lines = textwrap.wrap(" ".join(words), 120, break_long_words=False, break_on_hyphens=False)
    return WORDS_HEAD.format(pages=count, least=PAGES) + "".join(f"{line}\n" for line in lines)


def _texts(folder: Path) -> Iterator[str]:
    for file in sorted(folder.rglob("*.html")):
        page = clean(file.read_bytes(), f"https://{file.stem}.example/")
        if isinstance(page, Page):
            yield "\n".join((page.article.running_text, *(comment.text for comment in page.comments)))


def _said(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else "not stated"


def main() -> None:
    """Writes each table whose source is given or installed, and says so."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--confusables", type=Path)
    options.add_argument("--suffixes", type=Path, default=installed_suffixes())
    options.add_argument("--pages", type=Path)
    given = options.parse_args()
    _write("suffixes.txt", suffixes(given.suffixes.read_text("utf-8")))
    if given.confusables:
        _write("confusables.tsv", confusables(given.confusables.read_text("utf-8")))
    if given.pages:
        _write("common_words.txt", common_words(_texts(given.pages)))


def _write(name: str, table: str) -> None:
    file = TABLES / name
    same = file.exists() and file.read_text("utf-8") == table
    file.write_text(table, "utf-8")
    print(f"{name}: {'as it was' if same else 'written'}")


if __name__ == "__main__":
    main()
