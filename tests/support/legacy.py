"""Projects as DVC 2.58.2 left them (`tests/vectors/legacy_projects.json`), laid out on the disk."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

WRITTEN, RAN, RAN_AGAIN = "written", "ran", "ran again"


@cache
def _vectors() -> dict[str, Any]:
    return json.loads((Path(__file__).parents[1] / "vectors" / "legacy_projects.json").read_text())  # type: ignore[no-any-return]


def files(project: str, step: str) -> dict[str, bytes]:
    """Give the files of a project after a step, objects of the cache too."""
    return {path: base64.b64decode(content) for path, content in _vectors()[project][step].items()}


def lay_out(root: Path, project: str, step: str) -> None:
    """Write them below `root`, which is made; objects get the mode that DVC gives them."""
    for path, content in files(project, step).items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        if path.startswith(".dvc/cache/") and "/runs/" not in path:
            place.chmod(0o444)
