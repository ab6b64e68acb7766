"""`retrain`, and `python -I -m runner`."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ALLOCATIONS: Final = 100_000
"""Objects between two looks for garbage. Python's 700 make it look through all modules several times in a start."""


def main() -> None:
    """Run the command line and end the process with its exit code."""
    _stand_in()
    gc.set_threshold(_ALLOCATIONS)  # before the imports, which make most of a start's objects
    from runner import cli, identity  # noqa: PLC0415 - as just said
    from runner.errors import STOPPED  # noqa: PLC0415 - as just said

    identity.take(os.environ)
    code = cli.start(arguments(sys.argv[1:], os.environ), os.environ)
    if code in STOPPED:
        _leave(code)
    sys.exit(code)


def _stand_in() -> None:
    """Let streams that were closed before we began (`>&-`) lead nowhere: a file of ours would get their numbers."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), "r" if name == "stdin" else "w"))


def _leave(code: int) -> NoReturn:
    """End without waiting for what other threads are at: a code host that cancels a job waits some seconds only."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def arguments(given: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """Give the arguments; where there are none, the verb of the input `command`, in a GitHub job `run`.

    A step that uses the image by `docker://` has inputs and no action.yml that would hand them over as arguments. The
    action itself hands `command` over as one: `metrics diff`.
    """
    if given:
        return [*(given[0].split() or given[:1]), *given[1:]]
    verb = environ.get("INPUT_COMMAND", "").split()
    if verb:
        return verb
    return ["run"] if environ.get("GITHUB_ACTIONS") == "true" else []


if __name__ == "__main__":
    main()
