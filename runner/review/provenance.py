"""What changed of the data, and where each changed out comes from: the locks of both sides, and listings. No bytes."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final, Protocol

from runner.errors import RunnerError
from runner.hashes import Tree, differing
from runner.review import figures, kinds
from runner.review.changed import DataRow, FileRow, Ingredient, LineageRow, PathRow
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from runner.hashes import Hash
    from runner.pipeline.model import LockedPath, LockEntry, Stage
    from runner.pipeline.pipeline import Pipeline
    from runner.review.changed import Alteration, Kind
    from runner.review.model import Report, StageRow

    Listing = Callable[[Hash], Tree | None]


class Lookup(Protocol):
    """Where times of earlier runs are kept."""

    def __call__(self, entry: LockEntry, /, *, near: bool) -> float | None:
        """Give the seconds that it took to make what a lock entry records; `near`: ask this machine alone."""


logger = logging.getLogger("retrain")
MOST_FILES: Final = 50
MOST_ASKED: Final = 50
_HOW: Final = {"ran": "ran here", "restored": "restored from an earlier run"}


@dataclass(frozen=True)
class Recorded:
    """What a side's lock says, by path.

    Attributes:
        pipeline: the side's.

    """

    pipeline: Pipeline

    @cached_property
    def kinds(self) -> Mapping[str, Kind]:
        """What each out is."""
        declared = kinds.models(self.pipeline)
        return {out.path: kinds.of_out(out, declared) for stage in self.pipeline.stages for out in stage.outs}

    @cached_property
    def outs(self) -> Mapping[str, tuple[Stage, LockedPath]]:
        """Every out of which something is recorded, with its stage."""
        return {
            out.path: (stage, recorded)
            for stage, entry in self._entries()
            for out in stage.outs
            if (recorded := entry.out(out.spelled)) and recorded.hash
        }

    @cached_property
    def paths(self) -> Mapping[str, LockedPath]:
        """Every out, and every dep that no stage writes, of which something is recorded."""
        deps = {
            dep.path: recorded
            for stage, entry in self._entries()
            for dep in stage.deps
            if (recorded := entry.dep(dep.spelled)) and recorded.hash and not self.pipeline.producer(dep.path)
        }
        return {**{path: recorded for path, (_, recorded) in self.outs.items()}, **deps}

    def _entries(self) -> Iterator[tuple[Stage, LockEntry]]:
        for stage in self.pipeline.stages:
            entry = self.pipeline.entries.get(stage.address)
            if entry:
                yield stage, entry

    def entry(self, address: str) -> LockEntry | None:
        """Give what is recorded of a stage."""
        return self.pipeline.entries.get(address)

    def kind(self, path: str) -> Kind:
        """Give what a path is: an out, or what only deps name."""
        produced = self.pipeline.producer(path) if path not in self.kinds else None
        return self.kinds.get(produced[1].path if produced else path) or kinds.of_dep(path)


def detailed(row: StageRow, stage: Stage, recorded: Recorded) -> StageRow:
    """Give a stage's row with its command, and what it reads and writes."""
    entry = recorded.entry(stage.address)
    deps = [(dep.path, recorded.kind(dep.path), entry.dep(dep.spelled) if entry else None) for dep in stage.deps]
    outs = [(out.path, recorded.kinds[out.path], entry.out(out.spelled) if entry else None) for out in stage.outs]
    return replace(
        row,
        cmd=command(stage),
        deps=tuple(_path(*one) for one in deps),
        outs=tuple(_path(*one) for one in outs),
    )


def command(stage: Stage) -> str:
    """Give a stage's command as text."""
    return "\n".join(stage.cmd) if isinstance(stage.cmd, tuple) else stage.cmd or ""


def _path(path: str, kind: Kind, recorded: LockedPath | None) -> PathRow:
    if recorded is None or recorded.hash is None:
        return PathRow(path, kind)
    return PathRow(path, kind, recorded.hash.value, recorded.size, recorded.nfiles)


def data(head: Recorded, base: Recorded, listing: Listing) -> tuple[DataRow, ...]:
    """Give the outs and deps whose content differs, in the order of the head's stages, then those that are gone.

    Args:
        head: one side.
        base: the other.
        listing: gives a directory's listing; `None` where nobody has it.

    """
    paths = dict.fromkeys([*head.paths, *base.paths])
    rows = (_data(path, head, base, listing) for path in paths)
    return tuple(row for row in rows if row)


def _data(path: str, head: Recorded, base: Recorded, listing: Listing) -> DataRow | None:
    old, new = base.paths.get(path), head.paths.get(path)
    if (old and old.hash) == (new and new.hash) or (path in head.kinds and not new):
        return None  # the same, or declared and not made yet
    row = DataRow(
        path=path,
        kind=head.kind(path) if new else base.kind(path),
        change=_alteration(old, new),
        base=_value(old),
        head=_value(new),
        base_bytes=old.size if old else None,
        head_bytes=new.size if new else None,
    )
    return _opened(row, old, new, listing)


def _alteration(old: LockedPath | None, new: LockedPath | None) -> Alteration:
    if old is None:
        return "added"
    return "changed" if new else "removed"


