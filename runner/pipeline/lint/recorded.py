"""Rules about dvc.lock, by text alone: nothing is hashed, so data that changed is not noticed here."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from runner.errors import ConfigError, Location
from runner.pipeline import lock, params
from runner.pipeline.lint import catalogue
from runner.pipeline.lint.finding import Finding
from runner.pipeline.lint.material import lock_beside

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.pipeline.lint.material import Material
    from runner.pipeline.model import LockedPath, LockEntry, Param, Stage

_FEW = 3


def never_run(material: Material) -> Iterator[Finding]:
    """Yield stages without an entry; one finding a dvc.yaml where there is no dvc.lock at all."""
    for file, stages in material.projects.items():
        runnable = [stage for stage in stages if stage.cmd]
        hint = "run it, and commit dvc.lock"
        if runnable and material.read(lock_beside(file)) is None:
            message = f"there is no {lock_beside(file)}: no stage has been run, or its record is not committed"
            yield material.finding(catalogue.NEVER_RUN, runnable[0], message, hint)
        elif file in material.locks:
            entries = material.locks[file].entries
            for stage in (stage for stage in runnable if stage.name not in entries):
                message = f"{lock_beside(file)} has no entry for {stage.name!r}"
                yield material.finding(catalogue.NEVER_RUN, stage, message, hint)


def older(material: Material) -> Iterator[Finding]:
    """Yield stages whose entry records something else than the dvc.yaml and the params files say."""
    for stage, entry in _entries(material):
        changes = [*_cmd(stage, entry), *_paths(stage, entry), *_params(material, stage, entry)]
        if changes and not stage.frozen:
            shown = ", ".join(changes[:_FEW]) + (f" and {len(changes) - _FEW} more" if len(changes) > _FEW else "")
            message = f"{stage.name!r} changed since it ran last: {shown}"
            yield material.finding(catalogue.OLDER, stage, message, "run it, and commit dvc.lock")


def _entries(material: Material) -> Iterator[tuple[Stage, LockEntry]]:
    for file, locked in material.locks.items():
        for stage in material.projects[file]:
            if stage.cmd and stage.name in locked.entries:
                yield stage, locked.entries[stage.name]


def _cmd(stage: Stage, entry: LockEntry) -> Iterator[str]:
    if stage.cmd and stage.cmd != entry.cmd and lock.cmd_read_back(stage.cmd) != entry.cmd:
        yield "another cmd"


def _paths(stage: Stage, entry: LockEntry) -> Iterator[str]:
    for kind, spelled, recorded in _named(stage, entry):
        if not any(one.spelled == spelled for one in recorded) and _otherwise(spelled, recorded) is None:
            yield f"new {kind} {spelled}"


def _named(stage: Stage, entry: LockEntry) -> Iterator[tuple[str, str, Sequence[LockedPath]]]:
    yield from (("dep", dep.spelled, entry.deps) for dep in stage.deps)
    yield from (("out", out.spelled, entry.outs) for out in stage.outs)


def _otherwise(spelled: str, recorded: Sequence[LockedPath]) -> str | None:
    """Give the spelling by which the lock has the same path."""
    meant = posixpath.normpath(spelled)
    return next((one.spelled for one in recorded if posixpath.normpath(one.spelled) == meant), None)


def _params(material: Material, stage: Stage, entry: LockEntry) -> Iterator[str]:
    for param in stage.params:
        now = _now(material, param)
        was = entry.params.get(param.spelled, {})
        for key in param.keys or (dict.fromkeys((*was, *now)) if now is not None else ()):
            if key not in was:
                yield f"new param {key}"
            elif now is not None and key in now and not params.equal(was[key], now[key]):
                yield f"{key} was {was[key]!r}, is {now[key]!r}"


def _now(material: Material, param: Param) -> Mapping[str, Any] | None:
    """Give the values of a params file; `None` where they are not to be had, or another stage makes them."""
    document = material.document(param.path)
    if document is None or material.pipeline.producer(param.path):
        return None
    try:
        return params.read(param, document)
    except ConfigError:
        return None


def other_spelling(material: Material) -> Iterator[Finding]:
    """Yield deps and outs that the lock has by another spelling, which counts as another path."""
    for stage, entry in _entries(material):
        for kind, spelled, recorded in _named(stage, entry):
            other = _otherwise(spelled, recorded)
            if other is not None and not any(one.spelled == spelled for one in recorded):
                message = (
                    f"the {kind} {spelled!r} of {stage.name!r} stands in dvc.lock as {other!r}: the stage is stale"
                )
                yield material.finding(
                    catalogue.SPELLING, stage, message, f"write it {other!r}, or run the stage", ("", spelled)
                )


def left_over(material: Material) -> Iterator[Finding]:
    """Yield entries of stages that the dvc.yaml does not have any more."""
    for file, locked in material.locks.items():
        names = {stage.name for stage in material.projects[file]}
        for name in (name for name in locked.entries if name not in names):
            path = lock_beside(file)
            place = Location(path, *material.outline(path).locate("stages", name))
            message = f"there is no stage {name!r} in {file}"
            yield Finding(
                catalogue.LEFT_OVER, place, message, "delete the entry; a new stage of that name would inherit it"
            )


def folded(material: Material) -> Iterator[Finding]:
    """Yield commands that DVC's own lock gives back changed: it breaks lines where blanks or tabs are then lost."""
    for stage in material.stages:
        text = stage.cmd if isinstance(stage.cmd, str) else "\n".join(stage.cmd or ())
        if stage.cmd and ("  " in text or "\t" in text) and lock.cmd_read_back(stage.cmd) != stage.cmd:
            message = f"dvc.lock cannot hold the cmd of {stage.name!r}: DVC breaks its line at a double blank or a tab"
            hint = "write single blanks, or a list; otherwise DVC takes the cmd for changed every time"
            yield material.finding(catalogue.FOLDED, stage, message, hint, ("cmd", ""))


def numbers(material: Material) -> Iterator[Finding]:
    """Yield numbers of the lock that change when DVC rewrites it for another stage."""
    for stage, entry in _entries(material):
        for file, values in entry.params.items():
            for key, value in values.items():
                if any(_rewritten(number) != number for number in _floats(value)):
                    message = f"DVC changes the last digit of {key} ({file}) when another stage's run rewrites dvc.lock"
                    hint = "round it, or write it without an exponent; Retrain itself keeps every digit"
                    yield material.finding(catalogue.NUMBER, stage, message, hint, ("params", key))


def _floats(value: Any) -> Iterator[float]:  # noqa: ANN401 - a value of a params file is of any shape
    if isinstance(value, float):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _floats(inner)


def _rewritten(number: float) -> float:
    """Give a float of the lock as DVC's YAML library writes it again: mantissas with an exponent are cut off."""
    mantissa, exponent, power = repr(number).partition("e")
    if not exponent or "." not in mantissa:
        return number
    width = len(mantissa)
    digits = f"{number:.{width}e}".partition("e")[0][: len(mantissa)]
    return float(f"{digits}e{power}")
