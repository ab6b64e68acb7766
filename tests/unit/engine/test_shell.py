"""Commands in their fence: what they see, how a cmd is cut into shells, and that nothing they do keeps the runner."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from runner.engine import processes, shell
from runner.errors import Interrupted
from tests.support.tools import ROOT, require

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

ADDRESS = "train"
LONG = 100.0
"""Seconds: what is waited for takes less however busy the machine is, and what is not is given more."""


@pytest.fixture(autouse=True)
def adopting() -> None:
    """Become the parent of orphans, as the executor does before it runs a command."""
    processes.adopt_orphans()


def run(cmd: str | tuple[str, ...], wdir: Path, **env: str) -> tuple[int, str]:
    """Run a cmd; give its exit code and its output without the lines that show the commands."""
    printed = bytearray()
    command = shell.Command(shell.lines_of(cmd), wdir, {"PATH": os.environ["PATH"], **env})
    code = shell.run(command, printed.extend)
    shown = [line for line in printed.decode().splitlines(keepends=True) if not line.startswith("> ")]
    return code, "".join(shown)


# The fence

SEEN = {
    "PATH": "/usr/bin",
    "HOME": "/root",
    "LANG": "C",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "TMPDIR": "/tmp",  # noqa: S108 - a value, not a place
    "CI": "true",
    "GITHUB_SHA": "1",
    "GITHUB_REF": "r",
    "GITHUB_REPOSITORY": "o/n",
    "GITHUB_RUN_ID": "1",
    "https_proxy": "p",
    "CUDA_VISIBLE_DEVICES": "0",
    "NVIDIA_VISIBLE_DEVICES": "all",
    "WANTED": "named by pass-env",
}
HIDDEN = dict.fromkeys(
    (
        *("GITHUB_TOKEN", "GH_TOKEN", "INPUT_GITHUB-TOKEN", "INPUT_TARGETS", "ACTIONS_RUNTIME_TOKEN"),
        *("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_CACHE_URL", "ACTIONS_RESULTS_URL"),
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS"),
        *("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY", "GITHUB_EVENT_PATH"),
        *("RUNNER_TEMP", "PYTHONPATH", "LD_PRELOAD", "BASH_ENV", "ENV", "UNKNOWN"),
    ),
    "secret",
)


def test_a_command_sees_what_is_harmless_and_what_is_named_and_nothing_else(tmp_path: Path) -> None:
    fenced = shell.fenced({**SEEN, **HIDDEN}, ["WANTED", "ABSENT"], root=tmp_path, address=ADDRESS)
    assert fenced == {**SEEN, "DVC_ROOT": str(tmp_path), "DVC_STAGE": ADDRESS}


def test_a_credential_is_seen_if_it_is_named(tmp_path: Path) -> None:
    fenced = shell.fenced(HIDDEN, ["AWS_ACCESS_KEY_ID"], root=tmp_path, address=ADDRESS)
    assert fenced["AWS_ACCESS_KEY_ID"] == "secret"
    assert "AWS_SECRET_ACCESS_KEY" not in fenced


def test_the_stage_is_always_ours_and_the_root_is_dvcs_if_it_says_so(tmp_path: Path) -> None:
    given = {"DVC_ROOT": "/elsewhere", "DVC_STAGE": "other"}
    assert shell.fenced(given, (), root=tmp_path, address=ADDRESS) == {"DVC_ROOT": "/elsewhere", "DVC_STAGE": ADDRESS}


def test_the_process_gets_exactly_that_environment(tmp_path: Path) -> None:
    fenced = shell.fenced({**SEEN, **HIDDEN}, (), root=tmp_path, address=ADDRESS)
    printed = bytearray()
    shell.run(shell.Command(("env",), tmp_path, {**fenced, "PATH": os.environ["PATH"]}), printed.extend)
    names = {line.partition("=")[0] for line in printed.decode().splitlines()[1:]}
    assert names - {"PWD", "OLDPWD", "_", "SHLVL"} == set(fenced)


def test_an_environment_is_not_shown_when_a_command_is(tmp_path: Path) -> None:
    assert "secret" not in repr(shell.Command(("true",), tmp_path, HIDDEN))


# How a cmd is cut


@pytest.mark.parametrize(
    ("cmd", "lines"),
    [
        ("one", ("one",)),
        ("one\ntwo\n", ("one", "two")),
        ("one\n\ntwo", ("one", "", "two")),
        (("one\ntwo", "three"), ("one\ntwo", "three")),
        ((), ()),
    ],
)
def test_text_is_cut_by_line_and_a_list_by_item(cmd: str | tuple[str, ...], lines: tuple[str, ...]) -> None:
    assert shell.lines_of(cmd) == lines


def test_each_line_is_a_shell_of_its_own(tmp_path: Path) -> None:
    assert run("cd /; x=1; pwd\npwd; echo ${x:-unset}", tmp_path) == (0, f"/\n{tmp_path}\nunset\n")


def test_an_item_with_several_lines_is_one_script(tmp_path: Path) -> None:
    assert run(("if true; then\n> out echo yes\nfi; cat out",), tmp_path)[1].endswith("yes\n")


def test_the_first_failure_stops_and_its_code_is_given(tmp_path: Path) -> None:
    assert run("echo one\nexit 3\necho two", tmp_path) == (3, "one\n")


def test_each_line_is_shown_before_it_runs(tmp_path: Path) -> None:
    printed = bytearray()
    shell.run(shell.Command(("echo one", "echo two >&2"), tmp_path, {"PATH": os.environ["PATH"]}), printed.extend)
    assert printed == b"> echo one\none\n> echo two >&2\ntwo\n"


def test_nothing_can_be_typed(tmp_path: Path) -> None:
    assert run("cat; echo end", tmp_path) == (0, "end\n")


# Which shell


def test_without_a_shell_it_is_bin_sh(tmp_path: Path) -> None:
    assert run("echo $0", tmp_path) == (0, "/bin/sh\n")
    assert run("echo $0", tmp_path, SHELL="") == (0, "/bin/sh\n")


def test_bash_is_used_if_named_and_reads_none_of_its_files(tmp_path: Path) -> None:
    bash = str(require("bash"))
    (tmp_path / ".bashrc").write_text("echo from bashrc\n")
    (tmp_path / ".bash_profile").write_text("echo from profile\n")
    told = run("[[ a == a ]] && echo ${BASH_VERSION:+bash}; shopt -q login_shell || echo no login", tmp_path,
               SHELL=bash, HOME=str(tmp_path))  # fmt: skip
    assert told == (0, "bash\nno login\n")


# What a command cannot do to us


def test_a_child_that_keeps_the_output_open_does_not_keep_us(tmp_path: Path) -> None:
    started = time.monotonic()
    code, printed = run("sleep 300 & echo $!", tmp_path)
    assert (code, time.monotonic() - started < LONG) == (0, True)
    assert gone(int(printed))


def test_a_child_that_never_stops_printing_does_not_keep_us(tmp_path: Path) -> None:
    command = shell.Command(("yes & sleep 0.1",), tmp_path, {"PATH": os.environ["PATH"]})
    # Slower than `yes`, so that there is always something to read.
    assert shell.run(command, lambda _: time.sleep(0.01)) == 0


def test_not_even_one_that_left_the_process_group(tmp_path: Path) -> None:
    require("setsid")
    command = shell.Command(
        ("setsid sh -c 'echo $$ > pid; exec yes' & while ! [ -s pid ]; do :; done",),
        tmp_path,
        {"PATH": os.environ["PATH"]},
    )
    try:
        assert shell.run(command, lambda _: time.sleep(0.01)) == 0
    finally:
        with suppress(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_all_output_arrives_however_much_it_is(tmp_path: Path) -> None:
    code, printed = run(f"{sys.executable} -c \"print('x' * 3_000_000)\"", tmp_path)
    assert (code, len(printed)) == (0, 3_000_001)


def test_what_is_printed_right_before_the_end_arrives(tmp_path: Path) -> None:
    for _ in range(20):
        assert run("head -c 60000 /dev/zero | tr '\\0' x; exit 5", tmp_path) == (5, "x" * 60000)


def test_two_hundred_megabytes_of_output_cost_constant_memory(tmp_path: Path) -> None:
    script = f"""
