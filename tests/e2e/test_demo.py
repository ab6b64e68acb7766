"""The demo tells the truth: it ends well when every claim holds, and badly when one does not."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tests.support.tools import ROOT, require

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = ROOT / "examples" / "digits"
SECONDS = 60


def test_the_four_scenes_hold_in_under_a_minute(environ: dict[str, str], tmp_path: Path) -> None:
    require("sklearn", "the demo's model")
    (tmp_path / "home").mkdir()
    began = time.monotonic()
    done = demo(EXAMPLE, tmp_path / "kept", {"PATH": environ["PATH"], "HOME": str(tmp_path / "home")})
    assert time.monotonic() - began < SECONDS
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FALSE" not in done.stdout
    verdicts = {scene: report(tmp_path / "kept", scene)["verdict"] for scene in "abcd"}
    assert verdicts == {"a": "passed", "b": "passed", "c": "failed", "d": "passed"}
    assert str(tmp_path / "kept") in done.stdout


def test_the_demo_fails_when_the_gates_let_the_worse_model_pass(environ: dict[str, str], tmp_path: Path) -> None:
    require("sklearn", "the demo's model")
    example = tmp_path / "digits"
    shutil.copytree(EXAMPLE, example)
    gates = (example / "retrain.yaml").read_text(encoding="utf-8")
    lax = gates.replace("allow-drop: 0.005", "allow-drop: 0.5").replace("1%", "50%").replace("5%", "50%")
    (example / "retrain.yaml").write_text(lax, encoding="utf-8")
    done = demo(example, tmp_path / "kept", environ)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "This should have been true: a gate failed" in done.stdout
    assert report(tmp_path / "kept", "c")["verdict"] == "passed"


def test_a_folder_that_is_in_use_is_left_alone(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep me")
    done = demo(EXAMPLE, tmp_path, environ)
    assert done.returncode == 1
    assert "is not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def demo(example: Path, keep: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the demo of `example` in `keep`."""
    command = [sys.executable, str(example / "demo.py"), "--keep", str(keep)]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=3 * SECONDS)


def report(keep: Path, scene: str) -> dict[str, str]:
    """Give the report of a scene."""
    return json.loads((keep / "reports" / scene / "report.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]
