"""The project's own papers and pins: what they say is so."""

from __future__ import annotations

import ast
import hashlib
import re
import tomllib
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

import runner
from tests.support.tools import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

# Where a process may open a connection, and with which library.
_NETWORK_DOORS = {
    "forge/answers.py",
    "forge/gitlab.py",
    "forge/webhook.py",
    "store/arriving.py",
    "store/azure.py",
    "store/azure_client.py",
    "store/azure_errors.py",
    "store/azure_obstore.py",
    "store/azure_parts.py",
    "store/s3.py",
    "store/s3_asked.py",
    "store/s3_client.py",
    "store/s3_errors.py",
    "store/s3_obstore.py",
    "store/s3_parts.py",
    "store/s3_plain.py",
    "store/http.py",
    "store/gs_client.py",
    "store/gs.py",
    "store/gs_obstore.py",
    "store/gs_parts.py",
    "store/http_client.py",
    "store/public.py",
    "store/source_azure.py",
    "store/source_gs.py",
    "store/source_http.py",
    "store/source_s3.py",
    "store/ssh.py",
    "store/ssh_client.py",
    "store/ssh_errors.py",
    "store/ssh_files.py",
    "store/ssh_parts.py",
    "forge/api.py",
    "forge/repository.py",
}
_NETWORK = re.compile(
    r"(aiohttp|asyncssh|azure|boto3|botocore|ftplib|google|http\.(client|server)|httpx|obstore|requests|smtplib|socket|ssl|urllib\.request|urllib3)(\.|$)",
)
# Ways to ask for a merge: of the REST API, of GraphQL, of git and of the gh command.
_MERGING = re.compile(r"pulls/[^\"']*/merge\b|/merges\b|mergePullRequest|mergeBranch|merge_method|[\"']merge[\"'],")


def _text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _pins() -> dict[str, list[str]]:
    """Read requirements.lock: for each pinned requirement, its hashes."""
    pins: dict[str, list[str]] = {}
    for line in _text("requirements.lock").splitlines():
        if line.startswith("    --hash="):
            pins[list(pins)[-1]].append(line.strip(" \\"))
        elif not line.startswith("#"):
            pins[line.rstrip(" \\")] = []
    return pins


def _sources() -> Iterator[tuple[str, str]]:
    """Give every module of the runner: its path in the package, and its text."""
    package = ROOT / "runner"
    for module in package.rglob("*.py"):
        yield module.relative_to(package).as_posix(), module.read_text(encoding="utf-8")


def _imports(source: str) -> Iterator[str]:
    """Give the names a module imports, also inside its functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_only_remotes_sources_and_the_forge_reach_the_network() -> None:
    doors = {path for path, source in _sources() if any(map(_NETWORK.match, _imports(source)))}
    assert doors <= _NETWORK_DOORS
    assert "store/s3_client.py" in doors, "the search itself finds nothing"


def test_nothing_asks_the_code_host_to_merge() -> None:
    assert _MERGING.search('f"/repos/{name}/pulls/{number}/merge"')
    assert _MERGING.search('["git", "merge", branch]')
    assert [path for path, source in _sources() if _MERGING.search(source)] == []
    # That GitHub may merge by itself what everything it requires holds for is said in one place.
    assert [path for path, source in _sources() if "PullRequestAutoMerge" in source] == ["forge/lockpr.py"]


def test_every_dependency_is_pinned_within_its_range() -> None:
    project = tomllib.loads(_text("pyproject.toml"))["project"]
    pinned = {(pin := Requirement(line)).name: pin.specifier for line in _pins()}
    for line in project["dependencies"]:
        wanted = Requirement(line)
        assert wanted.name in pinned, f"{wanted.name} is not in requirements.lock: make lock"
        version = str(pinned[wanted.name]).removeprefix("==")
        assert wanted.specifier.contains(version), f"{wanted.name} {version} is outside {wanted.specifier}: make lock"


def test_every_package_of_the_image_is_pinned_by_hash() -> None:
    for line, hashes in _pins().items():
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; .+)?", line)
        assert hashes
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", digest) for digest in hashes)
    assert "--require-hashes" in _text("Dockerfile")


def test_the_base_of_the_image_is_pinned_by_digest() -> None:
    base = re.search(r"^ARG BASE=(\S+)", _text("Dockerfile"), re.MULTILINE)
    assert base
    assert re.search(r"@sha256:[0-9a-f]{64}$", base[1])


@pytest.mark.parametrize("folder", [".github/workflows", "examples/workflows"])
def test_every_action_we_use_is_pinned_by_commit(folder: str) -> None:
    used = [
        line.split("uses:")[1].strip()
        for workflow in (ROOT / folder).glob("*.yml")
        for line in workflow.read_text(encoding="utf-8").splitlines()
        if "uses:" in line
    ]
    assert used
    for action in used:
        assert re.match(r"\./(host)?( |$)|[\w-]+/[\w./-]+@[0-9a-f]{40} # \S", action), action


def test_each_promise_names_tests_that_exist_or_says_that_it_is_not_kept() -> None:
    promises = re.findall(r"^### (\d)\. [^\n]+\n(.*?)(?=^##)", _text("SECURITY.md"), re.MULTILINE | re.DOTALL)
    assert [int(number) for number, _ in promises] == list(range(1, 10))
    for number, body in promises:
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", body)
        assert named or re.search("Not yet (kept|shown)", body), f"promise {number} is shown by nothing"
        for path, name in named:
            assert f"def {name}(" in _text(path), f"promise {number}: {path}::{name} does not exist"


def test_the_targets_that_contributing_names_are_there_and_explained() -> None:
    explained = set(re.findall(r"^([a-z]+):.*## \S", _text("Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:`|    )make ([a-z]+)", _text("CONTRIBUTING.md")))
    assert {"demo", "test", "check", "fix", "golden", "bench", "image", "lock", "clean"} <= explained
    assert named <= explained


def test_the_licence_is_the_standard_text() -> None:
    digest = hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest()
    assert digest == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"


def test_the_changelog_speaks_of_this_version() -> None:
    assert runner.__version__ in _text("CHANGELOG.md")


def test_every_rule_that_is_switched_off_says_why() -> None:
    ignores = re.findall(r'^  "[A-Z]+\d*",.*$', _text("pyproject.toml"), re.MULTILINE)
    assert len(ignores) > 5
    assert all(re.search(r"# \w.{8,}", line) for line in ignores)
