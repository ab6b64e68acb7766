"""The error tree: what makes the walk impossible, and the exit code each kind ends with.

Outcomes (a stage failed, a gate failed) are values in the report, never exceptions.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final, Literal

from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Exit(IntEnum):
    """The exit codes of every verb; documented in docs/exit-codes.md."""

    HELD = 0
    GATE = 1
    CONFIG = 2
    STAGE = 3
    REMOTE = 4
    GIT = 5
    FORGE = 6
    STALE = 10
    BUG = 70
    INTERRUPTED = 130
    TERMINATED = 143


STOPPED: Final = frozenset({Exit.INTERRUPTED, Exit.TERMINATED})
"""Somebody ended the run: it neither held nor failed."""


Kind = Literal[
    "",
    "not-yaml",
    "unknown-key",
    "missing-key",
    "wrong-value",
    "outside-repository",
    "clashing-outs",
    "circular-stages",
    "hidden-out",
    "ignored-lock",
]
"""What a mistake in a DVC file is an instance of; empty: of nothing else. `pipeline.lint` has a code for each."""


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file: repository-relative path, line and column counted from 1 (0: unknown)."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Give `file:line:column`, leaving out what is not known."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part)


NOWHERE: Final = Location("")
"""The place of what is about no file."""


class RunnerError(Exception):
    """Something that stops the walk: what could not be done, to what, and what to do next.

    Args:
        message: one sentence, no trailing full stop needed.
        hint: what to do next; may be empty.
        where: the file, line and column at fault, if there is one.

    """

    exit_code: Exit = Exit.BUG
    kind: Kind = ""

    def __init__(self, message: str, hint: str = "", where: Location | None = None) -> None:
        """Keep the three parts; `str()` joins them."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where

    @property
    def problems(self) -> tuple[RunnerError, ...]:
        """Every mistake reported together by this error; itself where there is one."""
        return (self,)

    def __str__(self) -> str:
        """Give `where: message` and the hint on a line of its own."""
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head}\n  {self.hint}" if self.hint else head


class ConfigError(RunnerError):
    """Wrong usage, settings, DVC file, lock or gate file; always with a place where there is a file."""

    exit_code = Exit.CONFIG

    def __init__(self, message: str, hint: str = "", where: Location | None = None, *, kind: Kind = "") -> None:
        """Keep the parts of every error, and the kind of mistake it is."""
        super().__init__(message, hint, where)
        self.kind = kind


class ConfigErrors(ConfigError):
    """Several mistakes found at once, so that they can be mended at once."""

    def __init__(self, errors: Sequence[RunnerError]) -> None:
        """Flatten `errors` (at least one) into one."""
        flat = tuple(problem for error in errors for problem in error.problems)
        super().__init__(f"{len(flat)} mistakes" if len(flat) > 1 else flat[0].message)
        self._problems = flat

    @property
    def problems(self) -> tuple[RunnerError, ...]:
        """Every mistake, in the order found."""
        return self._problems

    def __str__(self) -> str:
        """Give one block a mistake."""
        return "\n".join(str(problem) for problem in self._problems)


class RemoteError(RunnerError):
    """The remote storage did not do what was needed."""

    exit_code = Exit.REMOTE


class ObjectMissing(RemoteError):
    """An object that is needed exists neither in the cache nor in the remote."""


class Denied(RemoteError):
    """The remote refused the credentials or the operation."""


class Unavailable(RemoteError):
    """The remote did not answer properly inside the time allowed; trying again may help.

    Args:
        message: as everywhere.
        hint: as everywhere.
        after: seconds that the remote asks to wait before another try, if it does.

    """

    def __init__(self, message: str, hint: str = "", *, after: float = 0.0) -> None:
        """Keep the parts of every error, and how long to wait."""
        super().__init__(message, hint)
        self.after = after


class Unlistable(RemoteError):
    """The remote has no way to say what it holds; single objects can be asked for."""


class Corrupt(RemoteError):
    """Bytes that do not hash to their name; never given a final name."""


class StaleError(RunnerError):
    """Something would have to run, where the lock was to be proved to say what its code, params and data say."""

    exit_code = Exit.STALE


class NothingAsked(RunnerError):
    """The event asks nothing of us, or it is nobody who may: an end before anything was done, and no error."""

    exit_code = Exit.HELD


class GitError(RunnerError):
    """Git could not answer: no repository, an unknown revision, history that is not there."""

    exit_code = Exit.GIT


class ForgeError(RunnerError):
    """The code host refused what the settings demand."""

    exit_code = Exit.FORGE


class Interrupted(RunnerError):
    """SIGINT, SIGTERM or SIGHUP arrived; everything already finished has been kept."""

    exit_code = Exit.INTERRUPTED

    def __init__(self, *, terminated: bool = False) -> None:
        """Tell the two signals apart: 130 for SIGINT, 143 for the others."""
        super().__init__("interrupted", "run the same command again to go on from here")
        self.exit_code = Exit.TERMINATED if terminated else Exit.INTERRUPTED


def spelled_like(word: str, known: Iterable[str], most: int = 1, cutoff: float = 0.6) -> list[str]:
    """Give those of `known` that `word` may be a misspelling of, the nearest first: for a hint.

    Args:
        word: what nobody knows.
        known: what is known.
        most: how many to give.
        cutoff: how alike they have to be, from 0 to 1.

    """
    from difflib import get_close_matches  # noqa: PLC0415 - few starts end with a hint

    return get_close_matches(word, known, most, cutoff)
