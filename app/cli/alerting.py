"""What follows a crawl: a word to people, a ping to a check, numbers for Prometheus. None of it can spoil the run."""

from __future__ import annotations

import contextlib
import http.client
import logging
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from app.cli.metrics import write_metrics
from app.cli.options import reading
from app.cli.terminal import complain, one_line, say
from app.cli.watches import headlines
from crawler.alerts import Alert, Found, alert, broke_off
from crawler.health import LOCKED
from crawler.items import Problem, RunReport
from db import read, watches
from db.connect import DatabaseProblem

PING_SECONDS = 10
CODE = "{code}"
"""Stands in a ping's address for the exit code; without it only a good run pings."""

alert_option = click.option(
    "--alert",
    "alerts",
    multiple=True,
    metavar="URL|FILE",
    envvar="WATCHFLOOR_ALERT",
    help="Where to tell people what began and what is over: an address of Apprise, or a file of them.",
)
ping_option = click.option(
    "--ping",
    default="",
    metavar="URL",
    envvar="WATCHFLOOR_PING",
    help="Call this address after a good run; with {code} in it after every run, with its exit code.",
)
metrics_option = click.option(
    "--metrics",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="WATCHFLOOR_METRICS",
    help="Write numbers for Prometheus into this file after each run.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Afterwards:
    """Who is told of a run."""

    alerts: tuple[str, ...] = ()
    ping: str = ""
    metrics: Path | None = None

    def check(self) -> None:
        """Raises `click.UsageError` for what could not be told later on. Sends nothing."""
        if self.ping and not self.ping.startswith(("https://", "http://")):
            raise click.UsageError(f"--ping {self.ping}: no http or https address")
        if self.alerts:
            _apprise(self.alerts)
        if self.metrics and not self.metrics.absolute().parent.is_dir():
            raise click.UsageError(f"--metrics {self.metrics}: no such folder")

    def tell(self, path: Path, code: int, report: RunReport | None, why: str = "") -> None:
        """Tells of a run on the database `path`. Whatever goes wrong here is a line on standard error."""
        if code == LOCKED:  # the other run tells
            return
        if self.metrics:
            _write_metrics(path, self.metrics)
        message = (
            alert(report, _before(path), _found(path))
            if report
            else broke_off(why or f"it ended with exit code {code}")
        )
        if self.alerts and message and not _sent(self.alerts, message):
            complain("the alert did not reach everybody; `watchfloor alert` tries each address")
        if self.ping and (code == 0 or CODE in self.ping):
            _call(self.ping.replace(CODE, str(code)))


@click.command("alert")
@click.argument("text", default="This is a test.")
@alert_option
def alert_(text: str, alerts: tuple[str, ...]) -> int:
    """Send TEXT to where alerts go, to see that it arrives.

    Exit codes: 0 everybody was reached; 1 somebody was not; 2 nobody is named, or an address cannot be used.

    \b
    Examples: watchfloor alert --alert mailto://desk@paper.example
              WATCHFLOOR_ALERT=/etc/watchfloor/alerts.txt watchfloor alert
    """
    if not alerts:
        raise click.UsageError("nobody is named; give --alert URL|FILE, or set WATCHFLOOR_ALERT")
    missed = 0
    for number, address in enumerate(alerts, 1):
        reached = _sent((address,), Alert(title="watchfloor: test", text=text, good=True))
        missed += not reached
        say(f"address {number}: {'reached' if reached else 'not reached'}")  # it may hold a password: never shown
    return int(bool(missed))


def _before(path: Path) -> tuple[Problem, ...]:
    """The problems that stood before the latest run; none where the database cannot be read."""
    with contextlib.suppress(DatabaseProblem), reading(path) as db:
        return tuple(Problem(**row) for row in read.problems_before(db))
    return ()


def _found(path: Path) -> tuple[Found, ...]:
    """What the latest run found for kept searches; nothing where the database cannot be read."""
    with contextlib.suppress(DatabaseProblem), reading(path) as db:
        rows = watches.found_last(db)
        return tuple(Found(name=row["name"], new=row["new"], first=headlines(row)) for row in rows)
    return ()


def _apprise(addresses: Sequence[str]) -> Any:
    """Apprise with these addresses. Raises `click.UsageError`; an address may hold a password, so none is shown."""
    try:
        import apprise
    except ImportError:
        raise click.UsageError("alerts need apprise: pip install 'watchfloor[alerts]'") from None
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    people = apprise.Apprise()
    for number, address in enumerate(addresses, 1):
        config = apprise.AppriseConfig()
        usable = config.add(address) and config.services() if Path(address).is_file() else people.add(address)
        if not usable:
            raise click.UsageError(
                f"--alert: address {number} is none that Apprise knows, nor a file of such addresses"
            )
        if Path(address).is_file():
            people.add(config)
    return people


def _sent(addresses: Sequence[str], message: Alert) -> bool:
    people = _apprise(addresses)
    kind = "success" if message.good else "failure"
    return bool(people.notify(title=message.title, body=message.text, notify_type=kind, body_format="text"))


def _call(address: str) -> None:
    try:
        with urllib.request.urlopen(address, timeout=PING_SECONDS) as answer:  # noqa: S310 - http(s), the operator's own
            answer.read(1000)
    except (OSError, ValueError, http.client.HTTPException) as e:
        complain(f"the ping failed: {one_line(str(e), 200)}")


def _write_metrics(path: Path, file: Path) -> None:
    try:
        with reading(path) as db:
            write_metrics(db, file)
    except (DatabaseProblem, OSError) as e:
        complain(f"{file}: no metrics written: {one_line(str(e), 200)}")
