"""A migration on the disk: what is new is written and durable before what is old is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.engine.project import Project
    from runner.pipeline.migration import Migration


def carry_out(project: Project, migration: Migration) -> None:
    """Write the new files, locks first, then remove the stage files; no other run works in the folder meanwhile.

    Between the two a stage is there twice, which is refused until its stage file is removed by hand.
    """
    _held = project.keeping()
    for path in sorted(migration.written, key=lambda path: not path.endswith(".lock")):
        project.workspace.write(path, migration.written[path].encode())
    for path in migration.removed:
        project.workspace.path(path).unlink()
