"""Measures `pipelines.stories` on labelled pairs that are made from the open evaluation data, one half held out.

    python -m bench.stories [tuned | "held out"] ...      (both without a name)

Pages come from `WATCHFLOOR_EVAL` (default `../shared/eval`, from the project's root); nothing of them is kept. The same
in every run, times aside, which are of this process's CPU. Exit code 2 where the pages are absent.
"""

from __future__ import annotations

import os
import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations, pairwise
from pathlib import Path

from bench.newsroom import CHANGES, CLOSINGS, FORMS, SHORTER, Item, articles, copies, half_of
from pipelines.overlap import prepared, words
from pipelines.stories import CANDIDATES, FREQUENT, Told, alike, keys, promising

ROOT = Path(__file__).parent.parent
HALVES = ("tuned", "held out")
LEAST = 120
"""Words of an article that copies are made of."""
REPORTS = 0.3
"""Share of the series whose reports are copied, too: there are many, and they are long."""
STANDING = ((50, 250, 0.3, 1.5), (30, 120, 1.5, 5.0))
"""Words of short articles, from and to, and how many words of standing paragraphs there are for each of them."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two articles, what sort of pair they are, and whether they are one story."""

    sort: str
    one: Item
    other: Item
    same: bool


def main(halves: Sequence[str]) -> int:
    """Prints the tables of each half."""
    folder = Path(os.environ.get("WATCHFLOOR_EVAL") or ROOT / "../shared/eval").resolve()
    if not (folder / "data").is_dir():
        print(f"bench: the evaluation pages are not here ({folder}): set WATCHFLOOR_EVAL", file=sys.stderr)
        return 2
    items = articles(folder)
    for half in halves:
        print(f"\n## {half}\n")
        report([item for item in items if HALVES[half_of(item)] == half])
    print("\n" + speed(items))
    return 0


def report(items: Sequence[Item]) -> None:
    """Prints what came of the pairs by sort, of all pairs, and of the pool of all articles together."""
    same, traps = positives(items), [*hard(items), *strangers(items)]
    merged: dict[str, list[bool]] = defaultdict(list)
    for pair in chain(same, traps):
        merged[pair.sort].append(alike(pair.one.told, pair.other.told) is not None)
    of_same = {pair.sort for pair in same}
    print("| pairs | number | merged | right |\n|---|---|---|---|")
    for sort, said in merged.items():
        right = sum(said) if sort in of_same else len(said) - sum(said)
        print(f"| {sort} | {len(said)} | {sum(said)} | {right / len(said):.1%} |")
    hits = sum(sum(said) for sort, said in merged.items() if sort in of_same)
    false = sum(sum(said) for sort, said in merged.items() if sort not in of_same)
    print("\n| | precision | recall | F1 | wrongly merged |\n|---|---|---|---|---|")
    print(line("labelled pairs", hits, len(same) - hits, false))
    print(*whole_way(items, same, traps), sep="\n")


def line(what: str, hits: int, missed: int, false: int) -> str:
    """A row of the table of scores."""
    precision, recall = hits / max(1, hits + false), hits / max(1, hits + missed)
    return f"| {what} | {precision:.4f} | {recall:.4f} | {2 * hits / max(1, 2 * hits + missed + false):.4f} | {false} |"


# ---- the whole way: keys, candidates, alike ------------------------------------------------------


def whole_way(items: Sequence[Item], same: Sequence[Pair], traps: Sequence[Pair]) -> Iterator[str]:
    """Rows for the pool of all articles, copies and traps: pairs found, groups by single linkage, candidates."""
    extra = [side for pair in traps if pair.sort in POOLED for side in (pair.one, pair.other)]
    pool = list({item.told: item for item in [*items, *(pair.other for pair in same), *extra]}.values())
    number = {item.told: at for at, item in enumerate(pool)}
    near = candidates(pool)
    found = {
        (min(one, other), max(one, other))
        for one, others in enumerate(near)
        for other in others
        if alike(pool[one].told, pool[other].told)
    }
    labelled = {tuple(sorted((number[pair.one.told], number[pair.other.told]))) for pair in same}
    false = sum(pool[one].story != pool[other].story for one, other in found)
    hits = len(labelled & found)
    yield line(f"pool of {len(pool):,}: pairs", hits, len(labelled) - hits, false)
    yield line("groups, single linkage", *grouped(pool, found))
    met = sum(other in near[one] or one in near[other] for one, other in labelled) / len(labelled)
    looked = sum(map(len, near)) / len(pool)
    yield f"\nCandidates: {met:.4f} of the labelled pairs meet; {looked:.1f} looked at for an article."


