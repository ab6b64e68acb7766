"""What a plan of a plain project waits for: nothing that it does not use is imported."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support.pipelines import workshop

if TYPE_CHECKING:
    from pathlib import Path

PIPELINE = "stages:\n  one:\n    cmd: cp seed out\n    deps: [seed]\n    params: [a]\n    outs: [out]\n"
ABSENT = (
    "asyncssh",
    "azure",
    "boto3",
    "botocore",
    "google",
    "jinja2",
    "jsonpath_ng",
    "jsonschema",
    "obstore",
    "pathspec",
    "requests",
    "rich",
    "runner.review.model",
    "sqlite3",
    "tempfile",
    "runner.pipeline.lint",
    "runner.review.markdown",
    "runner.store.azure",
    "runner.store.s3",
    "runner.telling",
    "runner.store.ssh",
    "tabulate",
    "urllib3",
)


def test_a_plan_imports_nothing_that_it_does_not_use(tmp_path: Path, environ: dict[str, str]) -> None:
    made = workshop(tmp_path, PIPELINE, {"seed": "1\n", "params.yaml": "a: 1\n"})
    script = "import os, sys; from runner import cli; cli.start(['plan'], os.environ); print(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], cwd=made.root, env=environ, capture_output=True, text=True, check=True
    )
    printed = done.stdout.splitlines()
    assert "1 of 1 stage stale; nothing to pull" in printed
    assert "runner.engine.decide" in printed
    loaded = {name for name in printed for absent in ABSENT if name == absent or name.startswith(f"{absent}.")}
    assert loaded == set()
