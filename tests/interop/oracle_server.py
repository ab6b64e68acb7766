"""Real DVC in one long-lived process: a line of JSON in is one command, a line of JSON out is what it printed.

Importing DVC costs more than most commands do, so the tests pay for it once. Run as a script; needs no runner.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile

from dvc.cli import main as dvc


def serve() -> None:
    """Answer until standard input ends; the commands' own output is kept apart from the answers."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    for line in sys.stdin:
        asked = json.loads(line)
        answers.write(json.dumps(answer(asked["cwd"], asked["argv"])) + "\n")
        answers.flush()


def answer(cwd: str, argv: list[str]) -> dict[str, object]:
    """Run one DVC command in `cwd`; give its exit code, standard output and standard error."""
    os.chdir(cwd)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        code = dvc(argv)
        sys.stdout.flush()
        sys.stderr.flush()
        return {"code": code, "out": _text(out), "err": _text(err)}


def _text(file: object) -> str:
    file.seek(0)  # type: ignore[attr-defined]
    return file.read().decode(errors="replace")  # type: ignore[attr-defined, no-any-return]


if __name__ == "__main__":
    serve()
