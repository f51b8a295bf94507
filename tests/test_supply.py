"""What we are made of: pinned, hashed, listed, asked about; and no tool that says so without having looked."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.utils import canonicalize_name

from tools import audit, bounds, resolutions, sbom
from tools.locked import DEV, ROOT, RUN, NotALock, direct, read

WORKFLOWS = sorted((ROOT / ".github").rglob("*.yml"))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+(?:\.\d+)*")
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"


# ---- the workflow


def test_every_action_is_pinned_to_a_commit_and_says_its_version() -> None:
    used = [line.split("uses:", 1)[1].strip() for file in WORKFLOWS for line in _lines(file) if "uses:" in line]
    assert used
    assert [action for action in used if not PINNED.fullmatch(action)] == []


def test_one_action_is_one_commit_everywhere() -> None:
    used = {line.split("uses:", 1)[1].strip() for file in WORKFLOWS for line in _lines(file) if "uses:" in line}
    names = [action.partition("@")[0] for action in used]
    assert len(names) == len(set(names))


def test_no_job_has_a_secret_or_may_write() -> None:
    text = WORKFLOW.read_text("utf-8")
    told = yaml.safe_load(text)
    assert told["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in told["jobs"].values())
    assert "secrets" not in re.sub(r"#.*", "", text)
    assert "pull_request_target" not in text
    steps = [step for job in told["jobs"].values() for step in job["steps"]]
    checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) == len(told["jobs"])
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_every_python_that_we_say_we_run_on_is_tested() -> None:
    matrix = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]["check"]["strategy"]["matrix"]["python"]
    said = re.findall(r"Programming Language :: Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text("utf-8"))
    assert matrix == said


def test_what_the_workflow_makes_can_be_made() -> None:
    told = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    commands = [step["run"] for job in told["jobs"].values() for step in job["steps"] if "run" in step]
    asked = {name for command in commands for name in re.findall(r"^\s*make ([a-z-]+)", command, re.MULTILINE)}
    asked |= set(told["jobs"]["long"]["strategy"]["matrix"]["what"])
    there = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert {"audit", "sbom", "resolutions", "fuzz", "faults", "hostile"} <= asked
    assert asked <= there


def test_new_versions_of_actions_and_packages_are_proposed_after_a_week() -> None:
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text("utf-8"))["updates"]
    assert {update["package-ecosystem"] for update in updates} == {"github-actions", "pip"}
    assert all(update["cooldown"]["default-days"] == 7 for update in updates)


def _lines(file: Path) -> list[str]:
    return [line for line in file.read_text("utf-8").splitlines() if not line.lstrip().startswith("#")]


# ---- the locks


@pytest.mark.parametrize("lock", [RUN, DEV], ids=lambda path: path.name)
def test_everything_that_is_locked_has_one_version_and_a_hash(lock: Path) -> None:
    packages = read(lock)
    assert len(packages) > 50
    assert all(package.hashes for package in packages)
    assert sum(len(package.hashes) for package in packages) == lock.read_text("utf-8").count("--hash=sha256:")


def test_every_direct_dependency_is_locked_within_its_bounds() -> None:
    for lock, extra in ((RUN, ""), (DEV, ""), (DEV, "dev"), (DEV, "alerts"), (DEV, "parquet")):
        there = {package.name: package for package in read(lock)}
        for asked in direct(extra):
            package = there[canonicalize_name(asked.name)]
            assert asked.specifier.contains(package.version), f"{lock.name}: {package.purl} is not {asked}"


def test_what_is_tested_is_what_runs() -> None:
    tested = {(package.name, package.version): set(package.hashes) for package in read(DEV)}
    for package in read(RUN):
        assert tested[package.name, package.version] >= set(package.hashes), package.purl


def test_only_what_has_the_right_hash_is_installed() -> None:
    script = (ROOT / "tools" / "venv.sh").read_text("utf-8")
    assert "--require-hashes --only-binary :all:" in script


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lxml==6.1.3\n    # via watchfloor\n", "no hash"),
        ("lxml==6.1.3 \\\n    --hash=md5:" + "0" * 32 + "\n", "no hash"),
        ("lxml==6.1.3 \\\n    --hash=sha256:" + "0" * 64 + " \\\n    --hash=sha256:00\n", "no SHA-256"),
        ("lxml>=6 \\\n    --hash=sha256:" + "0" * 64 + "\n", "not locked to one version"),
        ("lxml==6.* \\\n    --hash=sha256:" + "0" * 64 + "\n", "not locked to one version"),
        ("lxml @ https://example.com/lxml.whl \\\n    --hash=sha256:" + "0" * 64 + "\n", "not locked to one version"),
        ("--extra-index-url https://example.com/simple\n", "test.txt:1"),
        ("    --hash=sha256:" + "0" * 64 + "\n", "belongs to no package"),
    ],
)
def test_a_lock_that_lets_something_through_is_named(text: str, says: str, tmp_path: Path) -> None:
    lock = tmp_path / "test.txt"
    lock.write_text(text, "utf-8")
    with pytest.raises(NotALock, match=re.escape(says)):
        read(lock)


# ---- the bill of materials


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    return sbom.bill(read(RUN))


def test_the_bill_names_all_that_is_locked_with_its_hashes(bill: dict[str, Any]) -> None:
    listed = {c["purl"]: {h["content"] for h in c["hashes"]} for c in bill["components"]}
    assert listed == {package.purl: set(package.hashes) for package in read(RUN)}
    assert {canonicalize_name(asked.name) for asked in direct()} <= {c["name"] for c in bill["components"]}
    assert all(h["alg"] == "SHA-256" for c in bill["components"] for h in c["hashes"])


def test_the_bill_says_who_asks_for_what_down_to_the_last_package(bill: dict[str, Any]) -> None:
    asked = {line["ref"]: line["dependsOn"] for line in bill["dependencies"]}
    assert set(asked) == {"watchfloor", *(c["bom-ref"] for c in bill["components"])}
    reached, waiting = set[str](), ["watchfloor"]
    while waiting:
        ref = waiting.pop()
        waiting += [] if ref in reached else asked[ref]
        reached.add(ref)
    assert reached == set(asked)
    names = {ref.removeprefix("pkg:pypi/").partition("@")[0] for ref in asked["watchfloor"]}
    assert names == {canonicalize_name(asked.name) for asked in direct()}


def test_the_bill_has_the_licence_of_nearly_everything_that_is_installed(bill: dict[str, Any]) -> None:
    installed = {(canonicalize_name(d.name), d.version) for d in distributions()}
    here = [c for c in bill["components"] if (c["name"], c["version"]) in installed]
    known = [c for c in here if c.get("licenses")]
    assert len(known) >= 0.9 * len(here) > 0
    assert all(set(licence) in ({"expression"}, {"license"}) for c in known for licence in c["licenses"])


def test_the_bill_has_the_form_of_cyclonedx_1_6(bill: dict[str, Any]) -> None:
    """The parts of the schema (ECMA-424) that this bill uses; unknown keys are not allowed there."""
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert set(bill) == {"$schema", "bomFormat", "specVersion", "version", "metadata", "components", "dependencies"}
    required, allowed = {"type", "name", "version", "bom-ref"}, {"hashes", "purl", "licenses", "properties"}
    for component in bill["components"]:
        assert required <= set(component) <= required | allowed
        assert re.fullmatch(r"pkg:pypi/[a-z0-9-]+@[\w.!+]+", component["purl"])
        assert all(re.fullmatch(r"[0-9a-f]{64}", h["content"]) for h in component["hashes"])
        assert len([licence for licence in component.get("licenses", ()) if "expression" in licence]) in (0, 1)
    refs = [component["bom-ref"] for component in bill["components"]]
    assert len(refs) == len(set(refs))


def test_the_same_lock_gives_the_same_bytes_and_a_stamp_another_each_time(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one", "two", "three", "four")]
    for file in files:
        assert sbom.main(["--out", str(file), *(["--stamp"] if file in files[2:] else [])]) == 0
    one, two, three, four = (file.read_bytes() for file in files)
    assert one == two
    assert one.isascii()
    numbers = {json.loads(text)["serialNumber"] for text in (three, four)}
    assert len(numbers) == 2
    assert all(re.fullmatch(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", number) for number in numbers)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", json.loads(three)["metadata"]["timestamp"])


# ---- the audit

Answer = Callable[[str, Any], tuple[int, bytes]]
"""What a database of vulnerabilities says to a path and the JSON that was sent there: status and body."""
BAD = {"pkg:pypi/jinja2@2.4.1": ["PYSEC-2014-8"]}
SUMMARY = {"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1"], "summary": "Reads\n\x1b[31m what it should not"}
MENDED = [{"package": {"name": "lxml"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]


class Database:
    """A server that speaks OSV's interface on loopback."""

    def __init__(self, answer: Answer) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(None)

            def do_POST(self) -> None:
                self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def _answer(self, sent: Any) -> None:
                status, body = answer(self.path, sent)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


