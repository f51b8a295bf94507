"""Archives of any size as a datatrove pipeline: its MinHash, and between reader and writers the steps of a crawl.

WARC records ─► read: cleaned, compared with nothing, judged ─► kept aside, signed ─► near-duplicates found ─► shards

Each step is one of datatrove's, so that `pipelines.engines` can run the same ones here, on Slurm and on Ray. Nothing of
a stage counts before its task is done: what a killed one left is written over by the next.
"""

from __future__ import annotations

import gc
import json
import re
import resource
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any
from zlib import crc32

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute  # type: ignore[import-untyped]
from datatrove.data import Document
from datatrove.io import get_datafolder
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.dedup.minhash import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupSignature,
)
from datatrove.utils.hashing import HashConfig
from datatrove.utils.stats import Stats
from datatrove.utils.word_tokenizers import WordTokenizer

from moderation.policy import default_policy, load_policy
from pipelines import records
from pipelines.choosing import NEAR, SAME_PAGE, Known, Place, Why
from pipelines.elsewhere import whole
from pipelines.pages import Pages
from pipelines.planning import REPORT, Plan
from pipelines.records import STANDS_FOR, Row
from pipelines.shards import LEFT_OUT, SCHEMA, batches, columns, writing
from pipelines.warcs import opened, taken

NUMBERS = "numbers"
"""The further column of what is kept aside."""
ASIDE = SCHEMA.append(pa.field(NUMBERS, pa.list_(pa.int64())))
MINHASH = MinhashConfig(
    n_grams=5, num_buckets=14, hashes_per_bucket=8, hash_config=HashConfig(precision=64, hash_fc="sha1")
)
"""datatrove's own measures: texts of which 0.72 of the runs of five words agree are found with a chance of a half, with
0.8 of nine in ten."""
_WORD = re.compile(rb"[^\x00-/:-@\[-`{-\x7f]+")
"""Letters and digits; of other scripts everything, in UTF-8."""


class Step(PipelineStep):  # type: ignore[misc, unused-ignore]
    """One of ours."""

    type = "watchfloor"

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan

    def begin(self) -> None:
        """Counts from nothing: one object may do several tasks, one after the other."""
        self.stats = Stats(str(self))

    def count(self, label: str, value: float = 1) -> None:
        """Adds to a number of the report."""
        self.stat_update(label, value=value)


def cpu_seconds() -> float:
    """Of this process and of those that it waited for."""
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in spent)


# ---- reading


class Records(Step):
    """Reader: the answers in a task's share of the WARC files."""

    name = "WARC records"

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """A document for each answer, with the file it lies in; its text comes later."""
        for share in self.plan.shares[rank]:
            with opened(share.path) as file:
                for one in taken(file, share):
                    yield Document(text="", id=one.url, metadata={"taken": one, "path": share.path})


