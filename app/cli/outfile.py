"""Where output goes: standard output, or a file that is there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from app.cli.terminal import safe
from crawler.health import USAGE

out_option = click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write this file, whole or not at all, instead of standard output.",
)


class Refused(click.ClickException):
    """It cannot be done as it was asked; one line that says why."""

    exit_code = USAGE


@contextmanager
def destination(out: Path | None, *, spared: Path) -> Iterator[IO[bytes]]:
    """What to write into. A file gets its name when all is written and on the disk; until then what was there stays.

    A reader who has left standard output ends the block, and is no error. Raises `Refused` for a folder that does not
    exist and for the file of the database, `spared`.
    """
    if out is None:
        yield from _standard_output()
        return
    if not out.parent.is_dir():
        raise Refused(f"{safe(str(out))}: there is no folder {safe(str(out.parent))}")
    if out.exists() and spared.exists() and out.samefile(spared):
        raise Refused(f"{safe(str(out))}: that is the database itself")
    in_place = out.exists() and not out.is_file()  # a device or a pipe
    target = out if in_place else out.with_name(f"{out.name}.{os.getpid()}.half")
    try:
        with target.open("wb") as file:
            yield file
            file.flush()
            if not in_place:
                os.fsync(file.fileno())
        if not in_place:
            target.replace(out)
    except OSError as e:
        raise click.ClickException(f"{safe(str(out))}: {e.strerror or e}") from e
    finally:
        if not in_place:
            with contextlib.suppress(OSError):
                target.unlink(missing_ok=True)


def _standard_output() -> Iterator[IO[bytes]]:
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as e:
        raise click.ClickException(f"standard output: {e.strerror or e}") from e
