"""A DVC project's stages together: their order, who makes what, and which of them a target names. Pure."""

from __future__ import annotations

import posixpath
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING

from runner.hashes import LEGACY, MD5
from runner.pipeline.addresses import JOIN, targeted, unknown
from runner.pipeline.declared import Declared
from runner.pipeline.graph import PathTree, post_order
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.hashes import Hash
    from runner.pipeline.model import LockEntry, Out, Stage


@dataclass(frozen=True)
class Pipeline:
    """All stages of a repository, and what was recorded of their last runs.

    Attributes:
        stages: in DVC's order: files as collected, then as written in each file.
        entries: lock entry by stage address; a `.dvc` file's own hashes for a data source. A stage
            that never ran has none; entries of stages that are no more are left out.
        groups: addresses of what `foreach` and `matrix` make stages from, whether or not they made any.
        declared: what dvc.yaml files say beside their stages.

    """

    stages: tuple[Stage, ...]
    entries: Mapping[str, LockEntry]
    groups: frozenset[str] = frozenset()
    declared: Declared = field(default_factory=Declared)

    @cached_property
    def kind(self) -> str:
        """How new hashes are made: by DVC 2.58's rule where a stage has a file of its own, which no later DVC reads."""
        return LEGACY if any(stage.cmd and not stage.name for stage in self.stages) else MD5

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        return {stage.address: number for number, stage in enumerate(self.stages)}

    @cached_property
    def _outs(self) -> PathTree[tuple[int, Out]]:
        return PathTree((out.path, (number, out)) for number, stage in enumerate(self.stages) for out in stage.outs)

    @cached_property
    def edges(self) -> tuple[tuple[int, ...], ...]:
        """For each stage, by its number, the numbers of its direct producers in order of its deps.

        A dep has every producer whose out equals it, holds it or lies inside it (DVC's rule).
        """
        return tuple(tuple(dict.fromkeys(self._producers_of(stage))) for stage in self.stages)

    def _producers_of(self, stage: Stage) -> list[int]:
        return [
            number for path in stage.reads for number, _ in (*self._outs.at_or_above(path), *self._outs.below(path))
        ]

    @cached_property
    def _active(self) -> tuple[tuple[int, ...], ...]:
        return tuple(() if stage.frozen else targets for stage, targets in zip(self.stages, self.edges, strict=True))

    @cached_property
    def _consumers(self) -> tuple[tuple[int, ...], ...]:
        found: list[list[int]] = [[] for _ in self.stages]
        for number, producers in enumerate(self.edges):
            for producer in producers:
                found[producer].append(number)
        return tuple(map(tuple, found))

    @cached_property
    def _ordered(self) -> tuple[Stage, ...]:
        return self._pick(post_order(range(len(self.stages)), self._active))

    def _pick(self, numbers: Sequence[int]) -> tuple[Stage, ...]:
        return tuple(self.stages[number] for number in numbers)

    def in_order(self) -> tuple[Stage, ...]:
        """All stages, producers first. A frozen stage counts as having no producers (DVC's rule)."""
        return self._ordered

    def stage(self, address: str) -> Stage:
        """Give the stage with that address, as DVC prints it from the root.

        Raises:
            ConfigError: there is none; the hint names the nearest.

        """
        if address not in self._numbers:
            raise unknown(address, self._numbers)
        return self.stages[self._numbers[address]]

    def upstream(self, stage: Stage) -> tuple[Stage, ...]:
        """Give the direct producers of its deps and params files; a frozen stage keeps its own."""
        return self._pick(self.edges[self._numbers[stage.address]])

    def downstream(self, stage: Stage) -> tuple[Stage, ...]:
        """Give the direct consumers of its outs."""
        return self._pick(self._consumers[self._numbers[stage.address]])

    def producer(self, path: str) -> tuple[Stage, Out] | None:
        """Give the out that equals the path or holds it, with its stage."""
        for number, out in self._outs.at_or_above(path):
            return self.stages[number], out
        return None

    def recorded_at(self, path: str) -> Hash | None:
        """Give what is recorded of the cached out at exactly this path; `None` where none is, or nothing of it."""
        found = self.producer(path)
        entry = self.entries.get(found[0].address) if found and found[1].path == path and found[1].cache else None
        recorded = entry.out(found[1].spelled) if entry and found else None
        return recorded.hash if recorded else None

    def outs_inside(self, path: str) -> tuple[tuple[Stage, Out], ...]:
        """Give the outs strictly inside the directory `path`, with their stages."""
        return tuple((self.stages[number], out) for number, out in self._outs.below(path))

    def select(self, targets: Sequence[str], cwd: str = ".") -> tuple[Stage, ...]:
        """Give the targets with everything upstream, in order; all stages where there is no target.

        Args:
            targets: names of stages, or of groups, in the `dvc.yaml` of `cwd`, `path/dvc.yaml:name`,
                `path/dvc.yaml` (all its stages) or `path/x.dvc`, relative to `cwd`.
            cwd: repository-relative folder.

        Raises:
            ConfigError: a target that is none of them; the hint names the nearest.

        """
        if not targets:
            return self.in_order()
        wanted = {number for target in targets for number in self._targeted(target, cwd)}
        closure = post_order(sorted(wanted), self._active)
        return self._pick(post_order(sorted(closure), self._active))

    def named(self, target: str, cwd: str = ".") -> tuple[Stage, ...]:
        """Give the stages that one target names, without what is upstream of them."""
        return self._pick(self._targeted(target, cwd))

    def _targeted(self, target: str, cwd: str) -> list[int]:
        address = targeted(target, cwd)
        if address in self._numbers:
            return [self._numbers[address]]
        if address in self.groups:
            return [number for number, stage in enumerate(self.stages) if stage.address.startswith(f"{address}{JOIN}")]
        inside = [number for number, stage in enumerate(self.stages) if stage.name and stage.file == address]
        if inside:
            return inside
        written = self.producer(posixpath.normpath(posixpath.join(cwd, target)))
        raise unknown(target, (*self._numbers, *self.groups), written[0].address if written else "")
