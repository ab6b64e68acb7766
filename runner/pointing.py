"""Which lines a report points at: gates that do not hold, then the params and deps that changed behind them.

The lines are those of the head's files as they lie in the workspace; a file that is not there is not pointed at.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Final

from runner.errors import NOWHERE, Location
from runner.forge.protocol import Annotation
from runner.pipeline import yaml12

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from runner.errors import RunnerError
    from runner.forge.protocol import Level
    from runner.review.changed import Ingredient, LineageRow
    from runner.review.measured import Verdict
    from runner.review.model import ReasonRow, Report, StageRow

    Read = Callable[[str], str | None]
    """Gives the text of a file of the project; `None` where there is none."""

_LARGEST: Final = 1 << 20
"""Bytes of a file that lines are looked for in: a params file is written by hand."""
_MOST_CAUSES: Final = 50
_CHANGED: Final = frozenset({"param new", "param modified", "dep new", "dep modified"})


def pointed(report: Report, root: Path, prefix: str) -> tuple[Annotation, ...]:
    """Give all annotations of a report, the most telling of each level first.

    Args:
        report: what became of the run.
        root: the project's folder.
        prefix: its place in the repository, ending in `/`; empty at the top.

    """
    bad = sorted((row for row in report.gates if row.status != "passed"), key=lambda row: not row.exits)
    found = [*(_of_gate(row, prefix) for row in bad), *_of_error(report, prefix)]
    failed = [row for row in report.stages if row.decision == "failed"]
    if bad or failed:
        read = cache(lambda file: _text(root, file))
        causes = dict.fromkeys(_inputs(report, _behind(report, bad), failed, prefix, read))
        found += [*causes][:_MOST_CAUSES]
    return tuple(found)


def mistakes(error: RunnerError, prefix: str) -> tuple[Annotation, ...]:
    """Give every problem of an error, each at its place; `prefix` as for `pointed`."""
    return tuple(_at(one.where, prefix, "error", _whole(one.message, one.hint)) for one in error.problems)


def _whole(message: str, hint: str) -> str:
    return f"{message}\n  {hint}" if hint else message


def _of_gate(row: Verdict, prefix: str) -> Annotation:
    level: Level = "error" if row.exits else "warning"
    return _at(row.where, prefix, level, f"{row.metric} {row.path} {row.status}: {row.why}", row.gate)


def _of_error(report: Report, prefix: str) -> Iterator[Annotation]:
    """Give what ended the walk, and every further mistake that was found with it."""
    if error := report.error:
        yield _at(error.where, prefix, "error", _whole(error.message, error.hint))
        yield from (Annotation(level="warning", message=note) for note in report.notes)


def _at(where: Location | None, prefix: str, level: Level, message: str, title: str = "") -> Annotation:
    inside = where is not None and bool(where.file) and not where.file.startswith("/")  # else of the machine's own
    place = replace(where, file=f"{prefix}{where.file}") if where and inside else where or NOWHERE
    return Annotation(level=level, message=message, where=place, title=title)


def _behind(report: Report, bad: list[Verdict]) -> list[LineageRow]:
    """Give the lineage of what the gates judged: of the stages that made it, and of all upstream of them."""
    judged = {row.metric for row in bad}
    wanted = {row.stage for row in report.stages if row.stage in judged or judged & {out.path for out in row.outs}}
    wanted |= {row.stage for row in report.lineage if judged & set(row.outs)}
    for _ in report.edges:  # no way upstream is longer
        upstream = {producer for producer, consumer in report.edges if consumer in wanted} - wanted
        if not upstream:
            break
        wanted |= upstream
    return [row for row in report.lineage if row.stage in wanted]


def _inputs(
    report: Report, rows: list[LineageRow], failed: list[StageRow], prefix: str, read: Read
) -> Iterator[Annotation]:
    """Give what changed of the inputs, params first; what a stage made is no cause."""
    made = {out.path for row in report.stages for out in row.outs} | {out for row in report.lineage for out in row.outs}
    changed = [(one.name, one.kind == "param", _words(one), row.stage) for row in rows for one in _news(row)]
    changed += [
        (one.path, one.change.startswith("param"), _reason(one), row.stage)
        for row in failed
        for one in row.reasons
        if one.change in _CHANGED
    ]
    for name, is_param, words, stage in sorted(changed, key=lambda one: not one[1]):
        file, line = _param(name, read) if is_param else _dep(name, read)
        if file and name not in made:
            message = f"{name} {words}: it goes into {stage}"
            yield _at(Location(file, line), prefix, "notice", message, "changed")


def _news(row: LineageRow) -> list[Ingredient]:
    return [one for one in row.ingredients if one.changed]


def _words(one: Ingredient) -> str:
    if one.kind != "param":
        return "changed" if one.was else "is new"
    return f"changed from {one.was} to {one.value}" if one.was else f"is new: {one.value}"


def _reason(one: ReasonRow) -> str:
    if one.change.endswith("new"):
        return "is new"
    return f"changed from {one.was} to {one.now}" if one.change.startswith("param") else "changed"


def _param(name: str, read: Read) -> tuple[str, int]:
    """Find where a param, `params.yaml:depth`, is written."""
    from runner.pipeline import rewriting  # noqa: PLC0415 - only what changed is pointed at

    file, _, key = name.partition(":")
    text = read(file)
    return ("", 0) if text is None else (file, rewriting.line(file, text, key))


def _dep(path: str, read: Read) -> tuple[str, int]:
    """Find what git has of a dep: the file, or the `.dvc` file of tracked data and the line of its hash."""
    tracking = read(f"{path}.dvc")
    if tracking is not None:
        return f"{path}.dvc", yaml12.locate(tracking, "outs", 0, "md5")[0]
    return (path, 0) if read(path) is not None else ("", 0)


def _text(root: Path, file: str) -> str | None:
    """Read a file of the project; nothing that leads out of it."""
    place = root / file
    try:
        inside = place.resolve().is_relative_to(root.resolve()) and place.is_file()
        return place.read_text(encoding="utf-8-sig") if inside and place.stat().st_size <= _LARGEST else None
    except (OSError, UnicodeDecodeError, RuntimeError):
        return None
