"""A migration on the disk: written down first, so that one that is killed is finished the next time, and never in part.

What is new is written and durable before what is old is removed.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Final

from runner import durable
from runner.engine.workspace import SCRATCH
from runner.hashes import hash_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from runner.engine.project import Project
    from runner.pipeline.migration import Migration

logger = logging.getLogger("retrain")
_JOURNAL: Final = f"{SCRATCH}/migration.json"


def carry_out(project: Project, migration: Migration) -> None:
    """Write the new files and remove the stage files; no other run works in the folder meanwhile."""
    _held = project.keeping()
    begin(project.root, migration)
    finish(project.root)


def begin(root: Path, migration: Migration) -> None:
    """Write down what is to be done, and what the files hold now."""
    journal = {
        "was": {path: _md5(root / path) for path in (*migration.written, *migration.removed)},
        "written": dict(migration.written),
        "removed": migration.removed,
    }
    durable.write(root / _JOURNAL, json.dumps(journal).encode())


def finish(root: Path) -> None:
    """Do what is written down, if anything is; nothing of it where somebody changed a file since."""
    place = root / _JOURNAL
    if not place.exists():
        return
    journal = json.loads(place.read_bytes())
    changed = [path for path, was in journal["was"].items() if _md5(root / path) not in {was, *_after(journal, path)}]
    if changed:
        logger.warning("a migration that was killed is given up, as %s changed since", ", ".join(changed))
    else:
        for path, text in journal["written"].items():
            durable.write(root / path, text.encode())
        for path in journal["removed"]:
            (root / path).unlink(missing_ok=True)
    place.unlink()


def _after(journal: dict[str, Any], path: str) -> set[str]:
    """Give the md5 of a file when the migration is through with it; empty for one that is removed."""
    return {hash_bytes(journal["written"][path].encode()) if path in journal["written"] else ""}


def _md5(place: Path) -> str:
    return hash_bytes(place.read_bytes()) if place.exists() else ""
