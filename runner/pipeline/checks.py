"""What must hold between stages: DVC's rules about outs that clash and deps that go in circles.

Everything wrong is found at once, each with the place where it is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.errors import ConfigError, spelled_like
from runner.pipeline.graph import PathTree, cycles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runner.errors import Location
    from runner.pipeline.model import Out, Stage
    from runner.pipeline.pipeline import Pipeline

    Place = Callable[[Stage, str], Location]
    Hiding = Callable[[str], str]
    _Owners = PathTree[tuple[Stage, Out]]


def problems(pipeline: Pipeline, place: Place, hiding: Hiding = lambda _: "") -> Iterator[ConfigError]:
    """Yield every clash between the stages.

    Args:
        pipeline: all stages of the repository.
        place: gives where a stage names a path, spelled as there; asked only about mistakes.
        hiding: names the line of a .dvcignore that hides a path; empty where the path is seen.

    """
    owners = PathTree((out.path, (stage, out)) for stage in pipeline.stages for out in stage.outs)
    for stage in pipeline.stages:
        for out in stage.outs:
            yield from _shared(stage, out, owners, place)
            yield from _overlapping(stage, out, owners, place)
            if line := hiding(out.path):
                message = f"{out.spelled!r}, an out of {stage.address!r}, is hidden from DVC by {line}"
                hint = "write it elsewhere, or change that line"
                yield ConfigError(message, hint, place(stage, out.spelled), kind="hidden-out")
    yield from _unknown_datasets(pipeline, place)
    yield from _swallowed(pipeline, owners, place)
    yield from _circular(pipeline, place)


def _unknown_datasets(pipeline: Pipeline, place: Place) -> Iterator[ConfigError]:
    known = pipeline.declared.datasets
    for stage in pipeline.stages:
        for dep in stage.deps:
            if dep.dataset and dep.dataset not in known:
                near = spelled_like(dep.dataset, known)
                hint = (
                    f"did you mean ds://{near[0]}?" if near else "`dvc ds add` adds one to the datasets of a dvc.yaml"
                )
                yield ConfigError(f"there is no dataset {dep.dataset!r}", hint, place(stage, dep.spelled))


def _shared(stage: Stage, out: Out, owners: _Owners, place: Place) -> Iterator[ConfigError]:
    """Two stages, or one stage twice, that write one path; told once, of the later."""
    same = [owner for owner in owners.at_or_above(out.path) if owner[1].path == out.path]
    if len(same) > 1 and same[-1][1] is out:
        first, other = same[0]
        where = place(first, other.spelled)
        twice = f"twice (also at {where})" if first is stage else f"and also of {first.address!r} ({where})"
        message = f"{out.spelled!r} is an out of {stage.address!r} {twice}"
        yield ConfigError(
            message, "a path can be written by one stage only", place(stage, out.spelled), kind="clashing-outs"
        )


def _overlapping(stage: Stage, out: Out, owners: _Owners, place: Place) -> Iterator[ConfigError]:
    for parent, folder in owners.above(out.path)[:1]:
        outer = f"{folder.path!r}, an out of {parent.address!r} ({place(parent, folder.spelled)})"
        message = f"{out.path!r}, an out of {stage.address!r}, is inside {outer}"
        hint = "track the folder or what is in it, not both"
        yield ConfigError(message, hint, place(stage, out.spelled), kind="clashing-outs")


def _swallowed(pipeline: Pipeline, owners: _Owners, place: Place) -> Iterator[ConfigError]:
    """DVC files that lie inside an out: they would be deleted with it."""
    for file, stage in {stage.file: stage for stage in reversed(pipeline.stages)}.items():
        for parent, folder in owners.at_or_above(file)[:1]:
            outer = f"{folder.path!r}, an out of {parent.address!r} ({place(parent, folder.spelled)})"
            message = f"the DVC file {file!r} is inside {outer}"
            hint = "move it, or track the folder's contents one by one"
            yield ConfigError(message, hint, stage.where, kind="clashing-outs")


def _circular(pipeline: Pipeline, place: Place) -> Iterator[ConfigError]:
    for circle in cycles(pipeline.edges):
        stages = [pipeline.stages[number] for number in circle]
        steps = list(zip(stages, [*stages[1:], stages[0]], strict=True))
        first = stages[0]
        taken = _taken(*steps[0])
        if len(stages) == 1:
            message = f"{taken!r} is both a dep and an out of {first.address!r}"
            hint = "split the stage in two, or leave the path out of deps"
        else:
            way = " -> ".join(repr(stage.address) for stage in [*stages, first])
            read = [(one, _taken(one, two)) for one, two in steps]
            reads = ", ".join(f"{stage.address!r} reads {path!r} ({place(stage, path)})" for stage, path in read)
            message = f"stages depend on one another in a circle: {way}"
            hint = f"remove one of those deps: {reads}"
        yield ConfigError(message, hint, place(first, taken), kind="circular-stages")


def _taken(reader: Stage, writer: Stage) -> str:
    """Give the dep or params file of `reader`, as spelled, that `writer` writes."""
    outs = PathTree((out.path, out) for out in writer.outs)
    sources = [(dep.path, dep.spelled) for dep in reader.local_deps] + [
        (one.path, one.spelled) for one in reader.params
    ]
    return next((spelled for path, spelled in sources if outs.at_or_above(path) or outs.below(path)), "")
