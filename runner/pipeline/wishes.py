"""What a stage asks of the runner below `meta:`, where DVC lets people write what they like. Other keys are theirs.

meta:
  resources: {cpu: 4, memory: 16 GB, gpu: 1}
  timeout: 2 h
  retries: 2
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

from runner import units
from runner.errors import ConfigError, ConfigErrors
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from runner.pipeline.model import Stage

_MILLI: Final = 1000
_GIGA: Final = 1_000_000_000
_MOST_CORES: Final = 100_000
_MOST_RETRIES: Final = 100


@dataclass(frozen=True, slots=True)
class Resources:
    """What a stage asks for, or what a machine has.

    Attributes:
        cpu: thousandths of a core.
        memory: bytes.
        gpu: devices.

    """

    cpu: int = _MILLI
    memory: int = 0
    gpu: int = 0

    def __str__(self) -> str:
        """Say what it is in words, memory in powers of 1,000."""
        cpu, memory = self.cpu / _MILLI, self.memory / _GIGA
        cores = f"{cpu:,.10g} core{'' if cpu == 1 else 's'}"
        amount = f"{memory:.3g}" if round(memory) < _MILLI else f"{memory:,.0f}"
        gpu = f"{self.gpu} GPU{'' if self.gpu == 1 else 's'}" if self.gpu else ""
        return ", ".join(filter(None, (cores, f"{amount} GB of memory" if self.memory else "", gpu)))

    def __sub__(self, taken: Resources) -> Resources:
        """Give what is left; nothing of what there is too little of."""
        left = (self.cpu - taken.cpu, self.memory - taken.memory, self.gpu - taken.gpu)
        return Resources(*(max(amount, 0) for amount in left))

    def fits(self, room: Resources) -> bool:
        """Whether there is as much in `room`."""
        return self.cpu <= room.cpu and self.memory <= room.memory and self.gpu <= room.gpu


@dataclass(frozen=True, slots=True)
class Wishes:
    """What one stage asks for.

    Attributes:
        resources: what has to be free before it runs.
        timeout: seconds after which it is ended; `None`: the run's own limit counts.
        retries: how often it is run again where it fails.

    """

    resources: Resources = field(default_factory=Resources)
    timeout: float | None = None
    retries: int = 0


PLAIN: Final = Wishes()


def of_all(stages: Iterable[Stage]) -> dict[str, Wishes]:
    """Read what each stage asks for, by its address; those that ask for nothing are left out.

    Raises:
        ConfigErrors: every wrong value.

    """
    found: dict[str, Wishes] = {}
    mistakes: list[ConfigError] = []
    for stage in stages:
        if isinstance(stage.meta, dict):
            try:
                found[stage.address] = _of(stage.meta)
            except ValueError as error:
                hint = "or give your own value another key: `meta` may hold any"
                mistakes.append(ConfigError(f"stage {stage.address}, meta: {error}", hint, stage.where))
    if mistakes:
        raise ConfigErrors(mistakes)
    return {address: wishes for address, wishes in found.items() if wishes != PLAIN}


def _of(meta: Mapping[str, Any]) -> Wishes:
    asked = dict(meta.get("resources") or {}) if isinstance(meta.get("resources") or {}, dict) else None
    if asked is None:
        message = f"resources: {meta['resources']!r} is not a mapping with cpu, memory or gpu"
        raise ValueError(message)
    unknown = next(iter(asked.keys() - _RESOURCES.keys()), None)
    if unknown is not None:
        message = f"resources: {unknown!r} is none of cpu, memory, gpu"
        raise ValueError(message)
    timeout = _read(meta, "timeout", units.seconds)
    resources = Resources(**{name: _read(asked, name, _RESOURCES[name], "resources.") for name in asked})
    return Wishes(resources, timeout, _read(meta, "retries", _count(_MOST_RETRIES)) or 0)


def _read(written: Mapping[str, Any], name: str, read: Callable[[object], Any], above: str = "") -> Any:  # noqa: ANN401 - what `read` gives
    if name not in written:
        return None
    try:
        return read(written[name])
    except ValueError as error:
        message = f"{above}{name}: {written[name]!r} is not {error}"
        raise ValueError(message) from None


def _cores(written: object) -> int:
    """Give thousandths of a core: `0.5` is 500."""
    is_number = isinstance(written, (int, float)) and not isinstance(written, bool)
    if not is_number or not 1 <= float(str(written)) * _MILLI <= _MOST_CORES * _MILLI:
        message = "a number of cores, such as 4 or 0.5"
        raise ValueError(message)
    return round(float(str(written)) * _MILLI)


def _count(most: int) -> Callable[[object], int]:
    def read(written: object) -> int:
        if not isinstance(written, int) or isinstance(written, bool) or not 0 <= written <= most:
            message = f"a whole number from 0 to {most}"
            raise ValueError(message)
        return written

    return read


_RESOURCES: Final[Mapping[str, Callable[[object], int]]] = {
    "cpu": _cores,
    "memory": units.size,
    "gpu": _count(_MOST_CORES),
}
