"""The long run: each target in a process of its own, bounded in time and memory, guided by coverage where atheris is.

`python -m fuzz.run` with `tests` on the path. What ends a target is made smaller and laid into its corpus.
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import importlib.util
import mmap
import os
import re
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import NamedTuple

CORPUS = Path(__file__).parent / "corpus"
GROWN = Path(__file__).parent.parent.parent / "bench" / "out" / "fuzzing"
"""Inputs that reached new code: kept between runs, not in the repository."""
HANG_SECONDS = 5.0
"""Of processor time for one input."""
MEMORY_BYTES = 600 * 1024 * 1024
"""Of address space, with Python, the libraries and all that they read at the start."""
NOTED_BYTES = 1024 * 1024
"""Of an input; none is longer."""
SMALLER_SECONDS = 60
"""To make an input smaller that broke something."""
ROOMS = ("app.cli.filters", "crawler", "db", "moderation", "pipelines")
"""What is guided by coverage."""
HEAD = struct.Struct("<qdqq")
"""Executions, seconds of the slowest, length of the last input, length of the slowest."""


class Noted:
    """What a target's process writes down for the one that waits for it, whatever becomes of it."""

    def __init__(self) -> None:
        self.memory = mmap.mmap(-1, HEAD.size + 2 * NOTED_BYTES)

    @property
    def head(self) -> tuple[int, float, int, int]:
        return HEAD.unpack_from(self.memory)

    @property
    def last(self) -> bytes:
        return self.memory[HEAD.size : HEAD.size + self.head[2]]

    @property
    def slowest(self) -> bytes:
        start = HEAD.size + NOTED_BYTES
        return self.memory[start : start + self.head[3]]

    def begin(self, data: bytes) -> None:
        """An input, before it is tried."""
        runs, seconds, _, longest = self.head
        self.memory[HEAD.size : HEAD.size + len(data)] = data
        HEAD.pack_into(self.memory, 0, runs + 1, seconds, len(data), longest)

    def end(self, data: bytes, seconds: float) -> None:
        """An input, when it is done."""
        runs, slowest, last, _ = self.head
        if seconds > slowest:
            start = HEAD.size + NOTED_BYTES
            self.memory[start : start + len(data)] = data
            HEAD.pack_into(self.memory, 0, runs, seconds, last, len(data))


class Outcome(NamedTuple):
    """How the process of a target ended."""

    why: str
    """Empty when nothing was found."""
    megabytes: float
    said: str


# ---- in the process of a target


