"""Who may run beside whom."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from runner.engine import machine
from runner.engine.room import admitted, handed_out
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
        ({"CUDA_VISIBLE_DEVICES": "0,0, 2,-1,3"}, ["0", "2"]),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, []),
        ({"CUDA_VISIBLE_DEVICES": ""}, []),
        ({"CUDA_VISIBLE_DEVICES": "MIG-a,MIG-b", "NVIDIA_VISIBLE_DEVICES": "all"}, ["MIG-a", "MIG-b"]),
        ({"NVIDIA_VISIBLE_DEVICES": "none"}, []),
        ({"NVIDIA_VISIBLE_DEVICES": "GPU-1"}, ["GPU-1"]),
        ({"NVIDIA_VISIBLE_DEVICES": "4,7"}, ["0", "1"]),
        ({"NVIDIA_VISIBLE_DEVICES": "all"}, ["0", "1", "2"]),
        ({}, ["0", "1", "2"]),
    ],
)
def test_the_environment_says_which_gpus_count(environ: dict[str, str], gpus: list[str], tmp_path: Path) -> None:
    for name in ("nvidia0", "nvidia2", "nvidia7", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert machine.gpus(environ, tmp_path) == machine.Gpus("CUDA_VISIBLE_DEVICES", tuple(gpus))


@pytest.mark.parametrize("variable", ["HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"])
def test_gpus_of_amd_are_named_in_the_variable_that_names_them(variable: str, tmp_path: Path) -> None:
    found = machine.gpus({variable: "1,3"}, tmp_path)
    assert found.names == ("1", "3")
    assert found.alone(["3"]) == {variable: "3"}
    assert found.alone([]) == {}


def test_gpus_of_amd_are_found_in_the_kernels_table_where_nothing_names_any(tmp_path: Path) -> None:
    devices, kfd = tmp_path / "dev", tmp_path / "nodes"
    devices.mkdir()
    for node, number in enumerate(("0", "4711", "4712")):
        (kfd / str(node)).mkdir(parents=True)
        (kfd / str(node) / "gpu_id").write_text(f"{number}\n")
    assert machine.gpus({}, devices, kfd) == machine.Gpus("HIP_VISIBLE_DEVICES", ("0", "1"))
    assert machine.gpus({}, devices, tmp_path / "none").names == ()


@pytest.mark.parametrize("seed", range(30))
def test_nobody_is_given_a_gpu_that_another_has_and_everybody_as_many_as_asked_for(seed: int) -> None:
    draw = random.Random(seed)
    names = [f"GPU-{number}" for number in range(draw.randint(0, 8))]
    whole = core(draw.randint(1, 8), gpu=len(names))
    waiting = {f"s{number}": core(draw.choice([0.5, 1, 2]), gpu=draw.randint(0, 4)) for number in range(60)}
    asked = dict(waiting)
    running: dict[str, Resources] = {}
    given: dict[str, tuple[str, ...]] = {}
    while waiting or running:
        for key in admitted(waiting, running.values(), whole):
            running[key] = waiting.pop(key)
            given[key] = handed_out(running[key].gpu, names, given.values())
            assert len(given[key]) == min(asked[key].gpu, len(names))
        taken = [name for one in given.values() for name in one]
        assert len(taken) == len(set(taken))
        assert running
        for key in draw.sample(sorted(running), draw.randint(1, len(running))):
            del running[key], given[key]


def test_jobs_stands_for_so_many_stages_of_one_core() -> None:
    assert machine.shared(FOUR, 7) == Resources(7000, 16, 2)
    assert machine.shared(FOUR, 0) == FOUR
