"""Who the runner is in a job on the host: a process that its own stages cannot read."""

from __future__ import annotations

import ctypes  # noqa: F401 - here, because the child may not be allowed to read this Python's files any more
import os
import subprocess

import pytest

from runner import identity

NOBODY = 65534
READ = "cat /proc/$PPID/environ > /dev/null 2>&1"


def read_by_a_stage(environ: dict[str, str]) -> bool:
    """Say whether a command of the same user, not root, reads the environment of a process that hid by `environ`."""
    child = os.fork()
    if child == 0:
        if os.geteuid() == 0:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        identity._prctl(identity._DUMPABLE, 1)  # as after exec, which a change of user undoes
        identity.take(environ)
        os._exit(subprocess.run(["/bin/sh", "-c", READ], cwd="/", check=False).returncode)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(("environ", "read"), [({"GITHUB_ACTIONS": "true"}, False), ({}, True)])
def test_in_a_job_the_runners_environment_is_closed_to_its_stages(environ: dict[str, str], *, read: bool) -> None:
    assert read_by_a_stage(environ) is read