def candidates(pool: Sequence[Item]) -> list[list[int]]:
    """For each article those with the most keys in common, as the database finds them."""
    of = [keys(item.told.body) for item in pool]
    holders: dict[int, list[int]] = defaultdict(list)
    for at, found in enumerate(of):
        for key in found:
            holders[key].append(at)
    rare = {key: held for key, held in holders.items() if len({pool[at].story for at in held}) <= FREQUENT}
    return [
        [other for other, _ in Counter(_beside(at, found, rare)).most_common() if promising(found, of[other])][
            :CANDIDATES
        ]
        for at, found in enumerate(of)
    ]


def _beside(at: int, found: Iterable[int], holders: dict[int, list[int]]) -> Iterator[int]:
    return (other for key in found for other in holders.get(key, ()) if other != at)


def grouped(pool: Sequence[Item], found: Iterable[tuple[int, int]]) -> tuple[int, int, int]:
    """Pairs of one story that are in one group, that are not, and pairs of two stories that are."""
    leader = list(range(len(pool)))

    def of(at: int) -> int:
        while leader[at] != at:
            leader[at] = at = leader[leader[at]]
        return at

    for one, other in found:
        leader[of(other)] = of(one)
    stories = Counter(item.story for item in pool)
    groups = Counter(of(at) for at in range(len(pool)))
    both = Counter((of(at), item.story) for at, item in enumerate(pool))
    hits = _pairs(both.values())
    return hits, _pairs(stories.values()) - hits, _pairs(groups.values()) - hits


def _pairs(sizes: Iterable[int]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes)


def speed(items: Sequence[Item]) -> str:
    """Milliseconds of CPU for articles of about 600 words; a pair's texts are made ready anew each time."""
    chosen = [item for item in items if 500 <= len(words(item.told.body)) <= 700]
    pairs = positives(chosen)

    def anew(pair: Pair) -> bool:
        prepared.cache_clear()
        return alike(pair.one.told, pair.other.told) is not None

    of_keys = _best(lambda: [keys(item.told.body) for item in chosen]) / len(chosen)
    of_pairs = _best(lambda: [anew(pair) for pair in pairs]) / len(pairs)
    return f"CPU, {len(chosen)} articles of 500 to 700 words: keys {of_keys:.2f} ms, alike {of_pairs:.2f} ms a pair."


def _best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return 1_000 * min(times)


# ---- pairs ---------------------------------------------------------------------------------------

POOLED = ("report, cut report", "filled-in form")
"""Traps whose articles are put into the pool; the others are made of articles that are in it."""


def positives(items: Sequence[Item]) -> list[Pair]:
    """Each article with its copies, and the copies that keep all of it with one another."""
    paragraphs: dict[str, list[str]] = defaultdict(list)
    for item in items:
        paragraphs[item.told.language] += [b for b in item.told.body.split("\n\n") if 30 <= len(b.split()) <= 70]
    pairs = []
    for item in items:
        chance = random.Random(item.story)
        near = paragraphs[item.told.language] or [CLOSINGS[0]]
        if len(words(item.told.body)) < LEAST or (item.series and chance.random() >= REPORTS):
            continue
        made = list(copies(item, chance.sample(near, min(len(near), 20))))
        pairs += [Pair(sort, item, copy, True) for sort, copy in made]
        whole = [copy for sort, copy in made if sort not in (*SHORTER, "cut and more")]
        pairs += [Pair("copies of one", one, other, True) for one, other in combinations(whole, 2)]
    return pairs


