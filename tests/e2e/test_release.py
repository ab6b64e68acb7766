"""The commits and tags of a release, made in a clone: the action runs the published image."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from runner import __version__
from tests.support.environment import Program
from tests.support.tools import ROOT, require

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

DIGEST = f"sha256:{'5' * 64}"
WRITTEN = (
    ".ci",
    ".github",
    "action.yml",
    "CHANGELOG.md",
    "docs",
    "examples",
    "host",
    "README.md",
    "runner/__init__.py",
)


@pytest.fixture
def clone(git: Program, tmp_path: Path) -> Path:
    """Give a repository with what a release reads and writes, ready for this version."""
    place = tmp_path / "retrain"
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--", *WRITTEN], capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        target = place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
        target.chmod((ROOT / name).stat().st_mode)
    changelog = place / "CHANGELOG.md"
    changelog.write_text(f"{changelog.read_text()}\n## [{__version__}] - 2026-01-01\n")
    git("init", "--quiet", cwd=place)
    git("add", "--all", cwd=place)
    git("commit", "--quiet", "--message", "All", cwd=place)
    return place


@pytest.fixture
def release(environ: dict[str, str]) -> Program:
    require("git", "makes the release's commits and tags")
    return Program((".ci/release",), environ)


def at(git: Program, place: Path, rev: str, path: str) -> str:
    return git("show", f"{rev}:{path}", cwd=place).stdout


def test_a_release_runs_the_published_image_and_its_workflows_run_the_release(
    clone: Path, git: Program, release: Program
) -> None:
    release(__version__, "Example/Retrain", DIGEST, cwd=clone)
    tag, before = f"v{__version__}", git("rev-parse", "HEAD~2", cwd=clone).stdout
    action = git("rev-parse", f"{tag}~1", cwd=clone).stdout.strip()
    assert git("rev-parse", f"{tag}~2", cwd=clone).stdout == before
    for rev in (tag, action, f"v{__version__.partition('.')[0]}"):
        image = yaml.safe_load(at(git, clone, rev, "action.yml"))["runs"]["image"]
        assert image == f"docker://ghcr.io/example/retrain@{DIGEST}"
    whole = "".join(
        at(git, clone, tag, name) for name in git("ls-files", cwd=clone).stdout.split() if name != ".ci/release"
    )
    assert "0" * 40 not in whole.replace("0" * 64, "")
    assert "OWNER/retrain" not in whole
    used = {
        path: at(git, clone, tag, path) for path in git("ls-files", ".github", "examples", cwd=clone).stdout.split()
    }
    named = {path: re.findall(r"uses: Example/Retrain@(\S+) # (\S+)", text) for path, text in used.items()}
    assert {one for found in named.values() for one in found} == {(action, tag)}
    assert {path for path, found in named.items() if found} >= {
        f".github/workflows/retrain-{name}.yml" for name in ("pull-request", "fork", "schedule")
    }


def test_the_tag_of_the_major_version_moves_and_that_of_a_version_never_does(
    clone: Path, git: Program, release: Program
) -> None:
    git("tag", f"v{__version__.partition('.')[0]}", cwd=clone)
    release(__version__, "example/retrain", DIGEST, cwd=clone)
    refused = release(__version__, "example/retrain", DIGEST, cwd=clone, exits=2)
    assert refused.stderr == f"v{__version__} is released already\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("1.0", "example/retrain", DIGEST), "'1.0' is no version such as 1.2.3"),
        ((__version__, "retrain", DIGEST), "'retrain' is no OWNER/NAME"),
        ((__version__, "example/retrain", "latest"), "'latest' is no digest of an image"),
        (("99.0.0", "example/retrain", DIGEST), "runner/__init__.py has another version than 99.0.0"),
        ((__version__,), "usage: .ci/release VERSION OWNER/NAME SHA256"),
    ],
)
def test_a_release_that_would_be_wrong_changes_nothing(
    clone: Path, git: Program, release: Program, arguments: tuple[str, ...], said: str
) -> None:
    before = git("rev-parse", "HEAD", cwd=clone).stdout
    assert release(*arguments, cwd=clone, exits=2).stderr == f"{said}\n"
    assert git("rev-parse", "HEAD", cwd=clone).stdout == before
    assert git("tag", cwd=clone).stdout == ""


def test_what_is_not_committed_is_not_released(clone: Path, release: Program) -> None:
    (clone / "README.md").write_text("Half done.\n")
    refused = release(__version__, "example/retrain", DIGEST, cwd=clone, exits=2)
    assert refused.stderr == "there are changes that are not committed\n"
