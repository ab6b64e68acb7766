"""No code host but files: what would be posted, for a CI that the runner does not know, or for a look."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
from typing import TYPE_CHECKING, Final

from runner import durable
from runner.errors import ForgeError
from runner.forge import checks, comments, statuses, stepfiles
from runner.forge.local import Local
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from runner.forge.protocol import Job, Standing

LONGEST_VALUE: Final = 1_000
"""Characters of a value in `outputs.env`: readers of such files bound them, GitLab all of one to 5 KB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder(Local):
    """See `Forge`. Each surface is a file of its own, written anew each time.

    Attributes:
        place: the folder; made when it is needed.
        job: the run.

    """

    place: Path
    job: Job

    def comment(self, standing: Standing) -> str:
        """Write `comment.md`, as long as GitHub takes it at most."""
        return self._write("comment.md", f"{standing.render(comments.LIMIT).rstrip()}\n")

    def check(self, standing: Standing) -> str:
        """Write `check.json`: what a check would say, with all annotations."""
        annotations = [dataclasses.asdict(one) for one in standing.annotations]
        check = {
            "name": self.job.title,
            "head": self.job.head,
            "verdict": standing.verdict,
            "exit_code": standing.exit_code,
            "title": standing.title,
            "summary": standing.render(checks.LIMIT),
            "annotations": annotations,
        }
        return self._write("check.json", f"{json.dumps(check, indent=2, ensure_ascii=False)}\n")

    def status(self, standing: Standing) -> None:
        """Write `status.json`: the state, as GitHub calls it, and a line."""
        status = {
            "context": self.job.title,
            "head": self.job.head,
            "state": statuses.state(standing),
            "description": standing.title[: statuses.LIMIT],
        }
        self._write("status.json", f"{json.dumps(status, indent=2, ensure_ascii=False)}\n")

    def summary(self, standing: Standing) -> None:
        """Write `summary.md`."""
        self._write("summary.md", f"{standing.render(stepfiles.SUMMARY_LIMIT - 1).rstrip()}\n")

    def outputs(self, outputs: Mapping[str, str]) -> None:
        """Add to `outputs.env`, quoted where a shell would read more than text; see `add_variables`."""
        add_variables(self.place / "outputs.env", outputs, shlex.quote)

    def _write(self, name: str, text: str) -> str:
        place = self.place / name
        try:
            durable.write(place, text.encode(errors="replace"))
        except OSError as error:
            message = f"{place} cannot be written: {error.strerror or error}"
            raise ForgeError(message) from error
        return str(place)


def add_variables(place: Path, outputs: Mapping[str, str], spelled: Callable[[str], str] = str) -> None:
    """Add outputs to a file of lines `RETRAIN_NAME=value`, each in one line: several values are joined by commas.

    Args:
        place: the file.
        outputs: values by name; a stage's name may be any text.
        spelled: gives a value as whoever reads the file takes it.

    Raises:
        ForgeError: the file cannot be written.

    """
    names = {f"RETRAIN_{re.sub(r'[^A-Z0-9]', '_', name.upper())}": value for name, value in outputs.items()}
    lines = (f"{name}={spelled(_line(value))}\n" for name, value in names.items())
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("a", encoding="utf-8", errors="replace", newline="\n") as file:
            file.writelines(lines)
    except OSError as error:
        message = f"{place} cannot be written: {error.strerror or error}"
        raise ForgeError(message) from error


def _line(value: str) -> str:
    return ",".join(value.split())[:LONGEST_VALUE] if "\n" in value or "\r" in value else value[:LONGEST_VALUE]
