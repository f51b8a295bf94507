"""Labelled pairs of articles for `bench.stories`, made from the open evaluation data.

Copies are real articles changed as newsrooms change them; traps are pairs that look like copies and are none. The same
in every run: fixed seeds, and which half an article is in depends on its address alone.
"""

from __future__ import annotations

import csv
import gzip
import json
import random
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from crawler.cleaning import clean
from crawler.items import Page
from pipelines.overlap import words
from pipelines.stories import Told

NO_ARTICLES = ("antibot", "comment_exports", "feeds", "index_pages", "robots", "sitemaps")
SERIES = "defense_isw"
LEAST_COPY = 40
"""Words of a copy: less is a teaser."""
SPELLINGS = {
    "color": "colour",
    "defense": "defence",
    "center": "centre",
    "organiz": "organis",
    "realiz": "realis",
    "recogniz": "recognis",
    "labor": "labour",
    "traveled": "travelled",
    "program": "programme",
    "gray": "grey",
    "favor": "favour",
    "neighbor": "neighbour",
    "harbor": "harbour",
    "armor": "armour",
    "maneuver": "manoeuvre",
    "canceled": "cancelled",
    "offense": "offence",
    "behavior": "behaviour",
    "analyz": "analys",
    "percent": "per cent",
    "tons": "tonnes",
}
"""How words begin in American and in British spelling."""
CREDITS = (
    "KYIV (Reuters) - ",
    "(AFP) – ",
    "WASHINGTON (AP) — ",
    "By our correspondent and agencies\n\n",
    "BERLIN (dpa) - ",
)
CLOSINGS = (
    (
        "Copyright 2023 The Agency. All rights reserved. This material may not be published, broadcast, rewritten or "
        "redistributed."
    ),
    "Reporting by the bureau; editing by the desk. Our Standards: the principles of trust.",
    "This article was published from an agency feed without changes to the text. Sign up for our newsletter.",
)
FORMS = (
    (
        "The general staff reported on Day{0} that {1} of the aggressor's soldiers were lost in the past "
        "day, bringing the total to {2}. Also destroyed were {3} tanks, {4} armoured vehicles, {5} "
        "artillery systems and {6} drones.\n\n"
        "The figures are being updated; the intensity of the fighting makes counting difficult. The enemy "
        "launched {7} air strikes and {8} attacks with rocket launchers on the positions of our forces "
        "and on settlements along the line."
    ),
    (
        "The index closed at {1} points on the {0}th, {2} points from the day before. Some {3} million "
        "shares changed hands, of which {4} rose and {5} fell. The euro stood at 1.{6} dollars.\n\n"
        "Analysts said that trading was quiet ahead of the decision of the central bank. Oil was at {7} "
        "dollars a barrel, and gold was at {8} an ounce."
    ),
    (
        "An earthquake of magnitude {0}.{1} was recorded at {2}:{3} local time, the geological survey "
        "said. Its centre was at a depth of {4} kilometres, some {5} kilometres from the coast.\n\n"
        "No damage was reported at first. Readers who felt it can tell the survey. In the past ten days "
        "there were {6} quakes of magnitude {7} or more nearby, of which {8} were felt. This post was "
        "made from public data and checked by an editor before publication."
    ),
)
"""Reports that machines fill in."""


@dataclass(frozen=True, slots=True)
class Item:
    """An article of the pool, and of which story it is."""

    told: Told
    story: str
    host: str = ""
    series: bool = False


# ---- the articles --------------------------------------------------------------------------------


def articles(folder: Path) -> list[Item]:
    """The articles of the open data, each text once, in a fixed order."""
    items: list[Item] = []
    seen: set[frozenset[str]] = set()
    for path, url, series in _pages(folder / "data"):
        page = clean(gzip.decompress(path.read_bytes()), url)
        if not isinstance(page, Page):
            continue
        article = page.article
        prints = frozenset(part for part in re.findall(r"[^.!?\n]{60,}", article.body))
        if not article.body or any(len(prints & other) * 2 > len(prints) for other in _sharing(prints, seen)):
            continue
        seen.add(prints)
        host = urlsplit(url).netloc
        published = article.published.iso if article.published else None
        told = Told(article.headline, article.body, article.language[:2], host, published)
        items.append(Item(told, path.name, host, series))
    return items


