"""What this machine has for commands: cores, memory and GPUs, as far as this process may use them."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runner.pipeline.wishes import Resources

if TYPE_CHECKING:
    from collections.abc import Mapping

_MILLI: Final = 1000
_CGROUP: Final = Path("/sys/fs/cgroup")
_UNLIMITED: Final = 1 << 60


def whole(environ: Mapping[str, str], cgroup: Path = _CGROUP, devices: Path = Path("/dev")) -> Resources:
    """Give what there is: what the container is limited to, where it is limited.

    Args:
        environ: the process's environment; CUDA_VISIBLE_DEVICES and NVIDIA_VISIBLE_DEVICES say which GPUs count.
        cgroup: where the kernel tells of limits.
        devices: where the GPUs are.

    """
    return Resources(cores(cgroup) * _MILLI, _memory(cgroup), len(gpus(environ, devices)))


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


def gpus(environ: Mapping[str, str], devices: Path = Path("/dev")) -> list[str]:
    """Give the names of the GPUs that may be used, as CUDA_VISIBLE_DEVICES names them."""
    for variable in ("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"):
        named = environ.get(variable)
        if named is not None and named not in {"all", ""}:
            return [] if named in {"none", "void", "-1"} else [name.strip() for name in named.split(",")]
    found = (re.fullmatch(r"nvidia(\d+)", place.name) for place in devices.iterdir())
    return sorted((number[1] for number in found if number), key=int)


def _words(place: Path) -> list[str]:
    try:
        return place.read_text().split()
    except OSError:
        return []


def _first(place: Path) -> str:
    return next(iter(_words(place)), "")
