"""The two sides of the interop tests, as commands: real DVC (one long-lived process) and `retrain`."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVER = Path(__file__).with_name("oracle_server.py")


@dataclass(frozen=True)
class Done:
    """A command's end."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What was printed, read as JSON; a command that failed fails the test with its messages."""
        assert self.code in {0, 10}, self
        return json.loads(self.out)


class Oracle:
    """Real DVC. `run` gives what a command printed; one that fails fails the test unless `code` says otherwise."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Start the process; it ends with `close`."""
        self._process = subprocess.Popen(
            [sys.executable, str(SERVER)], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, cwd: Path, *argv: str) -> Done:
        """Run one command in `cwd`, whatever it ends with."""
        return Done(**self._answer(cwd, argv=argv))

    def resolved(self, cwd: Path) -> dict[str, Any]:
        """Give every stage of the repository as DVC resolves it, and the order in which all are reproduced.

        `error` says what DVC refuses the repository for; empty where it reads it.
        """
        return self._answer(cwd, resolve=True)

    def _answer(self, cwd: Path, **question: Any) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"cwd": str(cwd), **question}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())  # type: ignore[no-any-return]

    def run(self, cwd: Path, *argv: str, code: int = 0) -> str:
        """Run one command in `cwd`; give its standard output."""
        done = self.ask(cwd, *argv)
        assert done.code == code, f"dvc {' '.join(argv)}: {done}"
        return done.out

    def status(self, cwd: Path) -> dict[str, Any]:
        """Give `dvc status --json`: the stages that are stale, each with its reasons."""
        return json.loads(self.run(cwd, "status", "--json"))  # type: ignore[no-any-return]

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.close()


@dataclass(frozen=True)
class Retrain:
    """`retrain` as a process."""

    environ: Mapping[str, str] = field(repr=False)

    def ask(self, cwd: Path, *argv: str) -> Done:
        """Run one command in `cwd`, whatever it ends with."""
        command = [sys.executable, "-I", "-m", "runner", *argv]
        done = subprocess.run(command, cwd=cwd, env=self.environ, capture_output=True, text=True, check=False)
        return Done(done.returncode, done.stdout, done.stderr)

    def run(self, cwd: Path, *argv: str, code: int = 0) -> str:
        """Run one command in `cwd`; give its standard output."""
        done = self.ask(cwd, *argv)
        assert done.code == code, f"retrain {' '.join(argv)}: {done}"
        return done.out

    def plan(self, cwd: Path) -> dict[str, dict[str, Any]]:
        """Give the stages of `retrain plan --json` by address."""
        return {row["stage"]: row for row in self.ask(cwd, "plan", "--json").json["stages"]}


@dataclass(frozen=True, repr=False)
class Sides:
    """Both commands, in one environment."""

    dvc: Oracle
    retrain: Retrain

    def __repr__(self) -> str:
        """Keep the environment out of a failed example's text."""
        return "Sides()"
