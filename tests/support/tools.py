"""What the tests need beside Python itself: found, or a clear reason why the test cannot run.

On a laptop a missing tool skips the test and says how to get it. Under continuous integration
(`CI=true`) it fails, so that a green build never means "was not run".
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from typing import Final

import pytest

# Taken when the tests start: the fixtures give each test an environment without it.
IN_CI: Final = os.environ.get("CI") == "true"

ROOT: Final = Path(__file__).resolve().parents[2]


def require(tool: str, why: str = "") -> Path:
    """Find a command, a Python module or a file of the project, or end the test that asks for it.

    Args:
        tool: a command's name ("podman"), a Python module's ("moto.server"), or a path from the
            project's root with a slash in it ("tests/node_modules/@octokit/openapi").
        why: what the test does with it, for the reader of the skip.

    Returns:
        Where it is: the command's path, the module's file, or the path itself.

    """
    found = find(tool)
    if found is not None:
        return found
    reason = f"{tool} is not installed" + (f" ({why})" if why else "")
    if IN_CI:
        pytest.fail(f"{reason}; the CI run must have it: see .ci/run", pytrace=False)
    pytest.skip(reason)


def find(tool: str) -> Path | None:
    """Look for a tool without complaint: beside this Python first, then on PATH, then as a module."""
    if "/" in tool:
        path = ROOT / tool  # which is the tool itself where that is an absolute path
        return path if path.exists() else None
    command = shutil.which(tool, path=str(Path(sys.executable).parent)) or shutil.which(tool)
    return Path(command) if command else _module(tool)


def _module(name: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:  # a parent package is absent
        return None
    if spec is None:
        return None
    return Path(spec.origin) if spec.origin else Path(next(iter(spec.submodule_search_locations or [name])))
