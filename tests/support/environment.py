"""The environment of the tests: nothing of the machine's own settings, the same everywhere."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# What a test may inherit: where programs are, and how this machine reaches the network.
_KEPT = {
    "PATH",
    "TMPDIR",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
}
_KEPT_PREFIXES = ("PIP_", "PYTEST_", "COVERAGE_")
_KEPT_SUFFIXES = ("_proxy", "_PROXY")

_GITCONFIG = """\
[user]
	name = A Tester
	email = tester@example.com
[init]
	defaultBranch = main
[commit]
	gpgSign = false
[gc]
	auto = 0
"""

_DVCCONFIG = """\
[core]
    analytics = false
    check_update = false
"""


def isolated(home: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """Give an environment whose every setting lives below `home`, and write the few files it needs.

    Dates of commits are fixed, so that the same history has the same commit ids in every run.
    """
    config = home / ".config"
    (config / "dvc").mkdir(parents=True, exist_ok=True)
    (config / "dvc" / "config").write_text(_DVCCONFIG)
    (home / ".gitconfig").write_text(_GITCONFIG)
    return {name: value for name, value in inherited.items() if _is_kept(name)} | {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(config),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_STATE_HOME": str(home / ".state"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_DATE": "2024-01-01T00:00:00Z",
        "GIT_COMMITTER_DATE": "2024-01-01T00:00:00Z",
        "AWS_EC2_METADATA_DISABLED": "true",
        "DVC_NO_ANALYTICS": "1",
        "DVC_GLOBAL_CONFIG_DIR": str(config / "dvc"),
        "DVC_SYSTEM_CONFIG_DIR": str(home / "system"),
        "DVC_SITE_CACHE_DIR": str(home / "site-cache"),
    }


def _is_kept(name: str) -> bool:
    return name in _KEPT or name.startswith(_KEPT_PREFIXES) or name.endswith(_KEPT_SUFFIXES)


@dataclass(frozen=True)
class Program:
    """A command to call in tests: `retrain("plan", "--json", cwd=project)`.

    Attributes:
        argv: how it is started, before its arguments.
        environ: the whole environment it gets.

    """

    argv: tuple[str, ...]
    environ: Mapping[str, str] = field(repr=False)

    def __call__(
        self,
        *arguments: str | Path,
        cwd: Path,
        exits: int | None = 0,
        env: Mapping[str, str] | None = None,
        timeout: float = 300,
    ) -> subprocess.CompletedProcess[str]:
        """Run it, and check that it ends with the exit code `exits` (None: any).

        Args:
            arguments: as on the command line.
            cwd: where it runs.
            exits: the exit code expected; another one fails the test with all that was printed.
            env: added to the environment.
            timeout: seconds until it is killed and the test fails.

        """
        argv = [*self.argv, *map(str, arguments)]
        done = subprocess.run(
            argv,
            cwd=cwd,
            env={**self.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
        )
        if exits is not None and done.returncode != exits:
            called = " ".join(argv)
            pytest.fail(
                f"{called}: exit code {done.returncode}, not {exits}\n"
                f"--- stdout\n{done.stdout}\n--- stderr\n{done.stderr}",
            )
        return done
