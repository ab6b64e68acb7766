"""A remote whose packages are not installed: one clear error, with the line to type."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

# As Python itself has it: a module that is None in sys.modules is one that is not installed.
WITHOUT = (
    "import os, sys; sys.modules[{module!r}] = None; from runner import cli; sys.exit(cli.start({argv!r}, os.environ))"
)


EXTRAS = [("azure", "azure", "azure://container/path"), ("asyncssh", "ssh", "ssh://host/path")]


@pytest.mark.parametrize(("module", "extra", "url"), EXTRAS)
def test_a_remote_without_its_packages_names_the_extra_to_install(
    tmp_path: Path, environ: dict[str, str], module: str, extra: str, url: str
) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, env=environ, check=True)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text(f"[core]\nremote = there\n['remote \"there\"']\nurl = {url}\n")
    (tmp_path / "data.dvc").write_text("outs:\n- md5: 9a0364b9e99bb480dd25e1f0284c8555\n  hash: md5\n  path: data\n")
    script = WITHOUT.format(module=module, argv=["pull"])
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert f"{url} needs packages that are not installed ({module}" in done.stderr
    assert f"pip install 'retrain-runner[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr
