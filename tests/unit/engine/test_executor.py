"""Stages' commands on this machine: how long they may take, and what is left of them."""

from __future__ import annotations

import os
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from runner.engine import shell
from runner.engine.executor import Limits, Local, Ran, Task
from tests.support.pipelines import decisions, row, workshop
from tests.support.tools import require

pytestmark = pytest.mark.slow


ANY = Limits()


def task(cmd: str, address: str = "train", timeout: float | None = None, **env: str) -> Task:
    seen = {"PATH": os.environ["PATH"], "DVC_STAGE": address, **env}
    return Task(address, (cmd,), ".", seen, timeout=timeout)


def ran(root: Path, cmd: str, limits: Limits = ANY, timeout: float | None = None) -> tuple[Ran, str]:
    printed = bytearray()
    with closing(Local(root, limits)) as local:
        return local.run(task(cmd, timeout=timeout), printed.extend), printed.decode()


def is_alive(pid: str) -> bool:
    return Path(f"/proc/{pid.strip()}").exists()


@pytest.mark.parametrize(
    ("cmd", "code", "why"),
    [
        ("true", 0, ""),
        ("exit 7", 7, "the command ended with exit code 7"),
        ("kill -9 $$", -9, "the command was ended by signal 9"),
    ],
)
def test_how_a_command_ends_is_said_in_words(tmp_path: Path, cmd: str, code: int, why: str) -> None:
    done, _ = ran(tmp_path, cmd)
    assert (done.code, done.why) == (code, why)


@pytest.mark.parametrize(
    ("limits", "timeout", "why"),
    [
        (Limits(), 0.3, "the command took longer than 0.3 s and was ended"),
        (Limits(stage=0.3), None, "the command took longer than 0.3 s and was ended"),
        (Limits(stage=0.01), 0.3, "the command took longer than 0.3 s and was ended"),
        (Limits(total=0.3), 100, "the run took longer than 0.3 s, and the command was ended"),
    ],
)
def test_a_command_that_takes_too_long_is_ended_and_so_is_its_child(
    tmp_path: Path, limits: Limits, timeout: float | None, why: str
) -> None:
    done, printed = ran(tmp_path, "sleep 1000 & echo $!; wait; echo never", limits, timeout)
    assert done.why == why
    assert done.code
    assert "never" not in printed.replace("echo never", "")
    assert not is_alive(printed.splitlines()[-1])


def test_a_silent_command_is_warned_of_each_time_it_was_silent_so_long(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    done, _ = ran(tmp_path, "echo a; sleep 0.5; echo b", Limits(silence=0.2))
    assert done.code == 0
    assert caplog.text.count("stage train has printed nothing for 0.2 s") >= 2


HIDDEN = "(setsid sh -c \"trap '' INT TERM HUP; echo \\$\\$ > pid; exec sleep 1000\" &); while ! [ -s pid ]; do :; done"
NAMELESS = HIDDEN.replace("setsid", "env -i setsid")


@pytest.mark.parametrize("cmd", ["sleep 1000 & echo $! > pid", HIDDEN, NAMELESS], ids=["child", "hidden", "nameless"])
def test_what_a_command_leaves_behind_is_ended_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, cmd: str
) -> None:
    require("setsid")
    done, _ = ran(tmp_path, cmd)
    pid = (tmp_path / "pid").read_text().strip()
    assert done.code == 0
    assert not is_alive(pid)
    assert f"stage train left processes behind, which were ended: sleep 1000 ({pid})" in caplog.text


def test_who_ends_a_moment_after_the_shell_is_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    done, printed = ran(tmp_path, "(sleep 0.1; echo written > late) & echo over")
    assert done.code == 0
    assert "over" in printed
    assert (tmp_path / "late").read_text() == "written\n"
    assert caplog.text == ""


