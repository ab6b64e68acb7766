"""Who may run beside whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.engine import machine
from runner.engine.room import admitted
from runner.pipeline.wishes import Resources

if TYPE_CHECKING:
    from pathlib import Path

FOUR = Resources(cpu=4000, memory=16, gpu=2)
ONE = Resources()


def core(count: float, memory: int = 0, gpu: int = 0) -> Resources:
    return Resources(round(count * 1000), memory, gpu)


@pytest.mark.parametrize(
    ("waiting", "running", "chosen"),
    [
        ([ONE] * 6, [], [0, 1, 2, 3]),
        ([ONE] * 6, [ONE, ONE], [0, 1]),
        ([core(3), core(2), ONE], [], [0]),
        ([core(3), ONE, core(2)], [], [0, 1]),
        ([core(0.5)] * 9, [], [0, 1, 2, 3, 4, 5, 6, 7]),
        ([core(1, memory=10), core(1, memory=10), core(1, memory=6)], [], [0]),
        ([core(1, gpu=1)] * 3, [], [0, 1]),
        ([core(1, gpu=2), ONE, ONE], [core(1, gpu=1)], [1, 2]),
        ([core(4), ONE], [ONE], []),
        ([core(100), ONE], [], [0]),
        ([core(100), ONE], [ONE], []),
        ([ONE, core(1, gpu=9), ONE], [], [0]),
        ([ONE, ONE], [core(1, gpu=9)], []),
        ([], [], []),
    ],
)
def test_first_come_first_served_and_nobody_takes_what_one_before_it_waits_for(
    waiting: list[Resources], running: list[Resources], chosen: list[int]
) -> None:
    assert admitted(dict(enumerate(waiting)), running, FOUR) == chosen


def test_a_machine_is_as_large_as_its_container_lets_it_be(tmp_path: Path) -> None:
    devices = tmp_path / "dev"
    devices.mkdir()
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "null"):
        (devices / name).touch()
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "memory.max").write_text("1000000\n")
    assert machine.whole({}, tmp_path, devices) == Resources(1000, 1_000_000, 2)
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    free = machine.whole({}, tmp_path / "none", devices)
    assert machine.whole({}, tmp_path, devices) == free
    assert free.cpu >= 1000
    assert free.memory > 1_000_000


@pytest.mark.parametrize(
    ("environ", "gpus"),
    [
        ({"CUDA_VISIBLE_DEVICES": "0,3"}, ["0", "3"]),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, []),
        ({"NVIDIA_VISIBLE_DEVICES": "none"}, []),
        ({"NVIDIA_VISIBLE_DEVICES": "GPU-1"}, ["GPU-1"]),
        ({"NVIDIA_VISIBLE_DEVICES": "all"}, []),
        ({}, []),
    ],
)
def test_the_environment_says_which_gpus_count(environ: dict[str, str], gpus: list[str], tmp_path: Path) -> None:
    assert machine.gpus(environ, tmp_path) == gpus


def test_jobs_stands_for_so_many_stages_of_one_core() -> None:
    assert machine.shared(FOUR, 7) == Resources(7000, 16, 2)
    assert machine.shared(FOUR, 0) == FOUR