def bounded() -> None:
    """From here on this process has so much memory, and its timer ends it with a note of where it was."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.enable()
    faulthandler.register(signal.SIGPROF, chain=True)


def tried(name: str, data: bytes, noted: Noted) -> None:
    """One input. Raises what its target raises; hanging ends the process."""
    from fuzz.targets import TARGETS

    noted.begin(data)
    began = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, HANG_SECONDS)
    try:
        TARGETS[name].run(data)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    noted.end(data, time.process_time() - began)


def fuzz(name: str, seconds: float, seed: int, noted: Noted) -> None:
    """Inputs until the time is up."""
    guided = importlib.util.find_spec("atheris") is not None
    if guided:
        import atheris

        with atheris.instrument_imports(include=list(ROOMS), enable_loader_override=False):
            from fuzz import targets
    else:
        from fuzz import targets
    from fuzz.heavy import heavy
    from fuzz.mutation import mutated

    pieces, seeds = targets.TARGETS[name].pieces, [file.read_bytes() for file in entries(name)]
    bounded()
    for data in (*seeds, *heavy(name)):
        tried(name, data, noted)
    if guided:
        return _guided(name, seconds, seed, noted)
    chance, until = Random(seed), time.monotonic() + seconds
    while time.monotonic() < until:
        tried(name, mutated(chance, chance.choice(seeds), seeds, pieces), noted)


def _guided(name: str, seconds: float, seed: int, noted: Noted) -> None:
    import atheris

    from fuzz.mutation import MANY_BYTES, mutated
    from fuzz.targets import TARGETS

    pieces, seeds = TARGETS[name].pieces, [file.read_bytes() for file in entries(name)]
    grown = GROWN / name
    grown.mkdir(parents=True, exist_ok=True)

    def other(data: bytes, most: int, number: int) -> bytes:
        chance = Random(number)
        return atheris.Mutate(data, most) if chance.random() < 0.3 else mutated(chance, data, seeds, pieces)[:most]

    options = {"max_total_time": int(seconds), "max_len": MANY_BYTES, "seed": seed, "len_control": 0}
    options |= {"rss_limit_mb": 0, "timeout": int(10 * seconds), "artifact_prefix": f"{GROWN}/"}
    args = [sys.argv[0], *(f"-{key}={value}" for key, value in options.items()), str(grown), str(CORPUS / name)]
    atheris.Setup(args, lambda data: tried(name, data, noted), custom_mutator=other)
    atheris.Fuzz()


def once(name: str, data: bytes, noted: Noted) -> None:
    """One input, in the bounds of the long run."""
    from fuzz import targets  # noqa: F401 - what Python needs to read them is not the input's

    bounded()
    tried(name, data, noted)


def smaller(name: str, data: bytes, why: str, noted: Noted) -> None:
    """Notes an input that ends its target in the same way, with all left out that can be in the time there is."""
    from fuzz import targets  # noqa: F401 - read once, for all the processes that are forked from here

    kind, until = why.partition(":")[0], time.monotonic() + SMALLER_SECONDS
    part = max(1, len(data) // 2)
    while part and time.monotonic() < until:
        at = 0
        while at < len(data) and time.monotonic() < until:
            shorter = data[:at] + data[at + part :]
            if watched("once", Noted(), name, shorter).why.partition(":")[0] == kind:
                data = shorter
                noted.begin(data)
            else:
                at += part
        part //= 2


# ---- in the process that waits


def entries(name: str) -> list[Path]:
    """The corpus of a target."""
    return sorted(file for file in (CORPUS / name).iterdir() if file.is_file())


def watched(work: str, noted: Noted, *args: object) -> Outcome:
    """What becomes of one of these functions in a process of its own."""
    with tempfile.TemporaryFile("w+") as said:
        pid = os.fork()
        if not pid:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            code = 1
            try:
                globals()[work](*args, noted)
                code = 0
            except BaseException:
                os.write(2, traceback.format_exc().encode("utf-8", "backslashreplace"))
            finally:
                os._exit(code)
        _, status, used = os.wait4(pid, 0)
        said.seek(0)
        text = said.read()
    return Outcome(_why(os.waitstatus_to_exitcode(status), text), used.ru_maxrss / 1024, text)


def _why(code: int, said: str) -> str:
    if not code:
        return ""
    if code == -signal.SIGPROF:
        return f"hang: longer than {HANG_SECONDS:g} s"
    lines = [line for line in said.splitlines() if re.match(r"\s*(?:\w+\.)*\w*(?:Error|Exception|Interrupt)\b", line)]
    return lines[0].strip() if lines else f"exit code {code}"


def kept(name: str, data: bytes) -> Path:
    """The input as an entry of the corpus."""
    file = CORPUS / name / f"found-{hashlib.sha256(data).hexdigest()[:12]}"
    file.write_bytes(data)
    return file


def reported(name: str, seconds: float, seed: int) -> bool:
    """Fuzzes one target, prints what came of it; True when nothing was found."""
    noted = Noted()
    outcome = watched("fuzz", noted, name, seconds, seed)
    runs, slowest, _, _ = noted.head
    covered = re.findall(r"cov: (\d+)", outcome.said)
    coverage = f", {covered[-1]} edges" if covered else ""
    print(f"{name}: {runs} inputs{coverage}, {outcome.megabytes:.0f} MB, slowest {slowest:.2f} s", flush=True)
    GROWN.mkdir(parents=True, exist_ok=True)
    (GROWN / f"slowest-{name}").write_bytes(noted.slowest)
    if not outcome.why:
        return True
    (GROWN / f"said-{name}").write_text(outcome.said)
    small = Noted()
    watched("smaller", small, name, noted.last, outcome.why)
    file = os.path.relpath(kept(name, small.last or noted.last))
    print(f"  {outcome.why}\n  again: PYTHONPATH=tests {sys.executable} -m fuzz.run {name} --input {file}", flush=True)
    return False


def main(args: Iterable[str]) -> int:
    """The exit code: 1 when something was found."""
    parser = argparse.ArgumentParser(prog="fuzz.run", description=__doc__)
    parser.add_argument("targets", nargs="*", help="all of them without a name")
    parser.add_argument("--seconds", type=float, default=600, help="for each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--input", type=Path, help="try this file alone")
    given = parser.parse_args(list(args))
    names = given.targets or sorted(folder.name for folder in CORPUS.iterdir())
    if given.input:
        once(names[0], given.input.read_bytes(), Noted())
        return 0
    guided = "guided by coverage" if importlib.util.find_spec("atheris") else "atheris is not here: mutations alone"
    print(f"{len(names)} targets, {given.seconds:.0f} s each, seed {given.seed}, {guided}", flush=True)
    sound = [reported(name, given.seconds, given.seed) for name in names]
    return 0 if all(sound) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
