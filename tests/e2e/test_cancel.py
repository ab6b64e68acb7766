"""A run that is cancelled, as GitHub does it: SIGINT, 7.5 seconds, SIGTERM, 2.5 seconds, and everything is killed."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.pipelines import Workshop, workshop
from tests.support.tools import require

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

pytestmark = pytest.mark.slow

PATIENCE = 7.5
ENDS = "echo $$ > ../$DVC_STAGE; sleep 1000; echo > $DVC_STAGE.o"
IGNORES = "trap '' INT TERM; echo $$ > ../$DVC_STAGE; while :; do sleep 0.1; done"
STOPS = "echo $$ > ../$DVC_STAGE; kill -STOP $$; sleep 1000"
CLEANS = "trap 'echo yes > ../cleaned; exit 1' TERM; echo $$ > ../$DVC_STAGE; while :; do sleep 0.1; done"
# The shell ends its middle child, so that the grandchild has lost its parent, its session and its group.
DOUBLE_FORKS = (
    "(setsid sh -c \"trap '' INT TERM; echo \\$\\$ > ../$DVC_STAGE; while :; do sleep 0.1; done\" &) ; sleep 1000"
)
HIDES = "(env -i setsid sh -c \"trap '' INT TERM; echo \\$\\$ > ../s0; while :; do sleep 0.1; done\" &) ; sleep 1000"


def started(made: Workshop, stages: int, prefix: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """Start a run, and wait until all its stages are at work."""
    with (made.root.parent / "log").open("wb") as log:
        run = subprocess.Popen(
            [*prefix, sys.executable, "-I", "-m", "runner", "repro", "--jobs", "8"],
            cwd=made.root,
            env={**made.environ, "GITHUB_ACTIONS": ""},
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + 60
    while not all((made.root.parent / f"s{number}").exists() for number in range(stages)):
        assert run.poll() is None, (made.root.parent / "log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return run


def pipeline(commands: Sequence[str]) -> str:
    stages = "".join(
        f"  s{number}:\n    cmd:\n    - |\n      {cmd}\n    outs: [s{number}.o]\n"
        for number, cmd in enumerate(commands)
    )
    return f"stages:\n{stages}"


def with_out(place: Path, commands: Sequence[str]) -> Workshop:
    """Give a project whose first stage has an out from before."""
    made = workshop(place, pipeline(commands), {".gitignore": "/s0.o\n"})
    made.put({"s0.o": "as it was\n"})
    return made


def below(root: Path) -> list[str]:
    """Give the commands of living processes that work in a folder, or were started for it."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            inside = (process / "cwd").readlink().is_relative_to(root)
        except (OSError, ValueError):
            continue
        if inside:
            found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


def cancelled(run: subprocess.Popen[bytes]) -> int:
    """Cancel as GitHub does; give the exit code."""
    run.send_signal(signal.SIGINT)
    try:
        return run.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        run.send_signal(signal.SIGTERM)
        return run.wait(2.5)


@pytest.mark.parametrize(
    "commands",
    [[ENDS], [IGNORES], [STOPS], [DOUBLE_FORKS], [HIDES], [ENDS, IGNORES, DOUBLE_FORKS, STOPS]],
    ids=["ends", "ignores signals", "stops itself", "double-forks", "hides", "all at once"],
)
def test_a_cancelled_run_ends_in_time_and_leaves_nobody_and_nothing(tmp_path: Path, commands: Sequence[str]) -> None:
    require("setsid")
    made = with_out(tmp_path, commands)
    run = started(made, len(commands))
    assert not (made.root / "s0.o").exists()
    assert cancelled(run) == 130
    assert below(made.root) == []
    assert made.read("s0.o") == "as it was\n"
    assert not list((made.root / ".dvc/tmp/retrain").glob("aside-*"))


def test_a_run_whose_terminal_is_gone_ends_as_if_it_were_told_to(tmp_path: Path) -> None:
    made = with_out(tmp_path, [IGNORES, DOUBLE_FORKS])
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests themselves may be run by `nohup`
    try:
        run = started(made, 2)
    finally:
        signal.signal(signal.SIGHUP, before)
    run.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    run.send_signal(signal.SIGHUP)
    assert run.wait(PATIENCE) == 143
    assert below(made.root) == []
    assert made.read("s0.o") == "as it was\n"


def test_a_run_that_is_to_outlive_its_terminal_does(tmp_path: Path) -> None:
    require("nohup")
    made = workshop(tmp_path, pipeline(["echo > ../s0; while ! test -e ../go; do sleep 0.1; done; touch s0.o"]))
    run = started(made, 1, ["nohup"])
    run.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    (tmp_path / "go").touch()
    assert run.wait(60) == 0


def test_a_cancelled_stage_may_clean_up(tmp_path: Path) -> None:
    run = started(workshop(tmp_path, pipeline([CLEANS])), 1)
    assert cancelled(run) == 130
    assert (tmp_path / "cleaned").read_text() == "yes\n"


def test_nothing_new_begins_and_what_had_finished_is_kept(tmp_path: Path) -> None:
    text = pipeline(["echo done > s0.o; echo > ../s0", ENDS]) + "  s2: {cmd: touch s2.o, deps: [s1.o], outs: [s2.o]}\n"
    made = workshop(tmp_path, text)
    run = started(made, 2)
    assert comes(lambda: (made.root / "dvc.lock").exists() and "s0:" in made.read("dvc.lock"))
    assert cancelled(run) == 130
    assert made.plan() == {"s0": "fresh", "s1": "run", "s2": "run"}
    assert not (made.root / "s2.o").exists()


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_everything_at_once(tmp_path: Path, second: signal.Signals) -> None:
    made = with_out(tmp_path, [IGNORES, DOUBLE_FORKS])
    run = started(made, 2)
    run.send_signal(signal.SIGINT)
    time.sleep(0.5)
    run.send_signal(second)
    assert run.wait(2) == (130 if second == signal.SIGINT else 143)
    assert comes(lambda: not below(made.root))
    made.put({"dvc.yaml": pipeline(["cat s0.o 2>/dev/null; echo new > s0.o", "echo new > s1.o"])})
    assert made.repro().exit_code == 0


def comes(condition: Callable[[], bool]) -> bool:
    """Whether something becomes true within a few seconds."""
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_as_process_1_of_a_container_it_hears_signals_and_waits_for_orphans(tmp_path: Path) -> None:
    unshare = str(require("unshare"))
    if subprocess.run([unshare, "-fp", "--mount-proc", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine allows no namespace of processes")
    orphans = "for i in 1 2 3; do (sh -c 'sleep 0.1' &); done; sleep 0.5; ps -eo stat > ../zombies; echo > s0.o"
    made = workshop(tmp_path, pipeline([f"{orphans}; echo > ../s0", IGNORES, DOUBLE_FORKS]))
    outer = started(made, 3, [unshare, "-fp", "--mount-proc"])
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()
    inner = os.pidfd_open(int(children[0]))
    signal.pidfd_send_signal(inner, signal.SIGINT)
    assert select.select([inner], [], [], PATIENCE)[0]
    assert outer.wait(5) == 130
    assert below(made.root) == []
