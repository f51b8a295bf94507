"""`watchfloor`: the command. Thin: a subcommand's code is imported when it is called."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

TROUBLE, USAGE, DATABASE = 1, 2, 4  # as in crawler.health, whose import is not worth a slow `--help`

COMMANDS = {
    "crawl": ("app.cli.crawl:crawl", "Visit sources, store what is new, judge the comments."),
    "latest": ("app.cli.reading:latest", "The newest articles."),
    "search": ("app.cli.reading:search", "Find articles by their words."),
    "watch": ("app.cli.watches:watch", "Searches that are kept: told of what is new after each run."),
    "show": ("app.cli.reading:show", "One article with its comments and verdicts."),
    "history": ("app.cli.history:history", "How an article changed after it was published."),
    "stories": ("app.cli.stories:stories", "The same story in many outlets: who had it first, who changed what."),
    "flagged": ("app.cli.review:flagged", "Comments that wait for a person's decision."),
    "review": ("app.cli.reviewing:review", "Review in the terminal, with the same keys as in the browser."),
    "decide": ("app.cli.review:decide", "Decide on a comment: spam or ok."),
    "undo": ("app.cli.review:undo", "Take a decision back."),
    "decisions": ("app.cli.travelling:decisions", "Take decisions to another database, or back: export, import."),
    "whatif": ("app.cli.rules:whatif", "What would change if the stored comments were judged again."),
    "rejudge": ("app.cli.rules:rejudge", "Judge the stored comments again."),
    "rules": ("app.cli.travelling:rules", "Check a rules file, show what holds, test a text; export, import."),
    "allow": ("app.cli.rules:allow", "Let links to a domain pass."),
    "deny": ("app.cli.rules:deny", "Put a domain on the deny list."),
    "learn": ("app.cli.learning:learn", "Learn from people's decisions now."),
    "review-report": ("app.cli.learning:review_report", "How well the rules do: precision, recall, intervals."),
    "query": ("app.cli.querying:query", "Ask the database a question of the query pack."),
    "export": ("app.cli.exporting:export", "Any view, search or query as CSV, JSON, Parquet, Atom, RSS."),
    "digest": ("app.cli.exporting:digest", "A day's news as a page: HTML or Markdown."),
    "serve": ("app.cli.serving:serve", "Read and review in the browser."),
    "sql": ("app.cli.datasette:sql", "The database in the browser, read-only, with the query pack (Datasette)."),
    "runs": ("app.cli.reading:runs", "What the last crawls did, and what went wrong."),
    "explain": ("app.cli.explaining:explain", "What is known of a URL, and what the next run does with it."),
    "sources": ("app.cli.sources:sources", "The sites that can be watched."),
    "status": ("app.cli.watching:status", "Every source's health at a glance; a watchdog with --max-age."),
    "schedule": ("app.cli.scheduling:schedule", "Print crontab lines or systemd units that keep the watch."),
    "alert": ("app.cli.alerting:alert_", "Send a test to where alerts go."),
    "replay": ("app.cli.replaying:replay", "Read archived pages again, without a request: what would change."),
    "extract": ("app.cli.extract:extract", "WARC files of any size to shards: here, on Slurm, on Ray."),
    "load": ("app.cli.load:load", "Bring shards that extract wrote into the database."),
    "archive": ("app.cli.archive:archive", "The raw pages that are kept: list, check, prune."),
    "backup": ("app.cli.upkeep:backup", "A verified copy of the database."),
    "restore": ("app.cli.upkeep:restore", "Put a backup in the database's place."),
    "prune": ("app.cli.upkeep:prune", "Remove what a policy says is old, and say what went."),
    "integrity": ("app.cli.upkeep:integrity", "Whether the database is whole: file, references, index, standing."),
    "doctor": ("app.cli.doctor:doctor", "What is wrong here, and how to mend it."),
    "demo": ("app.cli.demo:demo", "Crawl a small bundled news site, to see how it all works."),
    "clean": ("app.cli.cleaning:clean", "Clean a page, and say why it came out so; or pages as JSON lines."),
    "judge": ("app.cli.filters:judge", "Judge comments given as JSON lines."),
    "import": ("app.cli.importing:import_", "Import comments from an export: WordPress, Disqus, Blogger, CSV, …"),
}


class Lazy(click.Group):
    """A group that knows the name and purpose of each command without importing it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of use, not of the alphabet."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in `--help`, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, purpose) for name, (_, purpose) in COMMANDS.items()])


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="watchfloor")
def cli() -> None:
    """Keep watch on defense news.

    watchfloor visits news sites, keeps articles and reader comments in one SQLite file, and holds the comments that
    carry links until a person has judged them.

    \b
    Start here:   watchfloor demo
    From cron:    watchfloor crawl -q
    Then:         watchfloor latest | search WORDS | flagged | decide ID spam
    """


def main() -> None:
    """Runs the command. What goes wrong is one line on standard error and an exit code that says what it was."""
    try:
        code = cli(standalone_mode=False)
    except click.exceptions.Abort:
        code = 130
    except click.ClickException as e:
        e.show()
        code = e.exit_code
    except Exception as e:  # noqa: BLE001 - the known ones become one line, the others are raised again
        code = _explained(e)
    sys.exit(code if isinstance(code, int) else 0)


def _explained(error: Exception) -> int:
    from app.cli.terminal import complain
    from crawler.source import SourceError
    from db.connect import DatabaseProblem, Unstorable
    from moderation.policy import PolicyError

    codes: dict[type[Any], int] = {
        SourceError: USAGE,
        PolicyError: USAGE,
        Unstorable: USAGE,
        DatabaseProblem: DATABASE,
        OSError: TROUBLE,
    }
    for kind, code in codes.items():
        if isinstance(error, kind):
            complain(str(error))
            return code
    raise error


if __name__ == "__main__":
    main()
