"""Where an extraction runs: on this machine, on Slurm, on Ray; the same stages, resumable by task, on each of them."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, cast

from datatrove.executor.base import PipelineExecutor
from datatrove.executor.ray import RayPipelineExecutor
from datatrove.executor.slurm import SlurmPipelineExecutor

from crawler import workers
from pipelines.extracting import (
    MINHASH,
    Choose,
    Conclude,
    Drain,
    Extract,
    Keep,
    Records,
    Sign,
    Split,
    buckets,
    clusters,
)
from pipelines.planning import Plan

PRELOADED = ["__main__", __name__, workers.ROOM, "pyarrow.dataset", "pandas"]
"""Imported once, for all tasks. pandas is no need of ours, but pyarrow loads it where it is there."""
TRIES = 3
"""Of one task, before it is given up: a machine that dies, or runs out of memory, says nothing of the task."""

Heard = Callable[[str, int, int], None]
"""Hears of a stage how many tasks are done, of how many."""


class Unfinished(Exception):
    """Tasks that could not be done. The message says which, and where it is written why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Steps that run one behind the other in each of its tasks."""

    name: str
    steps: list[Any]
    tasks: int
    together: int = 1
    """Tasks that are small enough to be done by one process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slurm:
    """What Slurm wants to know."""

    partition: str
    time: str = "24:00:00"
    memory_gb: int = 2
    arguments: Mapping[str, str] = field(default_factory=dict)
    """Further ones of `sbatch`."""


