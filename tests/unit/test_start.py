"""What a plan of a plain project waits for: nothing that it does not use is imported."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support.pipelines import workshop

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PIPELINE = "stages:\n  one:\n    cmd: cp seed out\n    deps: [seed]\n    params: [a]\n    outs: [out]\n"
RUNNING = {
    "decimal",
    "runner.git.history",
    "runner.git.worktree",
    "runner.proposing",
    "runner.pushing",
    "runner.review.model",
    "runner.running",
    "runner.store.transfer",
    "runner.telling",
}
"""What a run needs besides, and a plan does not."""
ABSENT = (
    *sorted(RUNNING),
    "asyncssh",
    "azure",
    "boto3",
    "botocore",
    "difflib",
    "google",
    "jinja2",
    "jsonpath_ng",
    "jsonschema",
    "obstore",
    "pathspec",
    "requests",
    "rich",
    "runner.forge.gitlab_event",
    "runner.git.elsewhere",
    "sqlite3",
    "tempfile",
    "runner.pipeline.lint",
    "runner.pipeline.lockfile",
    "runner.review.markdown",
    "runner.store.azure",
    "runner.store.s3",
    "runner.store.ssh",
    "tabulate",
    "urllib3",
)
TABULATED = {"bz2", "html", "lzma", "random", "shutil", "tabulate", "tempfile"}
"""What lays out a table where no terminal is."""
SETTLED = {"bz2", "concurrent", "ctypes", "html", "lzma", "random", "shutil", "tomllib"}
"""What a run with nothing to do does without besides."""


def _loaded(root: Path, environ: dict[str, str], *argv: str) -> list[str]:
    """Run a command line in a process of its own; give what it printed, and then the names of all modules."""
    script = f"import os, sys; from runner import cli; cli.start({argv!r}, os.environ); print(*sys.modules, sep='\\n')"
    command = [sys.executable, "-I", "-c", script]
    done = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def _of(printed: list[str], absent: Iterable[str]) -> set[str]:
    return {name for name in printed for one in absent if name == one or name.startswith(f"{one}.")}


def test_a_plan_imports_nothing_that_it_does_not_use(tmp_path: Path, environ: dict[str, str]) -> None:
    made = workshop(tmp_path, PIPELINE, {"seed": "1\n", "params.yaml": "a: 1\n"})
    printed = _loaded(made.root, environ, "plan")
    assert "1 of 1 stage stale; nothing to pull" in printed
    assert "runner.engine.decide" in printed
    assert _of(printed, ABSENT) == set()


def test_a_run_with_nothing_to_do_imports_neither_what_renders_nor_what_runs_commands(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    made = workshop(tmp_path, PIPELINE, {"seed": "1\n", "params.yaml": "a: 1\n"})
    assert made.run().exit_code == 0
    printed = _loaded(made.root, environ, "repro")
    assert "1 stage, all fresh" in printed
    assert _of(printed, {*ABSENT, *SETTLED} - RUNNING) == set()


def test_a_comparison_of_metrics_imports_no_parser_of_paths_and_nothing_that_runs(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    made = workshop(tmp_path, PIPELINE, {"seed": "1\n", "params.yaml": "a: 1\n"})
    printed = _loaded(made.root, environ, "params", "diff", "--all", "HEAD")
    assert "params.yaml" in " ".join(printed)
    assert _of(printed, {*ABSENT, *SETTLED, "runner.engine.reproduce"} - {*RUNNING, *TABULATED}) == set()


def test_a_push_with_nothing_to_send_imports_no_other_client_and_no_compressor(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    made = workshop(tmp_path, PIPELINE, {"seed": "1\n", "params.yaml": "a: 1\n"})
    assert made.run().exit_code == 0
    _loaded(made.root, environ, "push")
    printed = _loaded(made.root, environ, "push")
    assert "runner.store.directory" in printed
    assert _of(printed, {*ABSENT, *SETTLED} - {*RUNNING, "concurrent", "random", "runner.pipeline.lockfile"}) == set()
