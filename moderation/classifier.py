"""A small model of what people decide: logistic regression over words, pieces of words, appeals and the signals.

It starts from a table of beliefs (`prior.tsv`) and is pulled from there by decisions, so that it is sensible with none
and useful after a hundred. Pure; what it learnt is readable JSON (`as_json`, `from_json`).
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache, cached_property
from itertools import chain, pairwise
from operator import mul
from types import MappingProxyType
from typing import Any, NamedTuple

from moderation.tables import read_rows
from moderation.traits import Remembered, Traits, look, pieces_of, weighed

FORMAT = 1
"""Of the JSON. Another one is not read."""
FEATURES = 30_000
"""Words and pieces that are kept, the commonest: the file stays below 2 MB."""
SEEN = 2
"""Comments that must have a word before it is learnt: what occurs once teaches nothing about others."""
PULL = 2.0
"""How far one decision can pull (C of the dual problem). On the open videos 1 to 3 differ by less than 0.01 MCC."""
CLUE = 0.5
"""Scale of a clue beside the words, whose vectors have length 1: clues stay close to the beliefs they start from."""
ROUNDS, STILL = 10, 2e-2
"""Passes over the decisions at most, and the largest move of a pass, as a share of `PULL`, that counts as none."""
LATEST = 20_000
"""Decisions that are learnt from, the latest: spam changes, and training stays a matter of seconds."""
FOLDS = 3
"""Parts of the decisions, each predicted by a model that did not see it, to calibrate and to report."""
CHECKED = 3_000
"""Decisions that are predicted so, the latest: enough for a share to be right within two percent."""
ENOUGH = 30
"""Decisions of each kind from which predictions can be calibrated."""
STEADY = 20.0
"""Decisions that the belief "the margin is right as it is" weighs in the calibration."""
TOLD = 4
"""Words that an opinion names: what a reviewer can take in at a glance."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided on a comment, with the names of the signals that fired there."""

    text: str
    signals: frozenset[str]
    spam: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a model was trained from, and how it does on decisions that it did not see."""

    decisions: int = 0
    spam: int = 0
    left_out: int = 0
    """Older decisions beyond `LATEST`."""
    precision: float | None = None
    """Share of spam among what it would call spam; None before there is enough to tell."""
    recall: float | None = None
    """Share of the spam that it would call so."""
    blocked_ham: float | None = None
    """Share of the honest comments that it would call spam."""
    brier: float | None = None
    """Mean squared error of its probabilities: 0 is perfect, 0.25 is a coin's."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """What was learnt. All weights in log-odds of spam."""

    version: str
    rarity: Mapping[str, float]
    """Of each word and piece that it knows."""
    weights: Mapping[str, float]
    """Of words, pieces and clues."""
    slope: float = 1.0
    """Calibration: the log-odds are `slope * margin`."""
    summary: Summary = field(default_factory=Summary)

    @cached_property
    def turns(self) -> Remembered[_Turn]:
        """Word → what scoring takes of it."""
        turns = {name: (rare * rare, rare * self.weights.get(name, 0.0)) for name, rare in self.rarity.items()}
        pairs: dict[str, dict[str, tuple[float, float]]] = {}
        for name in turns:
            first, _, second = name.partition(" ")
            if second and not name.startswith("~"):
                pairs.setdefault(first, {})[second] = turns[name]
        nothing: dict[str, tuple[float, float]] = {}

        def turn(word: str) -> _Turn:
            squares, pulls = [*zip(*(turns[p] for p in pieces_of(word) if p in turns), strict=True)] or ((), ())
            return _Turn(turns.get(word), pairs.get(word, nothing), sum(squares), sum(pulls))

        return Remembered(turn)


class _Turn(NamedTuple):
    """How a word turns the margin. Square: its rarity squared. Pull: its rarity times its weight."""

    word: tuple[float, float] | None
    """Its own square and pull; None for a word that the model does not know."""
    pairs: Mapping[str, tuple[float, float]]
    """Those of the pairs that it is the first word of, by the second."""
    squares: float
    """Of its pieces, together."""
    pulls: float


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a model thinks of a comment."""

    spam: float
    """Probability, 0 to 1."""
    because: tuple[str, ...]
    """The words and clues that turned it most, the strongest first."""


_Vector = tuple[tuple[int, ...], tuple[float, ...]]


def train(decisions: Sequence[Decision], *, version: str = "0") -> Model:
    """A model from people's decisions, the oldest first. The same give the same model; none give the beliefs."""
    used = decisions[-LATEST:]
    seen = [look(d.text, d.signals) for d in used]
    spam = [d.spam for d in used]
    model = _fit(seen, spam, version)
    slope, summary = _checked(seen[-CHECKED:], spam[-CHECKED:])
    return Model(
        version=version,
        rarity=model.rarity,
        weights=model.weights,
        slope=slope,
        summary=replace(summary, decisions=len(used), spam=sum(spam), left_out=len(decisions) - len(used)),
    )