def _value(recorded: LockedPath | None) -> str:
    return recorded.hash.value if recorded and recorded.hash else ""


def _opened(row: DataRow, old: LockedPath | None, new: LockedPath | None, listing: Listing) -> DataRow:
    """Say what changed inside of a directory, where the listings of both sides are to be had."""
    names = [one.hash for one in (old, new) if one and one.hash]
    if not any(name.is_dir for name in names):
        return row
    sides = [_files(one.hash if one else None, listing) for one in (old, new)]
    before, after = sides
    if before is None or after is None:
        return row
    counts: Counter[Alteration] = Counter()
    shown: list[FileRow] = []
    for path, was, now in differing(before, after):
        change: Alteration = "added" if not was else "changed" if now else "removed"
        counts[change] += 1
        if len(shown) < MOST_FILES:
            shown.append(FileRow(path, change))
    return replace(row, added=counts["added"], changed=counts["changed"], removed=counts["removed"], files=tuple(shown))


def _files(name: Hash | None, listing: Listing) -> Tree | None:
    if name is None or not name.is_dir:
        return Tree(())
    try:
        return listing(name)
    except RunnerError as error:
        logger.debug("the listing %s is not to be had", name, exc_info=error)
        return None


def lineage(rows: Sequence[DataRow], head: Recorded, base: Recorded, commit: str) -> tuple[LineageRow, ...]:
    """Give where the changed outs of each stage come from.

    Args:
        rows: what changed.
        head: one side.
        base: the other.
        commit: the head's.

    """
    changed: dict[str, list[str]] = {}
    for row in rows:
        if row.path in head.outs and head.outs[row.path][0].cmd:
            changed.setdefault(head.outs[row.path][0].address, []).append(row.path)
    return tuple(
        LineageRow(
            outs=tuple(outs),
            stage=address,
            how="recorded in the lock",
            commit=commit,
            cmd=command(head.pipeline.stage(address)),
            ingredients=tuple(_ingredients(head.pipeline.stage(address), head, base)),
        )
        for address, outs in changed.items()
    )


def _ingredients(stage: Stage, head: Recorded, base: Recorded) -> Iterator[Ingredient]:
    entry, old = head.entry(stage.address), base.entry(stage.address)
    for dep in stage.deps:
        now, was = (_value(one.dep(dep.spelled)) if one else "" for one in (entry, old))
        changed = old is not None and now != was
        yield Ingredient(dep.path, head.kind(dep.path), now, was if changed else "", changed)
    for file, values in entry.params.items() if entry else ():
        before = old.params.get(file, {}) if old else {}
        for key, value in (values or {}).items():
            changed = old is not None and (key not in before or before[key] != value)
            was = figures.scalar(before[key]) if changed and key in before else ""
            yield Ingredient(f"{file}:{key}", "param", figures.scalar(value), was, changed)


def traced(report: Report, head: Pipeline | None, base: Pipeline | None, listing: Listing) -> Report:
    """Give the report with what changed of the data, and where it comes from.

    Args:
        report: the report.
        head: the pipeline of one side; `None` where there is none.
        base: that of the other.
        listing: gives a directory's listing; `None` where nobody has it.

    """
    if head is None or base is None:
        return report
    now, then = Recorded(head), Recorded(base)
    rows = data(now, then, listing)
    return replace(report, data=rows, lineage=lineage(rows, now, then, report.head.sha))


def with_stages(report: Report, rows: Sequence[StageRow], pipeline: Pipeline) -> Report:
    """Give the report with the stages of the run, each with what it reads and writes, and say what it did."""
    recorded = Recorded(pipeline)
    decisions = {row.stage: row.decision for row in rows}
    stages = tuple(detailed(row, pipeline.stage(row.stage), recorded) for row in rows)
    traces = tuple(replace(row, how=_HOW.get(decisions.get(row.stage, ""), row.how)) for row in report.lineage)
    return replace(report, stages=stages, lineage=traces)


def timed(report: Report, head: Pipeline, base: Pipeline | None, lookup: Lookup) -> Report:
    """Give the report with the times of its stages when they were really made, at both sides.

    Only of what was made or restored here, and of a few dozen stages, the remote is asked: the rest is not worth it.

    Args:
        report: the report, with its stages.
        head: the pipeline of one side.
        base: that of the other; `None` where there is none.
        lookup: gives the seconds that made what an entry records.

    """
    asked = [row.stage for row in report.stages if row.decision in _HOW][:MOST_ASKED]
    rows = (_timed(row, head, base, partial(lookup, near=row.stage not in asked)) for row in report.stages)
    return replace(report, stages=tuple(rows))


def _timed(
    row: StageRow, head: Pipeline, base: Pipeline | None, lookup: Callable[[LockEntry], float | None]
) -> StageRow:
    now, then = head.entries.get(row.stage), base.entries.get(row.stage) if base else None
    if not row.cmd or not now:
        return row
    here = row.seconds if row.seconds is not None else lookup(now)
    before = here if then == now and row.seconds is None else lookup(then) if then else None
    return replace(row, recorded_seconds=here, base_seconds=before)