def _sharing(prints: frozenset[str], seen: set[frozenset[str]]) -> Iterable[frozenset[str]]:
    return (other for other in seen if not prints.isdisjoint(other))


def _pages(data: Path) -> Iterator[tuple[Path, str, bool]]:
    with (data / "pages" / "index.tsv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            if row["category"] not in NO_ARTICLES:
                path = data / "pages" / f"{row['file']}.gz"
                yield path, row["original_url"] or "https://unknown.example/", row["category"] == SERIES
    for about in sorted(data.glob("fundus/*/meta.info")):
        for name, facts in json.loads(about.read_bytes()).items():
            if (about.parent / name).is_file():
                yield about.parent / name, facts["url"], False
    for name, facts in json.loads((data / "aeb" / "ground-truth.json").read_bytes()).items():
        yield data / "aeb" / "html" / f"{name}.html.gz", facts["url"], False
    for url, facts in json.loads((data / "traf" / "evaldata.json").read_bytes()).items():
        for part in ("cache", "eval"):
            if (path := data / "traf" / part / f"{facts['file']}.gz").is_file():
                yield path, url, False


def half_of(item: Item) -> int:
    """Which half an article is in, 0 or 1. Of a series a fortnight stays together: there are neighbours in both."""
    dated = re.search(r"(\d{4}-\d\d)-(\d\d)", item.story) if item.series else None
    mark = f"{dated[1]}-{int(dated[2]) // 16}" if dated else item.story
    return zlib.crc32(mark.encode()) & 1


# ---- what newsrooms do to a text -----------------------------------------------------------------

Change = Callable[[Told, random.Random, Sequence[str]], Told]
"""(article, chance, paragraphs of other articles in its language) → the article as another outlet has it."""


def _third(told: Told, chance: random.Random, _: Sequence[str]) -> Told:
    return _start(told, 3)


def _half(told: Told, chance: random.Random, _: Sequence[str]) -> Told:
    return _start(told, 2)


def _start(told: Told, of: int) -> Told:
    blocks, kept = _blocks(told), 0
    for count, block in enumerate(blocks, 1):
        kept += len(block)
        if kept * of >= len(told.body) and (len(words(told.body)) * kept >= LEAST_COPY * len(told.body)):
            return _with(told, blocks[:count])
    return told


def _middle(told: Told, chance: random.Random, _: Sequence[str]) -> Told:
    blocks = _blocks(told)
    first = chance.randrange(max(1, len(blocks) // 2))
    taken = blocks[first : first + max(3, len(blocks) // 3)]
    return _with(told, taken) if len(words(" ".join(taken))) >= LEAST_COPY else told


def _reorder(told: Told, chance: random.Random, _: Sequence[str]) -> Told:
    blocks = _blocks(told)
    chance.shuffle(blocks)
    return _with(told, blocks)


def _lede(told: Told, chance: random.Random, _: Sequence[str]) -> Told:
    sentences = _sentences(told.body)
    lede = " ".join(chance.sample(sentences, min(len(sentences), chance.randint(1, 3))))
    return _with(told, [lede, *_blocks(told)[chance.randint(0, 1) :]])


def _headline(told: Told, chance: random.Random, _: Sequence[str]) -> Told:
    parts = told.headline.split()
    new = (
        chance.choice(_sentences(told.body))[:90],
        " ".join(parts[::-1]),
        " ".join(parts[: max(2, len(parts) // 2)]),
        f"Report: {told.headline}",
        "What is known so far",
    )
    return replace(told, headline=chance.choice(new))


def _quotes(told: Told, chance: random.Random, _: Sequence[str]) -> Told:
    quoted = re.findall(r"[“\"„][^“”\"„]{20,400}[”\"“]", told.body)
    body = told.body
    for one, other in zip(quoted, quoted[1:] + quoted[:1], strict=True):
        body = body.replace(one, f"\0{other}\0", 1)
    return replace(told, body=body.replace("\0", ""))


def _local(told: Told, chance: random.Random, others: Sequence[str]) -> Told:
    blocks = [chance.choice(CREDITS) + _blocks(told)[0], *_blocks(told)[1:]]
    blocks.insert(chance.randint(1, len(blocks)), chance.choice(others))
    return _with(told, [*blocks, *chance.sample(CLOSINGS, chance.randint(0, 1))])


def _spelling(told: Told, chance: random.Random, _: Sequence[str]) -> Told:
    signs = str.maketrans({"“": '"', "”": '"', "’": "'", "–": "-", "—": "-", "\u00a0": " ", "…": "..."})
    body = told.body.translate(signs) if chance.random() < 0.5 else told.body.replace("'", "’").replace(" - ", " – ")
    for american, british in SPELLINGS.items():
        body = re.sub(rf"\b{american}", british, body)
    return replace(told, body=body)


def _edits(told: Told, chance: random.Random, others: Sequence[str]) -> Told:
    strange, rate = " ".join(others).split(), chance.uniform(0.05, 0.3)

    def edited(word: str) -> str:
        if chance.random() >= rate:
            return word
        return chance.choice(("", chance.choice(strange), chance.choice(strange), f"{word} {chance.choice(strange)}"))

    return _with(told, [" ".join(filter(None, map(edited, block.split()))) for block in _blocks(told)])


def _sentences_gone(told: Told, chance: random.Random, _: Sequence[str]) -> Told:
    kept = [[s for s in _sentences(block) if chance.random() < 0.75] for block in _blocks(told)]
    return _with(told, [" ".join(sentences) for sentences in kept if sentences])


def _rebroken(told: Told, chance: random.Random, _: Sequence[str]) -> Told:
    sentences = _sentences(told.body)
    return _with(told, [" ".join(sentences[at : at + 2]) for at in range(0, len(sentences), 2)])


CHANGES: dict[str, Change] = {
    "first third": _third,
    "first half": _half,
    "excerpt": _middle,
    "reordered": _reorder,
    "new lede": _lede,
    "headline": _headline,
    "quotes swapped": _quotes,
    "credit, local": _local,
    "spelling": _spelling,
    "words 5-30 %": _edits,
    "sentences gone": _sentences_gone,
    "paragraphs": _rebroken,
}
SHORTER = ("first third", "first half", "excerpt")


def _blocks(told: Told) -> list[str]:
    return told.body.split("\n\n")


def _with(told: Told, blocks: Sequence[str]) -> Told:
    return replace(told, body="\n\n".join(blocks))


def _sentences(text: str) -> list[str]:
    return re.findall(r"[^\s.!?。][^.!?。\n]*[.!?。]*[”\"]?", text) or [text]


def copies(item: Item, others: Sequence[str]) -> Iterator[tuple[str, Item]]:
    """An article as other outlets have it: changed in one way, in another, and in two or three."""
    chance = random.Random(item.story)
    single = chance.sample(list(CHANGES), 2)
    mixed = [name for name in CHANGES if name not in SHORTER]
    recipes = [[name] for name in single]
    recipes += [[*chance.sample(mixed, 2)], [chance.choice(SHORTER), *chance.sample(mixed, chance.randint(1, 2))]]
    for number, recipe in enumerate(recipes):
        told = item.told
        for name in recipe:
            told = CHANGES[name](told, chance, others)
        if len(words(told.body)) >= LEAST_COPY:
            sort = recipe[0] if len(recipe) == 1 else "cut and more" if recipe[0] in SHORTER else "two changes"
            yield sort, replace(item, told=replace(told, source=f"outlet {number}"))