def score(model: Model, text: str, signals: Iterable[str]) -> Opinion:
    """What the model thinks of a comment in which these signals fired. Linear in the text; raises nothing."""
    parts, rest = _parts(model, look(text, signals))
    odds = model.slope * (sum([weight for weight, _ in parts]) + rest)
    told = sorted(parts, reverse=odds > 0)[:TOLD]
    return Opinion(_sigmoid(odds), tuple(name for weight, name in told if weight * odds > 0 and name != "bias"))


def as_json(model: Model) -> dict[str, Any]:
    """The model as JSON values, the heaviest words first."""
    ranked = sorted(model.weights.items(), key=lambda item: (-abs(item[1]), item[0]))
    return {
        "format": FORMAT,
        "version": model.version,
        "summary": asdict(model.summary),
        "slope": model.slope,
        "weights": dict(ranked),
        "rarity": dict(sorted(model.rarity.items())),
    }


def from_json(value: Any) -> Model:
    """The model that `as_json` wrote. Raises `ValueError` for anything else."""
    try:
        if value["format"] != FORMAT:
            raise ValueError(f"a model of format {value['format']}; this watchfloor reads {FORMAT}")
        return Model(
            version=str(value["version"]),
            rarity=MappingProxyType({str(k): float(v) for k, v in value["rarity"].items()}),
            weights=MappingProxyType({str(k): float(v) for k, v in value["weights"].items()}),
            slope=float(value["slope"]),
            summary=Summary(**value["summary"]),
        )
    except (KeyError, TypeError, AttributeError) as e:
        raise ValueError(f"not a model: {type(e).__name__}: {e}") from None


@cache
def beliefs() -> Mapping[str, float]:
    """The weights that the model starts from."""
    return MappingProxyType({name: float(weight) for name, weight, _ in read_rows("prior.tsv")})


def _margin(model: Model, seen: Traits) -> float:
    parts, rest = _parts(model, seen)
    return sum([weight for weight, _ in parts]) + rest


def _parts(model: Model, seen: Traits) -> tuple[list[tuple[float, str]], float]:
    """What each clue, word and pair of words adds to the margin, and what all pieces of words together add."""
    turns = dict(zip(seen.text, map(model.turns.__getitem__, seen.text), strict=True))
    known = {name: turn[0] for name, turn in turns.items() if turn[0]}
    for name, after in pairwise(seen.text):
        pair = turns[name][1].get(after)
        if pair:
            known[f"{name} {after}"] = pair
    length = math.sqrt(sum([square for square, _ in known.values()])) or 1.0
    clues = [(value * model.weights.get(name, 0.0), name) for name, value in seen.clues.items()]
    words = [(pull / length, name) for name, (_, pull) in known.items()]
    return [*clues, *words], _of_pieces(turns.values())


def _of_pieces(turns: Collection[_Turn]) -> float:
    length = math.sqrt(sum([turn.squares for turn in turns])) or 1.0
    return sum([turn.pulls for turn in turns]) / length


# ---- learning


def _fit(seen: Sequence[Traits], spam: Sequence[bool], version: str) -> Model:
    rarity = _rarity(seen)
    numbers: dict[str, int] = {}
    vectors = [_vector(one, rarity, numbers) for one in seen]
    prior = beliefs()
    weights = [prior.get(name, 0.0) / CLUE for name in numbers]
    _descend(vectors, spam, weights)
    learnt = {name: round(weights[n] * (1.0 if name in rarity else CLUE), 4) for name, n in numbers.items()}
    return Model(version=version, rarity=MappingProxyType(rarity), weights=MappingProxyType({**prior, **learnt}))


def _rarity(seen: Sequence[Traits]) -> dict[str, float]:
    """Inverse document frequency of the words and pieces that are learnt."""
    holding = Counter(chain.from_iterable(chain(one.words, one.pieces) for one in seen))
    kept = [(name, n) for name, n in holding.most_common(FEATURES) if n >= SEEN]
    return {name: round(math.log((1 + len(seen)) / (1 + n)) + 1.0, 4) for name, n in kept}


def _vector(one: Traits, rarity: Mapping[str, float], numbers: dict[str, int]) -> _Vector:
    words, of_words = weighed(one.words, rarity)
    pieces, of_pieces = weighed(one.pieces, rarity)
    names = (*words, *pieces, *one.clues)
    values = (*of_words, *of_pieces, *(value * CLUE for value in one.clues.values()))
    return tuple([numbers.setdefault(name, len(numbers)) for name in names]), values


def _descend(vectors: Sequence[_Vector], spam: Sequence[bool], weights: list[float]) -> None:
    """Moves the weights to the regularised optimum: dual coordinate descent for logistic regression
    (Yu, Huang, Lin 2011), which starts from the beliefs because they are where the weights start."""
    pulls = [0.0] * len(vectors)
    squares = [sum(map(mul, values, values)) for _, values in vectors]
    order = list(range(len(vectors)))
    shuffled = random.Random(0)  # noqa: S311 - an order, no secret
    for _ in range(ROUNDS):
        shuffled.shuffle(order)
        moved = 0.0
        for i in order:
            numbers, values = vectors[i]
            side = 1.0 if spam[i] else -1.0
            margin = side * sum(map(mul, map(weights.__getitem__, numbers), values))
            pull = _pull(pulls[i], squares[i], margin)
            step, pulls[i] = (pull - pulls[i]) * side, pull
            moved = max(moved, abs(step))
            for number, value in zip(numbers, values, strict=True):
                weights[number] += step * value
        if moved < STILL * PULL:
            return


def _pull(old: float, square: float, margin: float) -> float:
    """The pull p in (0, PULL) of one decision where square·(p - old) + margin + log(p / (PULL - p)) is zero:
    Newton's steps, halving where they leave what is known to hold the answer."""
    low, high = 0.0, PULL
    pull = old or PULL * _sigmoid(-margin)
    for _ in range(20):
        pull = min(max(pull, 1e-12), PULL - 1e-12)
        slope = square * (pull - old) + margin + math.log(pull / (PULL - pull))
        if abs(slope) < 1e-3:
            break
        low, high = (low, pull) if slope > 0 else (pull, high)
        step = pull - slope / (square + PULL / (pull * (PULL - pull)))
        pull = step if low < step < high else (low + high) / 2
    return pull


# ---- calibration and the honest report


def _checked(seen: Sequence[Traits], spam: Sequence[bool]) -> tuple[float, Summary]:
    """Slope and summary, from what models say of decisions that they did not see."""
    counts = Summary(decisions=len(spam), spam=sum(spam))
    if min(counts.spam, counts.decisions - counts.spam) < ENOUGH:
        return 1.0, counts
    margins = _unseen_margins(seen, spam)
    slope = _calibrated(margins, spam)
    said = [_sigmoid(slope * m) for m in margins]
    right = sum(p >= 0.5 and s for p, s in zip(said, spam, strict=True))
    called = sum(p >= 0.5 for p in said)
    return slope, Summary(
        decisions=counts.decisions,
        spam=counts.spam,
        precision=round(right / called, 3) if called else None,
        recall=round(right / counts.spam, 3),
        blocked_ham=round((called - right) / (counts.decisions - counts.spam), 3),
        brier=round(sum((p - s) ** 2 for p, s in zip(said, spam, strict=True)) / len(said), 4),
    )


def _unseen_margins(seen: Sequence[Traits], spam: Sequence[bool]) -> list[float]:
    """Margins from models that did not see the decision: `FOLDS` stretches of time, each left out once."""
    size = len(seen)
    margins: list[float] = []
    for fold in range(FOLDS):
        start, end = fold * size // FOLDS, (fold + 1) * size // FOLDS
        model = _fit([*seen[:start], *seen[end:]], [*spam[:start], *spam[end:]], "")
        margins += [_margin(model, one) for one in seen[start:end]]
    return margins


def _calibrated(margins: Sequence[float], spam: Sequence[bool]) -> float:
    """The slope that makes the margins log-odds (temperature scaling, Guo and others 2017), pulled towards 1.

    By Newton's method. A shift would follow the share of spam among the decisions, which is another next month.
    """
    slope = 1.0
    for _ in range(20):
        gradient, bend = STEADY * (slope - 1.0), STEADY
        for margin, is_spam in zip(margins, spam, strict=True):
            p = _sigmoid(slope * margin)
            gradient += (p - is_spam) * margin
            bend += p * (1.0 - p) * margin * margin
        step = gradient / bend
        slope = max(slope - step, 0.1)
        if abs(step) < 1e-6:
            break
    return round(slope, 4)


def _sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(max(x, -35.0), 35.0)))
