"""What must hold between stages: DVC's rules about outs that clash and deps that go in circles.

Everything wrong is found at once, each with the place where it is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.errors import ConfigError
from runner.pipeline.graph import PathTree, cycles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runner.errors import Location
    from runner.pipeline.model import Out, Pipeline, Stage

    Place = Callable[[Stage, str], Location]


def problems(pipeline: Pipeline, place: Place) -> Iterator[ConfigError]:
    """Yield every clash between the stages.

    Args:
        pipeline: all stages of the repository.
        place: gives where a stage names a path, spelled as there; asked only about mistakes.

    """
    owners = PathTree((out.path, (stage, out)) for stage in pipeline.stages for out in stage.outs)
    for stage in pipeline.stages:
        for out in stage.outs:
            yield from _shared(stage, out, owners, place)
            yield from _overlapping(stage, out, owners, place)
    yield from _swallowed(pipeline, owners)
    yield from _circular(pipeline, place)


def _shared(stage: Stage, out: Out, owners: PathTree[tuple[Stage, Out]], place: Place) -> Iterator[ConfigError]:
    """Two stages, or one stage twice, that write one path; told once, of the later."""
    same = [owner for owner in owners.at_or_above(out.path) if owner[1].path == out.path]
    if len(same) > 1 and same[-1][1] is out:
        first, _ = same[0]
        twice = "twice" if first is stage else f"also of {first.address!r}"
        message = f"{out.spelled!r} is an out of {stage.address!r} {twice}"
        yield ConfigError(
            message, "a path can be written by one stage only", place(stage, out.spelled), kind="clashing-outs"
        )


def _overlapping(stage: Stage, out: Out, owners: PathTree[tuple[Stage, Out]], place: Place) -> Iterator[ConfigError]:
    for parent, folder in owners.above(out.path)[:1]:
        message = f"{out.path!r}, an out of {stage.address!r}, is inside {folder.path!r}, an out of {parent.address!r}"
        hint = "track the folder or what is in it, not both"
        yield ConfigError(message, hint, place(stage, out.spelled), kind="clashing-outs")


def _swallowed(pipeline: Pipeline, owners: PathTree[tuple[Stage, Out]]) -> Iterator[ConfigError]:
    """DVC files that lie inside an out: they would be deleted with it."""
    for file, stage in {stage.file: stage for stage in reversed(pipeline.stages)}.items():
        for parent, folder in owners.at_or_above(file)[:1]:
            message = f"the DVC file {file!r} is inside {folder.path!r}, an out of {parent.address!r}"
            yield ConfigError(
                message, "move it, or track the folder's contents one by one", stage.where, kind="clashing-outs"
            )


def _circular(pipeline: Pipeline, place: Place) -> Iterator[ConfigError]:
    for circle in cycles(pipeline.edges):
        stages = [pipeline.stages[number] for number in circle]
        first = stages[0]
        taken = _taken(first, stages[1 % len(stages)])
        if len(stages) == 1:
            message = f"{taken!r} is both a dep and an out of {first.address!r}"
            hint = "split the stage in two, or leave the path out of deps"
        else:
            way = " -> ".join(repr(stage.address) for stage in [*stages, first])
            message = f"stages depend on one another in a circle: {way}"
            hint = "each reads what the next writes; remove one of those deps"
        yield ConfigError(message, hint, place(first, taken), kind="circular-stages")


def _taken(reader: Stage, writer: Stage) -> str:
    """Give the dep or params file of `reader`, as spelled, that `writer` writes."""
    outs = PathTree((out.path, out) for out in writer.outs)
    sources = [(dep.path, dep.spelled) for dep in reader.deps if dep.source is None] + [
        (one.path, one.spelled) for one in reader.params
    ]
    return next((spelled for path, spelled in sources if outs.at_or_above(path) or outs.below(path)), "")
