"""Measures the classifier on the YouTube Spam Collection, by the protocols of `spam_baselines.py`.

    PYTHONPATH=. python bench/spam.py FOLDER_OF_THE_EVALUATION     (default ../shared/eval)

Leave one video out; and the learning curve: the last n comments of each other video, by date, as decisions.
"""

from __future__ import annotations

import importlib
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crawler.items import Comment, Context
from moderation.classifier import Decision, score, train
from moderation.policy import default_policy, judge

LABELS = (0, 10, 20, 50, 100, 200, 400)
Row = dict[str, Any]
Fold = tuple[list[Row], list[Row]]


def main() -> None:
    """Prints both tables."""
    videos = load(Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/eval"))
    print(
        "| protocol | comments | spam caught | blocked ham | precision | F1 | MCC | brier | seconds |\n"
        + "|---" * 9
        + "|"
    )
    print(line("leave one video out", leave_one_out(videos)))
    for labels in LABELS:
        print(line(f"after {labels} decisions", after(videos, labels)))


def load(evaluation: Path) -> dict[str, list[Row]]:
    """The comments by video, in the order of the file, each with the decision that it stands for."""
    sys.path.insert(0, str(evaluation))
    rows: list[Row] = importlib.import_module("suites").load_youtube(str(evaluation / "data" / "youtube"))
    videos: dict[str, list[Row]] = {}
    for row in rows:
        verdict = judge(Comment(text=row["text"], author=row["author"]), Context(), default_policy())
        fired = frozenset(reason.name for reason in verdict.reasons)
        videos.setdefault(row["video"], []).append({**row, "decision": Decision(row["text"], fired, bool(row["spam"]))})
    return videos


def leave_one_out(videos: dict[str, list[Row]]) -> list[Fold]:
    """Protocol B."""
    return [([r for w in videos if w != v for r in videos[w]], videos[v]) for v in videos]


def after(videos: dict[str, list[Row]], labels: int) -> list[Fold]:
    """The learning curve: `labels` decisions in all, the last by date of each video that is not left out."""
    each = labels // (len(videos) - 1)
    order = {v: sorted(rows, key=lambda r: r["date"] or "0") for v, rows in videos.items()}
    return [([r for w in order if w != v for r in order[w][-each:] if each], videos[v]) for v in videos]


def measure(folds: Sequence[Fold]) -> Row:
    """The scores of `score_links.binary`, pooled over the folds, at a probability of one half."""
    began = time.process_time()
    said: list[tuple[bool, float]] = []
    for known, unseen in folds:
        model = train([r["decision"] for r in known])
        said += [(r["decision"].spam, score(model, r["text"], r["decision"].signals).spam) for r in unseen]
    tp = sum(s and p >= 0.5 for s, p in said)
    fp = sum(not s and p >= 0.5 for s, p in said)
    fn = sum(s and p < 0.5 for s, p in said)
    tn = len(said) - tp - fp - fn
    root = math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)) or 1.0
    return {
        "n": len(said),
        "recall": tp / max(1, tp + fn),
        "blocked_ham": fp / max(1, fp + tn),
        "precision": tp / max(1, tp + fp),
        "f1": 2 * tp / max(1, 2 * tp + fp + fn),
        "mcc": (tp * tn - fp * fn) / root,
        "brier": sum((p - s) ** 2 for s, p in said) / len(said),
        "seconds": time.process_time() - began,
    }


def line(title: str, folds: Sequence[Fold]) -> str:
    """One row of the table."""
    m = measure(folds)
    shares = " | ".join(f"{m[k]:.3f}" for k in ("recall", "blocked_ham", "precision", "f1", "mcc", "brier"))
    return f"| {title} | {m['n']} | {shares} | {m['seconds']:.1f} |"


if __name__ == "__main__":
    main()
