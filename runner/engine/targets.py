"""What targets of the data verbs name: stages, DVC files, outs, folders that hold outs, and files inside outs."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from runner.errors import ConfigError
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.engine.modes import Modes
    from runner.pipeline.model import Out, Stage
    from runner.pipeline.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class Named:
    """An out that a target names.

    Attributes:
        stage: whose it is.
        out: the out.
        inside: the path, relative to the out, of the only part of it that is meant; empty: all of it.

    """

    stage: Stage
    out: Out
    inside: str = ""


def named(pipeline: Pipeline, targets: Sequence[str], cwd: str) -> list[Named]:
    """Give the outs that `targets` name, each once; those of all stages, producers first, where there is no target.

    A word is a stage before it is a path: DVC's rule.

    Args:
        pipeline: stages and outs.
        targets: relative to `cwd`.
        cwd: repository-relative folder.

    Raises:
        ConfigError: a target names nothing.

    """
    if not targets:
        return [one for stage in pipeline.in_order() for one in _all_of(stage)]
    found = {(one.out.path, one.inside): one for target in targets for one in _at(pipeline, target, cwd)}
    whole = {path for path, inside in found if not inside}
    return [one for (path, inside), one in found.items() if not inside or path not in whole]


def selected(pipeline: Pipeline, targets: Sequence[str], cwd: str, modes: Modes) -> tuple[Stage, ...]:
    """Give the stages that a run is about: the targets, and with them what they need or what depends on them.

    Args:
        pipeline: stages and outs.
        targets: relative to `cwd`; none: all stages.
        cwd: repository-relative folder.
        modes: which stages beside the targets.

    Raises:
        ConfigError: a target names no stage.

    """
    if not targets or not (modes.single_item or modes.downstream):
        return pipeline.select(targets, cwd)
    meant = {stage.address: stage for target in targets for stage in pipeline.named(target, cwd)}
    return tuple(meant.values()) if modes.single_item else _with_downstream(pipeline, meant)


def _with_downstream(pipeline: Pipeline, meant: Mapping[str, Stage]) -> tuple[Stage, ...]:
    """Add every stage that depends on those `meant`, producers first. A frozen one depends on nothing (DVC's rule)."""
    found = set(meant)
    ordered = pipeline.in_order()
    for stage in ordered:
        if not stage.frozen and any(upper.address in found for upper in pipeline.upstream(stage)):
            found.add(stage.address)
    return tuple(stage for stage in ordered if stage.address in found)


def stages(
    pipeline: Pipeline, targets: Sequence[str], cwd: str, *, with_deps: bool = False
) -> list[tuple[Stage, frozenset[str]]]:
    """Give the stages that `targets` name, themselves or by an out, and the paths of the outs that are meant.

    Args:
        pipeline: stages and outs.
        targets: relative to `cwd`; none: all stages, in the order of their files.
        cwd: repository-relative folder.
        with_deps: also the stages that a stage named by itself depends on.

    """
    found: dict[str, tuple[Stage, frozenset[str]]] = {}
    for target in targets:
        for stage, outs in _stages_at(pipeline, target, cwd, with_deps=with_deps):
            found[stage.address] = (stage, outs | found.get(stage.address, (stage, frozenset()))[1])
    return list(found.values()) if targets else [_whole(stage) for stage in pipeline.stages]


def with_upstream(pipeline: Pipeline, targets: Sequence[str], cwd: str) -> list[str]:
    """Give targets that name, beside what `targets` name, all stages upstream of the stages among them.

    A path of an out or of a folder names no more than it does: DVC's rule for `--with-deps`.

    Args:
        pipeline: stages and outs.
        targets: relative to `cwd`.
        cwd: repository-relative folder; the targets given are relative to it too.

    """
    return list(dict.fromkeys(word for target in targets for word in _with_upstream(pipeline, target, cwd)))


def _with_upstream(pipeline: Pipeline, target: str, cwd: str) -> list[str]:
    try:
        meant = pipeline.select([target], cwd)
    except ConfigError:
        return [target]
    return [_word(stage, cwd) for stage in meant]


def _word(stage: Stage, cwd: str) -> str:
    file = posixpath.relpath(stage.file, cwd)
    return f"{file}:{stage.name}" if stage.name else file


def _stages_at(pipeline: Pipeline, target: str, cwd: str, *, with_deps: bool) -> list[tuple[Stage, frozenset[str]]]:
    try:
        meant = pipeline.select([target], cwd) if with_deps else pipeline.named(target, cwd)
    except ConfigError:
        return [(one.stage, frozenset({one.out.path})) for one in _at(pipeline, target, cwd)]
    return [_whole(stage) for stage in meant]


def _whole(stage: Stage) -> tuple[Stage, frozenset[str]]:
    return stage, frozenset(out.path for out in stage.outs)


def _all_of(stage: Stage) -> list[Named]:
    return [Named(stage, out) for out in stage.outs]


def _at(pipeline: Pipeline, target: str, cwd: str) -> list[Named]:
    try:
        return [one for stage in pipeline.named(target, cwd) for one in _all_of(stage)]
    except ConfigError:
        path = posixpath.normpath(posixpath.join(cwd, target))
        found = [Named(stage, out) for stage, out in pipeline.outs_inside(path)]
        produced = pipeline.producer(path)
        if produced:
            found.insert(0, Named(*produced, path[len(produced[1].path) + 1 :]))
        if not found:
            raise
        return found
