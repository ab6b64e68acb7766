"""The verb that brings a project of DVC 0.x to where DVC 3 reads it."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING, Any

import click

from runner.errors import Exit
from runner.options import Call, verb
from runner.verbs.opened import open_project, stop_is_told
from runner.verbs.output import print_result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.engine.project import Project
    from runner.pipeline.migration import Migration


@verb()
@click.option("--dry-run", is_flag=True, help="Only show what would be written and removed.")
def migrate(call: Call, *, dry_run: bool) -> int:
    """Write the stages of DVC 0.x files (x.dvc with a cmd, Dvcfile) into dvc.yaml and dvc.lock, as DVC 3 reads them.

    Hashes and objects stay as they are: DVC 3 reads them where they are. Refuses where something would be lost.
    """
    from runner import locating, trust  # noqa: PLC0415 - see `open_project`
    from runner.engine import migrating  # noqa: PLC0415
    from runner.pipeline import migration  # noqa: PLC0415

    with stop_is_told(call):
        root, git, _ = locating.located(call.flags, call.environ)
        if not dry_run:
            trust.check_scratch(root, git)
            migrating.finish(root)  # what was begun there cannot be opened: its stages are there twice
        opened = open_project(call)
        project = opened.project
        made = migration.migrate(project.pipeline, project.workspace.read, str(project.root))
        if made.written and not dry_run:
            migrating.carry_out(project, made)
        opened.close()
    print_result(call, lambda: _data(made, dry_run=dry_run), lambda: list(_lines(project, made, dry_run=dry_run)))
    return Exit.HELD


def _data(made: Migration, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry-run": dry_run,
        "stages": dict(made.stages),
        "written": sorted(made.written),
        "removed": sorted(made.removed),
        "stale": sorted(made.stale),
    }


def _lines(project: Project, made: Migration, *, dry_run: bool) -> Iterator[str]:
    if not made.written:
        yield "nothing to migrate: no file holds what only DVC 0.x wrote"
    for file, name in made.stages.items():
        yield f"{file} -> {name}{' (will run again: it was changed since it ran)' if file in made.stale else ''}"
    if dry_run:
        for path in sorted({*made.written, *made.removed}):
            old, new = project.workspace.read(path) or "", made.written.get(path, "")
            yield from unified_diff(old.splitlines(), new.splitlines(), path, path, lineterm="")
