"""The state of the watch as numbers for Prometheus, in the format that node_exporter's textfile collector takes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from db import read
from db.connect import Database

COUNTED = ("new", "edited", "unchanged", "rejected", "failed", "blocked", "skipped", "gone", "not_due")
"""What became of links in the last run over a source."""
FIGURES = {
    "comments_new": "Comments stored for the first time.",
    "comments_flagged": "Comments newly held for review.",
    "requests": "Requests sent.",
    "not_modified": "Requests answered 304.",
    "bytes": "Bytes downloaded.",
    "bytes_saved": "Bytes that 304 answers did not send again.",
    "seconds": "From the first request to the last answer.",
}


def write_metrics(db: Database, file: Path) -> None:
    """Writes the file, whole or not at all. Raises OSError."""
    from prometheus_client import write_to_textfile

    write_to_textfile(str(file), registry(db))


def registry(db: Database) -> Any:
    """The gauges: of the last crawl, of each source's last visit, of what waits for people."""
    from prometheus_client import CollectorRegistry, Gauge

    into = CollectorRegistry()

    def gauge(name: str, meaning: str, *labels: str) -> Any:
        return Gauge(f"watchfloor_{name}", meaning, labels, registry=into)

    _of_the_run(db, gauge)
    pages = gauge("source_pages", "What became of links in the last run over a source.", "source", "outcome")
    figures = {name: gauge(f"source_{name}", meaning, "source") for name, meaning in FIGURES.items()}
    fresh = gauge("source_last_new_timestamp_seconds", "When a source last gave a new article.", "source")
    trouble = gauge("source_problem", "1 for each problem that the last run over a source named.", "source", "problem")
    for row in read.last_visits(db):
        id = row["source_id"]
        for outcome in COUNTED:
            pages.labels(id, outcome).set(row[outcome])
        for name, figure in figures.items():
            figure.labels(id).set(row[name])
        if row["last_new_at"]:
            fresh.labels(id).set(_seconds(row["last_new_at"]))
        for problem in row["problems"]:
            trouble.labels(id, problem["name"]).set(1)
    gauge("comments_waiting", "Comments that wait for a person.").set(read.waiting(db))
    return into


def _of_the_run(db: Database, gauge: Any) -> None:
    run = next((r for r in read.runs(db, limit=50) if r["kind"] == "crawl" and r["ended_at"]), None)
    if run is None:
        return
    gauge("run_end_timestamp_seconds", "When the last crawl ended.").set(_seconds(run["ended_at"]))
    duration = _seconds(run["ended_at"]) - _seconds(run["started_at"])
    gauge("run_duration_seconds", "How long the last crawl took.").set(duration)
    gauge("run_exit_code", "What the last crawl returned.").set(run["exit_code"])
    gauge("run_problems", "Problems that the last crawl named.").set(len(run["problems"]))


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()
