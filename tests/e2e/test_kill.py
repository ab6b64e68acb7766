"""SIGKILL at any moment leaves a state from which the same command goes on by itself, and ends as if undisturbed.

Every system call with which a run changes something below the project is a point at which it can be killed; a few of
them, spread evenly, are tried here, and all with `make killloop`. Then it is killed at random moments, and while its
command runs.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.e2e import killing
from tests.support.pipelines import workshop

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.killing import Scene
    from tests.support.environment import Program

pytestmark = pytest.mark.slow

POINTS = int(os.environ.get("RETRAIN_KILLS", "20"))
"""How many points and random moments of each command are tried; 0: every point there is."""

COMMANDS = {
    "repro": ("repro",),
    "run": ("run", "--push", "always"),
    "set-param": ("repro", "--set-param", "rate=5"),
}


@pytest.fixture(params=COMMANDS)
def scene(request: pytest.FixtureRequest, tmp_path: Path, environ: dict[str, str]) -> Scene:
    return killing.made(tmp_path, COMMANDS[request.param], environ)


def test_a_run_killed_at_any_call_goes_on_by_itself(scene: Scene, tmp_path: Path) -> None:
    points = scene.points(scene.copy(tmp_path / "whole"))
    wanted = killing.state(tmp_path / "whole")
    assert len(points) > 100
    step = max(len(points) // POINTS, 1) if POINTS else 1
    for point in points[random.Random(os.getpid()).randrange(step) :: step]:
        place = scene.copy(tmp_path / "place")
        scene.killed(place, point)
        assert scene.recovers(place, wanted) == [], point
        shutil.rmtree(place)


def test_a_run_that_is_lent_a_file_and_killed_at_any_call_goes_on_by_itself(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    scene = killing.made_lent(tmp_path, environ)
    points = scene.points(scene.copy(tmp_path / "whole"))
    wanted = killing.state(tmp_path / "whole")
    assert not (tmp_path / "whole/root/raw").exists()
    step = max(len(points) // POINTS, 1) if POINTS else 1
    for point in points[random.Random(os.getpid()).randrange(step) :: step]:
        place = scene.copy(tmp_path / "place")
        scene.killed(place, point)
        assert scene.recovers(place, wanted) == [], point
        shutil.rmtree(place)


def test_a_run_killed_at_a_random_moment_goes_on_by_itself(scene: Scene, tmp_path: Path) -> None:
    started = time.monotonic()
    assert scene.run(scene.copy(tmp_path / "whole")) == 0
    whole = time.monotonic() - started
    wanted = killing.state(tmp_path / "whole")
    for _ in range(max(POINTS // 4, 1) if POINTS else 50):
        place = scene.copy(tmp_path / "place")
        for _ in range(2):  # the second time while it puts right what the first left
            scene.killed_after(place, random.uniform(0.1, whole))
        assert scene.recovers(place, wanted) == []
        shutil.rmtree(place)


@pytest.mark.parametrize("start", ["", "env -i"])
def test_what_a_killed_run_left_running_is_ended_before_the_next_begins(
    start: str, tmp_path: Path, environ: dict[str, str], retrain: Program
) -> None:
    scene = killing.made(tmp_path, ("repro", "fit"), environ)
    place = scene.copy(tmp_path / "place")
    root = place / "root"
    late = f"setsid {start} sh -c 'while sleep 0.05; do date >> ../late; done'"
    slow = f"({late} &) ; touch ../started; sleep 30; cat parts/x"
    pipeline = (root / "dvc.yaml").read_text()
    (root / "dvc.yaml").write_text(pipeline.replace("cat parts/x", slow))
    with subprocess.Popen(scene.command(), cwd=root, env=environ, stderr=subprocess.DEVNULL) as running:
        while running.poll() is None and not (place / "started").exists():
            time.sleep(0.02)
        running.kill()
    (root / "dvc.yaml").write_text(pipeline)
    done = retrain("repro", "fit", cwd=root)
    assert "processes behind" in done.stderr
    sizes = []
    for _ in range(4):
        time.sleep(0.1)
        sizes.append((place / "late").stat().st_size)
    assert all(before == after for before, after in pairwise(sizes))
    assert killing.lies(place) == []


SIDE_BY_SIDE = """\
stages:
  first: {cmd: 'sleep 1; echo 1 > first', outs: [first]}
  second: {cmd: 'sleep 2; cp seed second', deps: [seed], outs: [second]}
  third: {cmd: 'cp seed third', deps: [seed], outs: [third]}
  last: {cmd: 'cat first third > last', deps: [first, third], outs: [last]}
"""


def test_a_killed_run_of_several_stages_at_once_goes_on_in_the_order_of_an_undisturbed_one(
    tmp_path: Path, retrain: Program
) -> None:
    places = {}
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
        places[name] = workshop(tmp_path / name, SIDE_BY_SIDE, {"seed": "1\n"}).root
    retrain("repro", "--jobs", "1", cwd=places["whole"])
    lock = places["killed"] / "dvc.lock"
    for stage in ("third", "first"):  # killed twice: the second run too has to know what the first one added
        with subprocess.Popen(
            [*retrain.argv, "repro", "--jobs", "4"],
            cwd=places["killed"],
            env=retrain.environ,
            stderr=subprocess.DEVNULL,
        ) as running:
            while running.poll() is None and not (lock.exists() and f"  {stage}:" in lock.read_text()):
                time.sleep(0.01)
            running.kill()
    assert "second:" not in lock.read_text()
    retrain("repro", "--jobs", "4", cwd=places["killed"])
    assert killing.left_over(places["killed"].parent) == []
    for name in ("dvc.lock", ".gitignore"):
        assert (places["killed"] / name).read_text() == (places["whole"] / name).read_text()