class Extract(Step):
    """Each answer as a crawl would have read it: a row. Further pages of comments, in an archive of ours, go with their
    article."""

    name = "Clean and judge"

    def run(self, data: Iterable[Document], rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """A document for each page, with its row."""
        gc.freeze()  # what is loaded stays
        policy = load_policy(self.plan.rules) if self.plan.rules else default_policy()
        with Pages(self.plan.sources, policy) as pages:
            for document in data:
                row = pages.row(document.metadata["taken"], document.metadata["path"])
                if row is None:
                    self.count("comment pages")
                    continue
                self._counted(row)
                yield Document(text=row["text"], id=row["url"], metadata={"row": row})

    def _counted(self, row: Row) -> None:
        self.count("pages")
        self.count(f"{row['outcome']}: {row['reason']}" if row["reason"] else row["outcome"])
        for name in ("comments", "flagged", "bytes"):
            self.count(name, row[name])


class Keep(Step):
    """Writer: rows of articles, kept aside until it is known which stay; all others into the ledger."""

    name = "Keep aside"

    def run(self, data: Iterable[Document], rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """The documents of articles, in the order of their rows."""
        fs, plan = get_datafolder(self.plan.out), self.plan
        with ExitStack() as stack:
            aside = stack.enter_context(writing(fs, aside_path(rank), "aside", ASIDE))
            ledger = stack.enter_context(writing(fs, plan.shard("ledger", rank), plan.format))
            for document in data:
                row = document.metadata["row"]
                if row["outcome"] == "stored":
                    aside.add({**row, NUMBERS: records.numbers(row["text"])})
                    yield document
                else:
                    ledger.add(row)


def aside_path(task: int) -> str:
    """Where a task's articles are kept until it is known which stay."""
    return f"work/aside/{task:05d}.parquet"


class Words(WordTokenizer):  # type: ignore[misc, unused-ignore]
    """Stands where datatrove would load a tokenizer of 500 MB; `Sign` finds the words itself."""

    def word_tokenize(self, text: str) -> list[str]:
        """The words, in order."""
        return text.split()

    def sent_tokenize(self, text: str) -> list[str]:
        """Nobody asks for it here."""
        return [text]

    def span_tokenize(self, text: str) -> list[tuple[int, int]]:
        """Nobody asks for it here."""
        return [(0, len(text))]


class Sign(MinhashDedupSignature):  # type: ignore[misc, unused-ignore]
    """MinHash's signature of each article. The end of the line: it is this step that draws the documents through.

    datatrove's own hashing takes 15 ms for a text of 1,600 words, at half of what reading the page takes; this 1.
    """

    name = "MinHash signatures"

    def __init__(self, plan: Plan) -> None:
        super().__init__(f"{plan.out}/work/signatures", MINHASH, language=Words())

    def get_shingles(self, text: str) -> Any:
        """The runs of five words, hashed to 64 bits: numbers stay what they are, case and punctuation go."""
        words = np.fromiter(map(crc32, _WORD.findall(text.lower().encode("utf-8", "replace"))), np.uint64)
        runs = len(words) - MINHASH.n_grams + 1
        if runs < 1:
            return words[:0].reshape(-1, 1)
        hashed = np.zeros(runs, np.uint64)
        for place in range(MINHASH.n_grams):
            hashed = _mixed(hashed + words[place : place + runs])
        return np.unique(hashed).reshape(-1, 1)

    def get_signature(self, shingles: Any) -> list[list[int]]:
        """The least of each hash function's values, by bucket: multiply and add modulo 2^64, kept below 2^61 as those
        who read it want it."""
        a, b = self.parameters
        least = ((shingles * (a | np.uint64(1)) + b) >> np.uint64(3)).min(axis=0)
        return [bucket.tolist() for bucket in np.split(least, MINHASH.num_buckets)]

    def run(self, data: Iterable[Document], rank: int = 0, world_size: int = 1) -> None:
        """Writes them."""
        before = cpu_seconds()
        super().run(data, rank, world_size)
        self.stat_update("cpu seconds", value=cpu_seconds() - before)


def _mixed(hashed: Any) -> Any:
    """splitmix64's finisher (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014)."""
    hashed = (hashed ^ (hashed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashed = (hashed ^ (hashed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashed ^ (hashed >> np.uint64(31))


class Drain(Step):
    """The end of a line without signatures."""

    name = "Drain"

    def run(self, data: Iterable[Document], rank: int = 0, world_size: int = 1) -> None:
        """Draws the documents through."""
        before = cpu_seconds()
        for _ in data:
            pass
        self.count("cpu seconds", cpu_seconds() - before)


# ---- which stay


def buckets(plan: Plan) -> MinhashDedupBuckets:
    """Pairs of articles that share a bucket of their signature."""
    return MinhashDedupBuckets(f"{plan.out}/work/signatures", f"{plan.out}/work/pairs", config=MINHASH)


def clusters(plan: Plan) -> MinhashDedupCluster:
    """Articles that hang together by such pairs."""
    return MinhashDedupCluster(
        f"{plan.out}/work/pairs", f"{plan.out}/work/clusters", config=MINHASH, save_cluster_id=True
    )


class Choose(Step):
    """Which rows another one stands for, as `pipelines.choosing` has it."""

    name = "Choose"

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> None:
        """Writes for each task its rows that do not stay, with why and the url of what stands for them."""
        before = cpu_seconds()
        fs, tasks = get_datafolder(self.plan.out), self.plan.tasks
        known = Known.of(columns(fs, aside_path(task), ("url", "fetched_at")) for task in range(tasks))
        left_out = known.same_pages()
        if not self.plan.keep_duplicates:
            together = {place: id for task in range(tasks) for place, id in _clustered(fs, task)}
            numbers = {task: columns(fs, aside_path(task), (NUMBERS,))[NUMBERS] for task in {t for t, _ in together}}
            left_out |= known.near_duplicates(together, lambda place: numbers[place[0]][place[1]], left_out)
        by_task: list[dict[int, Why]] = [{} for _ in range(tasks)]
        for (task, row), why in left_out.items():
            by_task[task][row] = why
            self.count(why[0])
        for task, chosen in enumerate(by_task):
            with whole(fs, chosen_path(task)) as file:
                file.write(json.dumps(chosen).encode())
        self.count("cpu seconds", cpu_seconds() - before)


def _clustered(fs: Any, task: int) -> Iterator[tuple[Place, int]]:
    """The rows of a task that hang together with others, and the number of what they hang together in."""
    path = f"work/clusters/{task:06d}.clusters"
    if fs.exists(path):
        for row, cluster in struct.iter_unpack("<2I", fs.cat_file(path)):
            yield (task, row), cluster


def chosen_path(task: int) -> str:
    """Where it is written which of a task's rows do not stay."""
    return f"work/chosen/{task:05d}.json"


class Split(Step):
    """Writer: the articles that stay, and those that another one stands for."""

    name = "Shards"

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> None:
        """Writes both shards of a task."""
        self.begin()
        before = cpu_seconds()
        fs, plan = get_datafolder(self.plan.out), self.plan
        with fs.open(chosen_path(rank), "rt") as file:
            left_out = {int(row): url for row, (_, url) in json.load(file).items()}
        with (
            writing(fs, plan.shard("articles", rank), plan.format) as articles,
            writing(fs, plan.shard("duplicates", rank), plan.format, LEFT_OUT) as duplicates,
        ):
            begin = 0
            for batch in batches(fs, aside_path(rank)):
                for_each = [left_out.get(row) for row in range(begin, begin + batch.num_rows)]
                begin += batch.num_rows
                stay = pa.array([url is None for url in for_each])
                batch = batch.drop_columns([NUMBERS])
                articles.add_batch(batch.filter(stay))
                others = batch.append_column(LEFT_OUT.field(STANDS_FOR), pa.array(for_each, pa.string()))
                duplicates.add_batch(others.filter(pa.compute.invert(stay)))
        self.count("articles", begin - len(left_out))
        self.count("cpu seconds", cpu_seconds() - before)


class Conclude(Step):
    """The report: what all tasks of all stages counted, as one."""

    name = "Report"

    def __init__(self, plan: Plan, stages: tuple[tuple[str, int], ...]) -> None:
        super().__init__(plan)
        self.stages = stages
        """Name and number of tasks of each one before."""

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> None:
        """Writes `report.json`, and removes what was kept aside."""
        fs, totals = get_datafolder(self.plan.out), Counter[str]()
        for name, tasks in self.stages:
            for task in range(tasks):
                with fs.open(f"work/{name}/stats/{task:05d}.json", "rt") as file:
                    for step in json.load(file):
                        totals.update({label: _total(stat) for label, stat in step["stats"].items()})
        with whole(fs, REPORT) as file:
            file.write(json.dumps(report(totals, self.plan), indent=2).encode())
        for folder in ("aside", "signatures", "pairs", "clusters", "chosen"):
            if fs.exists(f"work/{folder}"):
                fs.rm(f"work/{folder}", recursive=True)


def _total(stat: Any) -> float:
    return float(stat["total"] if isinstance(stat, dict) else stat)


def report(totals: Counter[str], plan: Plan) -> dict[str, Any]:
    """What an extraction came to."""

    def of(outcome: str) -> dict[str, int]:
        named = {label.partition(": ")[2]: int(n) for label, n in totals.items() if label.startswith(f"{outcome}: ")}
        return dict(sorted(named.items(), key=lambda each: (-each[1], each[0])))

    cpu, pages = totals["cpu seconds"], int(totals["pages"])
    return {
        "pages": pages,
        "bytes": int(totals["bytes"]),
        "stored": int(totals["stored"]),
        "rejected": of("rejected"),
        "failed": of("failed"),
        "articles": int(totals["articles"]),
        "near_duplicates": int(totals[NEAR]),
        "same_pages": int(totals[SAME_PAGE]),
        "comments": int(totals["comments"]),
        "flagged": int(totals["flagged"]),
        "comment_pages": int(totals["comment pages"]),
        "tasks": plan.tasks,
        "cpu_seconds": round(cpu, 2),
        "core_hours_a_million_pages": round(cpu / 3600 / pages * 1_000_000, 2) if pages else 0.0,
    }