def stages(plan: Plan) -> list[Stage]:
    """What is done, in order."""
    last = Drain(plan) if plan.keep_duplicates else Sign(plan)
    listed = [Stage(name="read", steps=[Records(plan), Extract(plan), Keep(plan), last], tasks=plan.tasks)]
    if not plan.keep_duplicates:
        listed.append(
            Stage(name="pair", steps=[buckets(plan)], tasks=MINHASH.num_buckets, together=MINHASH.num_buckets // 2)
        )
    cluster = [] if plan.keep_duplicates else [clusters(plan)]
    listed.append(Stage(name="choose", steps=[*cluster, Choose(plan)], tasks=1))
    listed.append(Stage(name="write", steps=[Split(plan)], tasks=plan.tasks, together=8))
    done = tuple((stage.name, stage.tasks) for stage in listed)
    return [*listed, Stage(name="report", steps=[Conclude(plan, done)], tasks=1)]


def run(plan: Plan, *, workers: int, heard: Heard = lambda stage, done, of: None) -> None:
    """Does it on this machine, what is left of it. Raises `Unfinished`."""
    for stage in stages(plan):
        Local(stage, _logs(plan, stage), workers).run(heard)


def run_on_ray(plan: Plan, *, workers: int, heard: Heard = lambda stage, done, of: None) -> None:
    """Does it on the Ray cluster that RAY_ADDRESS names, or on one of this machine. Raises `Unfinished`."""
    import ray

    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # as Ray will have it; else it warns
    own: dict[str, Any] = {} if "RAY_ADDRESS" in os.environ else {"num_cpus": workers, "include_dashboard": False}
    ray.init(**own, log_to_driver=False, logging_level=logging.ERROR)
    try:
        with _quiet():
            for stage in stages(plan):
                logs = _logs(plan, stage)
                executor = RayPipelineExecutor(
                    stage.steps,
                    tasks=stage.tasks,
                    workers=workers,
                    logging_dir=logs,
                    mem_per_cpu_gb=1,
                    tasks_per_job=stage.together,
                )
                executor.run()
                left = executor.get_incomplete_ranks()
                heard(stage.name, stage.tasks - len(left), stage.tasks)
                if left:
                    raise Unfinished(_unfinished(stage, left, logs))
    finally:
        ray.shutdown()


def submit_to_slurm(plan: Plan, how: Slurm, *, workers: int) -> list[tuple[str, str]]:
    """Hands it to Slurm: the name and job of each stage, of which each waits for the one before. A stage that is done
    already has none."""
    before: SlurmPipelineExecutor | None = None
    jobs = []
    for stage in stages(plan):
        before = Submitted(
            stage.steps,
            tasks=stage.tasks,
            workers=workers,
            time=how.time,
            partition=how.partition,
            mem_per_cpu_gb=how.memory_gb,
            sbatch_args=dict(how.arguments),
            qos="",
            job_name=f"watchfloor-{stage.name}",
            logging_dir=_logs(plan, stage),
            tasks_per_job=stage.together,
            depends=before,
            env_command=f'export PATH="{Path(sys.executable).parent}:$PATH"',
        )
        with _quiet():
            before.run()
        jobs.append((stage.name, "" if before.job_id == -1 else str(before.job_id)))
    return jobs


def _logs(plan: Plan, stage: Stage) -> str:
    return f"{plan.out}/work/{stage.name}"


def _unfinished(stage: Stage, left: list[int], logs: str) -> str:
    which = f"task {left[0]}" if len(left) == 1 else f"{len(left)} tasks"
    return f"{stage.name}: {which} of {stage.tasks} failed; {logs}/logs/task_{left[0]:05d}.log says why"


@contextlib.contextmanager
def _quiet() -> Any:
    """datatrove's log goes to standard error unless it is told otherwise."""
    from loguru import logger

    logger.remove()
    yield


class Submitted(SlurmPipelineExecutor):  # type: ignore[misc, unused-ignore]
    """On Slurm. Statistics are merged by our own last stage."""

    def launch_merge_stats(self) -> None:
        """Nothing to launch."""


class Local(PipelineExecutor):  # type: ignore[misc, unused-ignore]
    """On this machine, each task in a process of its own: what kills a process costs its task another try, and no
    task sees what an earlier one left behind in memory."""

    def __init__(self, stage: Stage, logs: str, workers: int) -> None:
        super().__init__(stage.steps, logs)
        self.stage, self.workers = stage, workers

    @property
    def world_size(self) -> int:
        """The number of tasks."""
        return self.stage.tasks

    def get_distributed_env(self, node_rank: int = -1) -> Any:
        """What datatrove writes into the environment of a task."""
        names = ("node_ips", "cpus_per_task", "mem_per_cpu", "gpus_on_node")
        return {**{f"datatrove_{name}": "-1" for name in names}, "datatrove_executor": "LOCAL"}

    def run(self, heard: Heard = lambda stage, done, of: None) -> None:
        """All tasks that are not done yet. Raises `Unfinished`."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        left = self.get_incomplete_ranks()
        waiting = deque(left[i : i + self.stage.together] for i in range(0, len(left), self.stage.together))
        running: dict[int, tuple[Any, list[int]]] = {}
        tried = Counter[int]()
        heard(self.stage.name, self.world_size - len(left), self.world_size)
        try:
            while waiting or running:
                while waiting and len(running) < self.workers:
                    ranks = waiting.popleft()
                    process = context.Process(target=_work, args=(self, ranks), daemon=True)
                    process.start()
                    running[process.sentinel] = process, ranks
                for sentinel in wait(list(running)):
                    process, ranks = running.pop(cast(int, sentinel))
                    process.join()
                    again = [rank for rank in ranks if not self.is_rank_completed(rank)]
                    tried.update(again)
                    if again and tried[again[0]] < TRIES:
                        waiting.append(again)
                    heard(self.stage.name, self.world_size - len(self.get_incomplete_ranks()), self.world_size)
        finally:
            for process, _ in running.values():
                process.kill()
        if left := self.get_incomplete_ranks():
            raise Unfinished(_unfinished(self.stage, left, self.stage_logs))

    @property
    def stage_logs(self) -> str:
        """Where the log of each task lies."""
        return str(self.logging_dir.resolve_paths(""))


def _work(executor: Local, ranks: list[int]) -> None:
    """In a process of its own, which ends with the one that wanted it."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for rank in ranks:
        executor._run_for_rank(rank, local_rank=1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)
