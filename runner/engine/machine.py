"""What this machine has for commands: cores, memory and GPUs, as far as this process may use them."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runner.pipeline.wishes import Resources
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MILLI: Final = 1000
_CGROUP: Final = Path("/sys/fs/cgroup")
_KFD: Final = Path("/sys/class/kfd/kfd/topology/nodes")
_UNLIMITED: Final = 1 << 60
_VISIBLE: Final = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")
_NONE: Final = frozenset({"", "-1", "none", "void", "NoDevFiles"})
"""What stands for no device; CUDA takes no notice of what follows."""


@dataclass(frozen=True, slots=True)
class Gpus:
    """GPUs by the names under which a program is told to use them.

    Attributes:
        variable: what tells it.
        names: numbers or ids.

    """

    variable: str = _VISIBLE[0]
    names: tuple[str, ...] = ()

    def alone(self, given: Sequence[str]) -> dict[str, str]:
        """Give the environment of a command that is to see these alone; nothing where it was given none."""
        return {self.variable: ",".join(given)} if given else {}


def whole(environ: Mapping[str, str], cgroup: Path = _CGROUP, devices: Path = Path("/dev")) -> Resources:
    """Give what there is: what the container is limited to, where it is limited.

    Args:
        environ: the process's environment, which may say which GPUs count; see `gpus`.
        cgroup: where the kernel tells of limits.
        devices: where the GPUs are.

    """
    return Resources(cores(cgroup) * _MILLI, _memory(cgroup), len(gpus(environ, devices).names))


def shared(there: Resources, jobs: int) -> Resources:
    """Give what stages share that run at once: room for `jobs` that ask for one core; 0: as many as there are cores."""
    return replace(there, cpu=jobs * _MILLI) if jobs else there


def cores(cgroup: Path = _CGROUP) -> int:
    """Give how many cores there are, at least one; a part of a core counts as one."""
    quota, period = (*_words(cgroup / "cpu.max"), "max", "1")[:2]
    if not quota.isdigit():
        quota, period = _first(cgroup / "cpu/cpu.cfs_quota_us"), _first(cgroup / "cpu/cpu.cfs_period_us") or "1"
    there = len(os.sched_getaffinity(0))
    return max(min(there, -(-int(quota) // int(period))), 1) if quota.isdigit() and int(period) else there


def _memory(cgroup: Path) -> int:
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = (_first(cgroup / "memory.max"), _first(cgroup / "memory/memory.limit_in_bytes"))
    return min(there, *(int(limit) if limit.isdigit() else _UNLIMITED for limit in limits))


def gpus(environ: Mapping[str, str], devices: Path = Path("/dev"), kfd: Path = _KFD) -> Gpus:
    """Find the GPUs that may be used: those that the environment names, else all that are there.

    Args:
        environ: the process's environment. A CUDA_VISIBLE_DEVICES, or AMD's like, says which are ours.
        devices: where the kernel shows those of NVIDIA.
        kfd: where it tells of those of AMD.

    """
    for variable in _VISIBLE:
        if variable in environ:
            named = takewhile(lambda name: name not in _NONE, (name.strip() for name in environ[variable].split(",")))
            return Gpus(variable, tuple(dict.fromkeys(named)))
    names = [name.strip() for name in environ.get("NVIDIA_VISIBLE_DEVICES", "all").split(",")]
    if any(name in _NONE - {""} for name in names):
        return Gpus()
    if all(name.startswith(("GPU-", "MIG-")) for name in names):
        return Gpus(_VISIBLE[0], tuple(names))
    # In a container CUDA numbers them anew, whatever their numbers are outside.
    count = len(names) if all(map(str.isdecimal, names)) else _seen(devices)
    return Gpus(_VISIBLE[0] if count else _VISIBLE[1], tuple(map(str, range(count or _of_amd(kfd)))))


def _seen(devices: Path) -> int:
    return sum(bool(re.fullmatch(r"nvidia\d+", place.name)) for place in devices.iterdir())


def _of_amd(kfd: Path) -> int:
    """Count the nodes of the kernel's table that are GPUs; a processor's number is 0."""
    return sum(_first(place) not in {"", "0"} for place in kfd.glob("*/gpu_id"))


def _words(place: Path) -> list[str]:
    try:
        return place.read_text().split()
    except OSError:
        return []


def _first(place: Path) -> str:
    return next(iter(_words(place)), "")
