"""Runs cases of `bad_inputs`, each in a fork of one process: what it ends with, prints, takes of time and memory.

`python bad_inputs_run.py FILE` in a project prints a line of JSON a case.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
from importlib import import_module
from pathlib import Path
from typing import Final

from runner import cli
from tests.unit.bad_inputs import Case, cases, verb

LIMIT: Final = 10
"""Seconds of processor time after which a case is killed: far over what is asked for, so that none hangs the rest."""


def load(word: str) -> None:
    """Import what a verb imports, as a fork found it: each case would do it anew, and most take less than that."""
    told, tell = os.pipe()
    child = os.fork()
    if not child:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        cli.start([word], os.environ)
        os.write(tell, " ".join(sys.modules).encode())
        os._exit(0)
    os.waitpid(child, 0)
    for name in os.read(told, 1 << 16).decode().split():
        import_module(name)


def run(case: Case) -> dict[str, object]:
    """Put the case's file in place, run the verb that reads it in a fork, and give how that ended."""
    Path(case.file).write_bytes(case.content)
    printed = os.memfd_create("printed")
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT + 1))
        os.dup2(printed, 1)
        os.dup2(printed, 2)
        code = cli.start([verb(case.file)], os.environ)
        sys.stdout.flush()
        os._exit(int(code))
    _, status, usage = os.wait4(child, 0)
    os.lseek(printed, 0, os.SEEK_SET)
    said = os.read(printed, 1 << 20).decode(errors="replace")
    os.close(printed)
    seconds, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10
    return {"code": os.waitstatus_to_exitcode(status), "said": said, "seconds": seconds, "peak": peak}


if __name__ == "__main__":
    load(verb(sys.argv[1]))
    for chosen in cases():
        if chosen.file == sys.argv[1]:
            gc.collect()
            print(json.dumps({"name": chosen.name, "line": chosen.line, **run(chosen)}), flush=True)  # noqa: T201 - its result
