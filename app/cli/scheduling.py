"""`watchfloor schedule`: how to keep the watch from cron or systemd."""

from __future__ import annotations

import shlex
import shutil
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import click

from app.cli.options import db_of, db_option, home_of, home_option


@click.command()
@click.option("--cron", "kind", flag_value="cron", default="cron", help="Lines for a crontab (the default).")
@click.option("--systemd", "kind", flag_value="systemd", help="Units for systemd: a service, a timer, a watchdog.")
@click.option("--every", type=click.IntRange(1, 24), default=1, metavar="HOURS", help="Hours between runs. Default 1.")
@click.option("--ping", default="", metavar="URL", help="As of `crawl`: an address to be called after each good run.")
@db_option
@home_option
def schedule(kind: str, every: int, ping: str, db: Path | None, home: Path | None) -> None:
    """Print what keeps the watch: ready lines for cron, or units for systemd. Nothing is installed.

    Add the lines to your crontab; `crontab -` alone would put them in the place of all that is there.

    \b
    Examples: (crontab -l; watchfloor schedule --cron) | crontab -
              watchfloor schedule --systemd --every 2
    """
    if ping and not ping.startswith(("https://", "http://")):
        raise click.UsageError(f"--ping {ping}: no http or https address")
    if any(c.isspace() or not c.isprintable() for c in ping):
        raise click.UsageError("--ping: an address without blanks, please")
    beside = Path(sys.executable).with_name("watchfloor")
    program = str(beside) if beside.exists() else shutil.which("watchfloor") or "watchfloor"
    where = ["--home", str(home_of(home).absolute())]
    path = str(db_of(db, home).absolute())
    command = [program, "crawl", "-q", *where, "--db", path, *(["--ping", ping] if ping else [])]
    guard = [program, "status", "--max-age", str(3 * every), "--db", path]
    minute = zlib.crc32(path.encode()) % 55 + 2  # not all machines shall call at the full hour
    lines = _cron(command, guard, every, minute) if kind == "cron" else _systemd(command, guard, every)
    for line in lines:
        click.echo(line)


def _cron(command: list[str], guard: list[str], every: int, minute: int) -> Iterator[str]:
    """Lines of a crontab."""
    hours = "*" if every == 1 else f"*/{every}"
    yield "# watchfloor: mail comes only when something is wrong. Set MAILTO, or read the mail of this user."
    limit = f"{shutil.which('timeout') or 'timeout'} -k 60 {every * 60 - 10}m"
    yield f"{minute} {hours} * * * {limit} {_for_cron(command)}"
    yield f"# the watchdog: it complains when no run has ended for {3 * every} hours"
    yield f"{(minute + 30) % 60} */{max(3, every)} * * * {_for_cron(guard)} >/dev/null"


def _for_cron(command: list[str]) -> str:
    """A command as a crontab has it: `%` would end the line there."""
    return shlex.join(command).replace("%", "\\%")


def _systemd(command: list[str], guard: list[str], every: int) -> Iterator[str]:
    """Units, each under the name of the file that it belongs into."""
    yield "# ~/.config/systemd/user/watchfloor.service"
    yield from _unit("Unit", Description="watchfloor: one crawl", After="network-online.target")
    yield from _unit(
        "Service",
        Type="oneshot",
        ExecStart=_for_systemd(command),
        SuccessExitStatus="75",
        Nice="10",
        TimeoutStartSec=f"{every * 60 - 10}min",
        KillSignal="SIGTERM",
        TimeoutStopSec="60",
    )
    yield "# ~/.config/systemd/user/watchfloor.timer"
    yield from _unit("Unit", Description="watchfloor: keep the watch")
    yield from _unit(
        "Timer",
        OnCalendar=f"*-*-* {_hours_of_day(every)}:00:00",
        RandomizedDelaySec="10min",
        Persistent="true",
    )
    yield from _unit("Install", WantedBy="timers.target")
    yield "# ~/.config/systemd/user/watchfloor-watchdog.service"
    yield from _unit("Unit", Description="watchfloor: has a run ended lately?")
    yield from _unit("Service", Type="oneshot", ExecStart=_for_systemd(guard))
    yield "# ~/.config/systemd/user/watchfloor-watchdog.timer"
    yield from _unit("Unit", Description="watchfloor: ask the watchdog")
    yield from _unit("Timer", OnCalendar=f"*-*-* {_hours_of_day(max(3, every))}:30:00", Persistent="true")
    yield from _unit("Install", WantedBy="timers.target")
    yield "# then: systemctl --user daemon-reload"
    yield "#       systemctl --user enable --now watchfloor.timer watchfloor-watchdog.timer"


def _hours_of_day(every: int) -> str:
    return "0" if every == 24 else f"0/{every}"


def _unit(section: str, **settings: str) -> Iterator[str]:
    yield f"[{section}]"
    yield from (f"{name}={value}" for name, value in settings.items())
    yield ""


def _for_systemd(command: list[str]) -> str:
    """A command as a unit has it: each word quoted, `%` and `$` doubled."""
    words = (word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$") for word in command)
    return " ".join(f'"{word}"' for word in words)