import os, resource, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from runner import log
from runner.engine import processes, shell
log.setup(open(os.devnull, "w"), actions=True, verbosity=0, secrets=["secret"])
def run(cmd):
    with log.stage_output("train", Path({str(tmp_path)!r})) as output:
        assert shell.run(shell.Command((cmd,), Path({str(tmp_path)!r}), dict(os.environ)), output) == 0
run("yes some words | head -c 1000000; head -c 1000000 /dev/zero | tr '\\\\0' x")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
run("yes some words | head -c 100000000; head -c 100000000 /dev/zero | tr '\\\\0' x")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 20_000, f"{done.stdout} KiB more"


# Interrupted


class Stop(Exception):
    pass


def interrupted(cmd: str, wdir: Path) -> float:
    """Run `cmd`, raise as soon as it says `go`; give the seconds it took to come back."""
    at = [0.0]

    def output(chunk: bytes) -> None:
        if b"\ngo" in chunk or chunk.startswith(b"go"):
            at[0] = time.monotonic()
            raise Stop

    command = shell.Command((cmd,), wdir, {"PATH": os.environ["PATH"]})
    with pytest.raises(Stop):
        shell.run(command, output)
    return time.monotonic() - at[0]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a command that is asked to end longer than any test takes, so that nothing but the asking ends it."""
    monkeypatch.setattr(shell, "_GRACE", 2 * LONG)


@pytest.mark.usefixtures("patient")
def test_a_command_that_listens_ends_at_once(tmp_path: Path) -> None:
    assert interrupted("echo $$ > pid; echo go; sleep 300", tmp_path) < LONG
    assert gone(int((tmp_path / "pid").read_text()))


@pytest.mark.usefixtures("patient")
def test_a_command_may_clean_up_when_it_is_asked_to_end(tmp_path: Path) -> None:
    seconds = interrupted("trap 'echo clean > cleaned; exit' TERM; echo go; while :; do sleep 0.1; done", tmp_path)
    assert (tmp_path / "cleaned").read_text() == "clean\n"
    assert seconds < LONG


@pytest.mark.usefixtures("patient")
def test_a_child_of_the_shell_gets_the_same_time_to_clean_up(tmp_path: Path) -> None:
    child = "trap 'sleep 0.5; echo clean > cleaned; exit' TERM; echo go; while :; do sleep 0.1; done"
    interrupted(f'sh -c "{child}"; true', tmp_path)
    assert (tmp_path / "cleaned").read_text() == "clean\n"


def test_a_command_that_does_not_listen_is_ended_after_four_seconds(tmp_path: Path) -> None:
    seconds = interrupted("trap '' TERM INT; echo $$ > pid; echo go; while :; do sleep 0.1; done", tmp_path)
    assert seconds > 3.9
    assert gone(int((tmp_path / "pid").read_text()))


@pytest.mark.usefixtures("patient")
def test_a_second_signal_ends_it_without_further_patience(tmp_path: Path) -> None:
    def again(*_: object) -> None:
        raise Interrupted(terminated=True)

    before = signal.signal(signal.SIGALRM, again)
    started = time.monotonic()
    try:
        # It sends the second signal itself when the first has reached it: then we are waiting for it to end.
        command = f"trap 'kill -s ALRM {os.getpid()}' TERM; echo $$ > pid; echo go; while :; do sleep 0.1; done"
        with pytest.raises(Interrupted):
            shell.run(shell.Command((command,), tmp_path, {"PATH": os.environ["PATH"]}), _stop_at_go)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - started < LONG
    assert gone(int((tmp_path / "pid").read_text()))


def _stop_at_go(chunk: bytes) -> None:
    if b"go\n" in chunk and not chunk.startswith(b">"):
        raise Stop


def gone(pid: int) -> bool:
    """Whether the process has ended, now or before long."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], LONG)[0])
    finally:
        os.close(process)
