"""`--set-param`: other values while a run lasts, and the files as they were afterwards, whatever happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from runner.engine import supposing
from runner.engine.project import hold
from runner.engine.workspace import SCRATCH
from runner.errors import ConfigError, Exit
from tests.support.pipelines import decisions, elsewhere, finished

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.environment import Program
    from tests.support.pipelines import Workshop

pytestmark = pytest.mark.slow

PIPELINE = """\
stages:
  train:
    cmd: cat params.yaml data > train.o
    deps: [data]
    params: [rate]
    outs: [train.o]
  whole:
    cmd: cat params.yaml > whole.o
    deps: [params.yaml]
    outs: [whole.o]
  named:
    cmd: echo ${word} > named.o; cat data
    deps: [data]
    outs: [named.o]
  other:
    cmd: cat sub/p.toml > other.o
    params: [{sub/p.toml: [a.b]}]
    outs: [other.o]
"""
PARAMS = "rate: 1 # of learning\nword: x\n"
FILES = {"data": "1\n", "params.yaml": PARAMS, "sub/p.toml": "a.b = 1\n"}
FRESH = dict.fromkeys(["train", "whole", "named", "other"], "fresh")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return finished(tmp_path_factory.mktemp("supposing"), PIPELINE, FILES)


@pytest.fixture
def made(kept: Workshop, tmp_path: Path) -> Workshop:
    return elsewhere(kept, tmp_path)


def untouched(made: Workshop) -> bool:
    left = [place.name for place in (made.root / SCRATCH).glob("params-*")]
    return made.read("params.yaml") == PARAMS and made.read("sub/p.toml") == "a.b = 1\n" and left == []


def plan(made: Workshop, *said: str) -> dict[str, str]:
    from runner import ci  # noqa: PLC0415 - as the command line does

    with made.opened("plan", set_param="\n".join(said)) as opened:
        return {step.stage.address: step.decision.word for step in ci.plan(opened.project, ()).steps}


def test_a_plan_supposes_and_writes_nothing(made: Workshop) -> None:
    before = (made.root / "params.yaml").stat().st_ctime_ns
    assert plan(made) == FRESH
    assert plan(made, "rate=2") == {**FRESH, "train": "run", "whole": "run"}
    assert plan(made, "word=y") == {**FRESH, "whole": "run", "named": "run"}
    assert plan(made, "sub/p.toml:a.b=2") == {**FRESH, "other": "run"}
    assert plan(made, "rate=1.0", "rate=1") == FRESH
    assert (made.root / "params.yaml").stat().st_ctime_ns == before


def test_a_run_reads_the_values_and_leaves_the_files(made: Workshop) -> None:
    before = (made.root / "params.yaml").stat()
    report = made.repro(set_param="rate=2\nword=y\nsub/p.toml:a.b=[1]")
    assert decisions(report) == dict.fromkeys(FRESH, "ran")
    assert made.read("train.o") == "rate: 2 # of learning\nword: y\n1\n"
    assert made.read("whole.o") == "rate: 2 # of learning\nword: y\n"
    assert made.read("named.o") == "y\n"
    assert made.read("other.o") == "a.b = [1]\n"
    assert untouched(made)
    after = (made.root / "params.yaml").stat()
    assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (before.st_ino, before.st_mode, before.st_mtime_ns)


def test_the_lock_says_what_ran(made: Workshop) -> None:
    made.repro("train", set_param="rate=2")
    assert "rate: 2" in made.read("dvc.lock")
    assert made.reasons("train") == [("param modified", "params.yaml:rate", 2, 1)]
    assert decisions(made.repro("train", set_param="rate=2")) == {"train": "fresh"}
    assert decisions(made.repro("train")) == {"train": "restored"}, "from the run cache"


def test_files_are_named_from_where_the_command_is_called(made: Workshop) -> None:
    flags = {"working-directory": str(made.root / "sub")}
    assert decisions(made.repro("../dvc.yaml:other", set_param="p.toml:a.b=2", **flags)) == {"other": "ran"}
    with pytest.raises(ConfigError, match=r"no params file sub/params\.yaml"):
        made.repro(set_param="rate=2", **flags)


def test_a_command_that_fails_leaves_the_files(made: Workshop) -> None:
    made.put({"dvc.yaml": PIPELINE.replace("cat params.yaml data", "false; cat data").replace("> train.o", "&& false")})
    assert made.repro("train", set_param="rate=2").exit_code == Exit.STAGE
    assert untouched(made)


def test_a_command_that_writes_the_file_fails_and_what_it_wrote_is_kept(
    made: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    made.put(
        {"dvc.yaml": PIPELINE.replace("cat params.yaml data >", "cp mine params.yaml; cat data >"), "mine": "rate: 9\n"}
    )
    report = made.repro("train", set_param="rate=2")
    assert "changed while the command ran" in report.stages[0].why
    assert untouched(made)
    (kept,) = (made.root / SCRATCH).glob("left-*/params.yaml")
    assert kept.read_text() == "rate: 9\n"
    assert str(kept.relative_to(made.root)) in caplog.text


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("rte=2", "no key 'rte'"),
        ("absent.yaml:rate=2", "no params file absent.yaml"),
        ("../outside.yaml:rate=2", "no params file"),
        ("rate", "does not say"),
        ("train.o:rate=2", "train.o"),
        ("dvc.yaml:stages.train.cmd=id", "dvc.yaml says what is run"),
    ],
)
def test_what_cannot_be_set_stops_the_run_before_it_begins(said: str, message: str, made: Workshop) -> None:
    with pytest.raises(ConfigError, match=message):
        made.repro(set_param=said)
    assert untouched(made)


def test_a_file_that_a_stage_writes_is_not_set(tmp_path: Path) -> None:
    pipeline = "stages:\n  a:\n    cmd: 'echo rate: 1 > p.yaml'\n    outs: [p.yaml]\n"
    made = finished(tmp_path, pipeline)
    with pytest.raises(ConfigError, match=r"p.yaml is written by a"):
        made.repro(set_param="p.yaml:rate=2")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_the_files_or_the_next_command_does(
    number: signal.Signals, made: Workshop, retrain: Program, environ: dict[str, str]
) -> None:
    made.put(
        {
            "dvc.yaml": PIPELINE.replace(
                "cat params.yaml data >", "touch ../started; while test ! -e ../go; do sleep 0.05; done; cat data >"
            )
        }
    )
    command = [sys.executable, "-I", "-m", "runner", "repro", "train", "-S", "rate=2"]
    with subprocess.Popen(command, cwd=made.root, env=environ, stderr=subprocess.DEVNULL) as running:
        while not (made.root.parent / "started").exists():
            time.sleep(0.02)
        assert made.read("params.yaml") == "rate: 2 # of learning\nword: x\n"
        assert "param modified params.yaml:rate: 1 -> 2" in retrain("plan", "train", cwd=made.root).stdout
        os.kill(running.pid, number)
    if number == signal.SIGKILL:
        assert not untouched(made)
        assert "param modified" not in retrain("plan", "train", cwd=made.root).stdout
    assert untouched(made)
    (made.root.parent / "go").touch()


def test_a_run_killed_at_any_step_of_taking_is_put_back(made: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    for step in range(30):
        steps = iter(range(step))

        def count(event: str, _: object, steps: object = steps) -> None:
            if event in {"os.rename", "os.link", "open"} and next(steps, None) is None:  # type: ignore[call-overload]
                raise Killed

        with made.opened(set_param="rate=2\nsub/p.toml:a.b=5") as opened:
            workspace = opened.project.workspace
            wanted = supposing.of(workspace, ".", opened.asked.settings.set_param, lambda: hold(made.root))
            with monkeypatch.context() as patch:
                patch.setattr(supposing, "_put_back", lambda *_: None)  # as if killed: nothing runs any more
                hook = _Hook(count)
                try:
                    with hook, wanted.in_place():
                        hook.active = False
                        assert "rate: 2" in made.read("params.yaml")
                except Killed:
                    pass
            hook.active = False
        assert made.plan() == FRESH
        assert untouched(made)


class _Hook:
    """An audit hook, which cannot be removed, that is only heard inside its block."""

    def __init__(self, hear: object) -> None:
        self.active = False
        sys.addaudithook(lambda event, args: hear(event, args) if self.active else None)  # type: ignore[operator]

    def __enter__(self) -> None:
        self.active = True

    def __exit__(self, *_: object) -> None:
        self.active = False