def hard(items: Sequence[Item]) -> list[Pair]:
    """Pairs that look like one story and are none, as if from two sources."""
    chance = random.Random("traps")
    series = sorted((item for item in items if item.series), key=lambda item: item.story)
    single = [item for item in items if not item.series and len(words(item.told.body)) >= LEAST]
    made: dict[str, Iterable[tuple[Item, Item]]] = {
        "reports, neighbours": pairwise(series),
        "reports, others": chance.sample(list(combinations(series, 2)), 600),
        "report, cut report": [(one, _changed(other, chance)) for one, other in _near(series, 3)],
        "cut reports": [(_changed(one, chance), _changed(other, chance)) for one, other in _near(series, 3)],
        "one outlet": [pair for pair in combinations(single, 2) if pair[0].host == pair[1].host][:400],
        "much in common": _much_in_common(single, 150),
        "standing paragraphs": [_standing(single, chance, STANDING[0])[:2] for _ in range(400)],
        "mostly standing paragraphs": [_standing(single, chance, STANDING[1])[:2] for _ in range(200)],
        "nothing but standing paragraphs": [_standing(single, chance, STANDING[1])[1:] for _ in range(200)],
        "filled-in form": [_forms(chance) for _ in range(100)],
    }
    return [Pair(sort, one, _elsewhere(other), False) for sort, pairs in made.items() for one, other in pairs]


def strangers(items: Sequence[Item]) -> list[Pair]:
    """Articles at random, of one language."""
    chance = random.Random("strangers")
    drawn = (chance.sample(items, 2) for _ in range(8_000))
    return [
        Pair("at random", one, _elsewhere(other), False)
        for one, other in drawn
        if one.told.language == other.told.language and not (one.series and other.series)
    ]


def _elsewhere(item: Item) -> Item:
    return replace(item, told=replace(item.told, source="another outlet"))


def _near(series: Sequence[Item], steps: int) -> list[tuple[Item, Item]]:
    return [(one, other) for step in range(1, steps + 1) for one, other in zip(series, series[step:], strict=False)]


def _changed(item: Item, chance: random.Random) -> Item:
    told = item.told
    for name in chance.sample(["first third", "first half", "excerpt", "reordered", "new lede"], 2):
        told = CHANGES[name](told, chance, ())
    return replace(item, told=told)


def _much_in_common(items: Sequence[Item], count: int) -> list[tuple[Item, Item]]:
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, item in enumerate(items):
        said = words(item.told.body)
        for gram in set(zip(said, said[1:], said[2:], strict=False)):
            holders[gram].append(number)
    shared = Counter(pair for held in holders.values() if 1 < len(held) < 20 for pair in combinations(held, 2))
    return [(items[one], items[other]) for (one, other), _ in shared.most_common(count)]


def _standing(
    items: Sequence[Item], chance: random.Random, sizes: tuple[int, int, float, float]
) -> tuple[Item, Item, Item]:
    """Two short articles with the same standing paragraphs, before or behind them, and a third that is only those."""
    languages = Counter(item.told.language for item in items)
    language = chance.choice([item.told.language for item in items if languages[item.told.language] > 5])
    *three, first, second = chance.sample([item for item in items if item.told.language == language], 5)
    size = chance.randint(*sizes[:2])
    length = round(size * chance.uniform(*sizes[2:]) / 2)
    standing = f"{_cut(first.told.body, length)}\n\n{_cut(second.told.body, length)}"
    before = chance.random() < 0.25
    owns = [_cut(item.told.body, size + chance.randint(-15, 15)) for item in three[:2]]
    bodies = [f"{standing}\n\n{own}" if before else f"{own}\n\n{standing}" for own in owns]
    made = [_with_body(item, body) for item, body in zip(three, [*bodies, standing], strict=True)]
    return made[0], made[1], made[2]


def _with_body(item: Item, body: str) -> Item:
    return replace(item, told=replace(item.told, body=body))


def _cut(text: str, count: int) -> str:
    """The first words of a text, its paragraphs kept."""
    return "".join(re.findall(r"\S+\s*", text)[:count]).strip()


def _forms(chance: random.Random) -> tuple[Item, Item]:
    form = chance.choice(FORMS)

    def filled() -> Item:
        numbers = [chance.randint(2, 9), *(chance.randint(3, 990) for _ in range(8))]
        headline = f"{form.split(',')[0].format(*numbers)[:40]}: {numbers[1]}"
        return Item(Told(headline, form.format(*numbers), "en", "one outlet"), f"form {chance.random()}")

    return filled(), filled()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or HALVES))
