"""What an import says of its repository's configuration: the keys `config` and `remote` of a `.dvc` file."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from runner.pipeline.source import Repo


def layers(repo: Repo, root: Path) -> Iterator[tuple[str, str, str]]:
    """Give what an import says of its repository's configuration, as layers that count before the repository's own.

    Args:
        repo: the repository as the import names it.
        root: the project's folder, from which files and paths are named.

    """
    folder = os.fspath(root)
    if repo.config and isinstance(repo.config, str):
        place = root / repo.config
        yield repo.config, place.read_text(encoding="utf-8"), os.fspath(place.parent)
    elif repo.config:
        yield "config of the import", "\n".join(_lines(repo.config)), folder
    if repo.remote and isinstance(repo.remote, str):
        yield "remote of the import", f"[core]\nremote = {repo.remote}\n", folder


def _lines(sections: Mapping[str, Any]) -> Iterator[str]:
    """Write sections in the syntax of DVC's configuration."""
    for name, options in sections.items():
        named = options.items() if name == "remote" else ()
        for remote, inner in named:
            yield f"['remote \"{remote}\"']"
            yield from _options(inner)
        if name != "remote":
            yield f"[{name}]"
            yield from _options(options)


def _options(options: Mapping[str, Any]) -> Iterator[str]:
    for name, value in options.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        yield f"{name} = {json.dumps(text)}"