Ask = Callable[[Answer], int]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """The exit code of an audit of both locks against a database that answers so."""
    servers: list[Database] = []

    def asked(answer: Answer) -> int:
        servers.append(Database(answer))
        monkeypatch.setenv("WATCHFLOOR_OSV", servers[-1].address)
        return audit.main([])

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield asked
    for server in servers:
        server.close()


def osv(known: dict[str, list[str]], **details: Any) -> Answer:
    """A database that knows these advisories, each by the package URL that it is about."""

    def answer(path: str, sent: Any) -> tuple[int, bytes]:
        if path != "/v1/querybatch":
            told = details.get(path.rpartition("/")[2])
            return (200, json.dumps(told).encode()) if told else (404, b"{}")
        names = [known.get(query["package"]["purl"], []) for query in sent["queries"]]
        results = [{"vulns": [{"id": name} for name in those]} if those else {} for those in names]
        return 200, json.dumps({"results": results}).encode()

    return answer


def test_it_is_green_only_when_every_package_was_answered_for(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[str] = []

    def answer(path: str, sent: Any) -> tuple[int, bytes]:
        asked.extend(query["package"]["purl"] for query in sent["queries"])
        return osv(BAD)(path, sent)

    assert ask(answer) == audit.CLEAN
    everything = {package.purl for lock in (RUN, DEV) for package in read(lock)}
    assert set(asked) == everything | set(BAD)
    assert f"{len(everything)} packages asked about" in capsys.readouterr().out


def test_each_vulnerability_is_a_line_that_no_terminal_obeys(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    lxml = next(package for package in read(RUN) if package.name == "lxml")
    mended = json.loads(json.dumps(MENDED))
    mended[0]["ranges"][0]["events"].append({"fixed": "99.1"})
    known = {**BAD, lxml.purl: ["PYSEC-2026-1", "PYSEC-2026-2"]}
    assert ask(osv(known, **{"PYSEC-2026-1": {**SUMMARY, "affected": mended}})) == audit.FOUND
    first, second, last = capsys.readouterr().out.splitlines()
    assert first == (f"lxml {lxml.version}: PYSEC-2026-1 (CVE-2026-1): Reads  [31m what it should not; mended in 99.1")
    assert second == f"lxml {lxml.version}: PYSEC-2026-2"
    assert last.endswith("2 known vulnerabilities")


def test_a_list_that_goes_on_is_read_to_its_end(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    scrapy = next(package.purl for package in read(RUN) if package.name == "scrapy")

    def answer(path: str, sent: Any) -> tuple[int, bytes]:
        if path != "/v1/querybatch":
            return 404, b"{}"
        results: list[dict[str, Any]] = []
        for query in sent["queries"]:
            purl, token = query["package"]["purl"], query.get("page_token", "")
            first = {"next_page_token": "more"} if purl == scrapy and not token else {}
            results.append(first or {"vulns": [{"id": name} for name in {**BAD, scrapy: ["LAST"]}.get(purl, [])]})
        return 200, json.dumps({"results": results}).encode()

    assert ask(answer) == audit.FOUND
    assert ": LAST\n" in capsys.readouterr().out


def _said(body: bytes, status: int = 200) -> Answer:
    return lambda path, sent: (status, body)


def _results(change: Callable[[list[Any]], list[Any]]) -> Answer:
    """A right answer, spoilt."""

    def answer(path: str, sent: Any) -> tuple[int, bytes]:
        told = json.loads(osv(BAD)(path, sent)[1])
        return 200, json.dumps({"results": change(told["results"])}).encode()

    return answer


NO_ANSWERS = {
    "an error": _said(b"{}", 500),
    "a refusal": _said(b"{}", 403),
    "too many requests": _said(b"{}", 429),
    "nothing": _said(b""),
    "a page of a captive portal": _said(b"<html><title>Log in</title></html>"),
    "an empty object": _said(b"{}"),
    "no results": _said(b'{"results": []}'),
    "null": _said(b"null"),
    "brackets without end": _said(b"[" * 100_000),
    "one answer too few": _results(lambda results: results[:-1]),
    "one answer too many": _results(lambda results: [*results, {}]),
    "an answer of null": _results(lambda results: [*results[:-1], None]),
    "an answer that is an error": _results(lambda results: [*results[:-1], {"vulns": "error"}]),
    "an advisory without a name": _results(lambda results: [*results[:-1], {"vulns": [{}]}]),
    "a list without end": _results(lambda results: [{**result, "next_page_token": "again"} for result in results]),
    "one that knows nothing": _results(lambda results: [{} for _ in results]),
}


@pytest.mark.parametrize("answer", NO_ANSWERS.values(), ids=list(NO_ANSWERS))
def test_what_is_no_answer_is_never_green(answer: Answer, ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(answer) == audit.NOT_ASKED
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"not audited: http://127\.0\.0\.1:\d+.+\n", err)


@pytest.mark.parametrize("server", ["http://127.0.0.1:9", "file:///etc/passwd", "osv", ""])
def test_nobody_there_is_never_green(
    server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WATCHFLOOR_OSV", server)
    assert audit.main([]) == audit.NOT_ASKED
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), err[:13]) == ("", 1, "not audited: ")


def test_a_lock_that_is_empty_or_missing_is_never_green(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(osv(BAD)) == audit.CLEAN
    empty = tmp_path / "empty.txt"
    empty.write_text("# nothing\n", "utf-8")
    assert audit.main([str(empty)]) == audit.NOT_ASKED
    assert audit.main([str(tmp_path / "none.txt")]) == audit.NOT_ASKED
    assert capsys.readouterr().err.count("not audited: ") == 2


# ---- the bounds


def test_without_uv_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert resolutions.main([]) == resolutions.NOT_TRIED
    assert capsys.readouterr().err == f"{resolutions.NO_UV}\n"


def test_where_nothing_can_be_installed_it_is_not_green(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\necho 'no route to the index' >&2\nexit 2\n", "utf-8")
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(resolutions, "WHERE", tmp_path / "made")
    assert resolutions.main(["--only", "lowest"]) == resolutions.NOT_TRIED
    assert capsys.readouterr().err.endswith("not tried: lowest: uv venv: no route to the index\n")


def test_the_short_cut_names_tests_that_are_there() -> None:
    assert [name for name in resolutions.QUICK if not (ROOT / name).is_file()] == []


# ---- the documents


def test_the_policy_says_what_is_supported_where_to_report_and_what_happens_then() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8").lower()
    for word in ("supported versions", "private", "advisory", "not in a public issue", "week", "docs/security.md"):
        assert word in text, word


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("PAGE_BYTES", 5 * 2**20, "5 MiB"),
        ("ARCHIVE_BYTES", 20 * 10**9, "20 GB"),
        ("HEAD_BYTES", 1_000, "1000 bytes"),
        ("BODY_CHARACTERS", 1_000_000, "1,000,000 characters"),
        ("LEAST_DELAY_SECONDS", 0.05, "0.05 s"),
        ("FIRST_YEAR", 1990, "1990"),
        ("TAGS", 200_000, "200,000"),
    ],
)
def test_a_bound_is_told_with_its_unit(name: str, value: float, shown: str) -> None:
    assert bounds.shown(name, value) == shown


def test_a_bound_that_is_not_there_any_more_is_an_error() -> None:
    with pytest.raises(KeyError):
        bounds.limits("what nobody limits")
    with pytest.raises(KeyError):
        bounds.of("crawler.limits.NOTHING")


def test_every_test_and_command_that_the_promises_name_exists() -> None:
    text = (ROOT / "docs" / "security.md").read_text("utf-8")
    named = set(re.findall(r"`((?:tests|tools|docs|app|crawler|db|moderation|pipelines)/[\w./*-]+)`", text))
    assert len(named) > 20
    assert [name for name in sorted(named) if not list(ROOT.glob(name))] == []
    tests = "\n".join(file.read_text("utf-8") for file in (ROOT / "tests").glob("test_*.py"))
    promised = set(re.findall(r"`(test_\w+)`", text))
    assert [name for name in sorted(promised) if f"def {name}(" not in tests] == []
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets
