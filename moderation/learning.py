"""Learning from people's decisions: train, keep the model, report how well the rules do."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from db.connect import Database, now
from db.judging import Desk, decisions, latest_model, tallies
from moderation.classifier import Decision, Model, as_json, train
from moderation.policy import MODEL

EVERY = 50
"""Decisions after which the model is trained again: on the open videos fifty more still help up to 400."""
FIRST = 20
"""Decisions, and at least one of each kind, before there is a model: with fewer the beliefs are as good."""
SURE = 1.96
"""Standard deviations of an interval that holds the truth 95 times in 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share as far as it is known: counted, estimated, with the interval that holds the truth 95 times in 100."""

    of: int
    counted: int
    estimate: float | None
    low: float
    high: float


def learn(path: Path) -> Model | None:
    """Trains from all decisions that stand and keeps the model; None with fewer than `FIRST`, or all of one kind."""
    with Desk(path) as desk:
        return _learn(desk, _decisions(desk.db))


def learn_when_due(path: Path) -> Model | None:
    """Trains when `EVERY` decisions have come since the last time; else None."""
    with Desk(path) as desk:
        last = latest_model(desk.db)
        if desk.decided() - (last["decisions"] if last else 0) < (EVERY if last else FIRST):
            return None
        return _learn(desk, _decisions(desk.db))


def report(db: Database) -> dict[str, Any]:
    """How well the rules do, as far as people's decisions tell.

    Precision: of what the rules held and people decided on, the share of spam. Recall: missed spam is estimated from
    the blind sample, unflagged comments that people decided on without knowing it.
    """
    counts = tallies(db)
    precision = share(counts["held_spam"], counts["held_spam"] + counts["held_ok"])
    missed = share(counts["sample_spam"], counts["sample_spam"] + counts["sample_ok"])
    return {
        "precision": asdict(precision),
        "missed": asdict(missed),
        "recall": _recall(precision, missed, counts),
        "waiting": counts["waiting"],
        "unflagged": counts["unflagged"],
        "model": _summary(latest_model(db)),
    }


def share(counted: int, of: int) -> Share:
    """With Wilson's interval (1927), which is right for few and for none, too."""
    if not of:
        return Share(of=0, counted=0, estimate=None, low=0.0, high=1.0)
    p, z = counted / of, SURE * SURE / of
    middle, half = p + z / 2, SURE * math.sqrt(p * (1 - p) / of + z / (4 * of))
    low, high = (middle - half) / (1 + z), (middle + half) / (1 + z)
    return Share(of=of, counted=counted, estimate=p, low=max(0.0, low), high=min(1.0, high))


def _recall(precision: Share, missed: Share, counts: dict[str, int]) -> dict[str, float | None]:
    """Caught / (caught + missed), both shares at their estimates, and at the ends that make it worst and best."""

    def at(caught: float | None, lost: float | None) -> float | None:
        if caught is None or lost is None:
            return None
        held, free = caught * counts["flagged"], lost * counts["unflagged"]
        return held / (held + free) if held + free else None

    estimate = at(precision.estimate, missed.estimate)
    return {"estimate": estimate, "low": at(precision.low, missed.high), "high": at(precision.high, missed.low)}


def _learn(desk: Desk, decided: list[Decision]) -> Model | None:
    if len(decided) < FIRST or len({d.spam for d in decided}) < 2:
        return None
    model = train(decided, version=str(desk.next_model()))
    body = as_json(model)
    desk.save_model(json.dumps(body), decisions=len(decided), summary=json.dumps(body["summary"]), now=now())
    return model


def _decisions(db: Database) -> list[Decision]:
    return [Decision(r["text"], r["signals"] - {MODEL}, r["said"] == "spam") for r in decisions(db)]


def _summary(row: dict[str, Any] | None) -> dict[str, Any] | None:
    return {"version": row["version"], "trained_at": row["trained_at"], **json.loads(row["summary"])} if row else None