def test_what_one_stage_leaves_behind_does_not_end_what_another_has_started(tmp_path: Path) -> None:
    require("setsid")
    with closing(Local(tmp_path)) as local:
        cmd = HIDDEN.replace("pid", "other") + "; touch up; while ! [ -e down ]; do sleep 0.01; done; cat other"
        printed = bytearray()
        other = threading.Thread(target=local.run, args=(task(cmd, "other"), printed.extend))
        other.start()
        while not (tmp_path / "up").exists():
            time.sleep(0.01)
        local.run(task(HIDDEN), lambda _: None)
        assert not is_alive((tmp_path / "pid").read_text())
        assert is_alive((tmp_path / "other").read_text())
        (tmp_path / "down").touch()
        other.join()
        assert not is_alive((tmp_path / "other").read_text())


def test_what_hides_in_another_session_with_an_empty_environment_ends_with_its_own_stage(tmp_path: Path) -> None:
    require("setsid")
    hidden = "setsid env -i sh -c 'echo $$ > {name}; exec sleep 1000' & while ! [ -s {name} ]; do sleep 0.01; done; "
    with closing(Local(tmp_path)) as local:
        wait = "touch up; while ! [ -e down ]; do sleep 0.01; done"
        other = threading.Thread(target=local.run, args=(task(hidden.format(name="other") + wait, "other"), print))
        other.start()
        while not (tmp_path / "up").exists():
            time.sleep(0.01)
        local.run(task(hidden.format(name="pid")), lambda _: None)
        assert not is_alive((tmp_path / "pid").read_text())
        assert is_alive((tmp_path / "other").read_text())
        (tmp_path / "down").touch()
        other.join()
        assert not is_alive((tmp_path / "other").read_text())


def test_a_process_that_was_there_before_is_none_of_ours(tmp_path: Path) -> None:
    import subprocess  # noqa: PLC0415 - this test alone

    with subprocess.Popen(["sleep", "1000"], start_new_session=True) as before:
        ran(tmp_path, "true")
        assert before.poll() is None
        before.kill()


def test_stop_ends_all_that_run_and_all_that_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "_GRACE", 0.2)
    with closing(Local(tmp_path)) as local:
        answers: list[Ran] = []
        commands = ["touch a; sleep 1000", "trap '' TERM; touch b; while :; do sleep 0.1; done"]
        threads = [
            threading.Thread(target=lambda cmd=cmd: answers.append(local.run(task(cmd, cmd), lambda _: None)))
            for cmd in commands
        ]
        for thread in threads:
            thread.start()
        while not ((tmp_path / "a").exists() and (tmp_path / "b").exists()):
            time.sleep(0.01)
        local.stop()
        for thread in threads:
            thread.join()
        assert [answer.why for answer in answers] == ["it was stopped"] * 2
        assert local.run(task("touch never"), lambda _: None).why == "it was stopped"
        assert not (tmp_path / "never").exists()


FLAKY = """\
stages:
  flaky:
    cmd: echo try >> ../journal; test -e flaky.o && exit 9; echo half > flaky.o; test $(wc -l < ../journal) = 3
    outs: [flaky.o]
    meta: {retries: %d}
"""


def test_a_stage_is_tried_again_as_often_as_it_asks_for_with_its_outs_as_before(tmp_path: Path) -> None:
    made = workshop(tmp_path, FLAKY % 2)
    report = made.repro()
    assert decisions(report) == {"flaky": "ran"}
    assert made.journal == ["try"] * 3


def test_a_stage_that_fails_each_time_has_failed(tmp_path: Path) -> None:
    made = workshop(tmp_path, FLAKY % 1)
    report = made.repro()
    assert decisions(report) == {"flaky": "failed"}
    assert made.journal == ["try"] * 2
    assert any(line.endswith("the command ended with exit code 1; try 2 of 2") for line in row(report, "flaky").tail)
    assert made.read("flaky.o") == "half\n"
    assert report.notes == ("all that flaky printed is in .dvc/tmp/retrain/logs/flaky.log.gz",)
    assert (made.root / ".dvc/tmp/retrain/logs/flaky.log.gz").exists()


def test_a_timeout_fails_the_stage_and_says_so_in_the_report(tmp_path: Path) -> None:
    text = "stages:\n  slow: {cmd: sleep 1000, outs: [slow.o], meta: {timeout: 0.3}}\n"
    report = workshop(tmp_path, text).repro()
    assert row(report, "slow").why == "the command took longer than 0.3 s and was ended"
    assert report.exit_code == 3
