"""Layouts of public DVC repositories as values: alike in shape and size, with names, texts and commands of our own.

Each says by its name what kind of repository it is like. The modules `layouts_single`, `layouts_many` and
`layouts_data` hold them; their `RUN` are small enough to be run by both sides, `READ` as large as their models.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from textwrap import dedent
from typing import TYPE_CHECKING

from tests.interop.projects import DVC_GITIGNORE, Project, commit, git, put

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.interop.oracle import Oracle

_READ_ALL = 'find "$@" -type f | LC_ALL=C sort | xargs cat'
_PLACE = 'out=$1; shift; mkdir -p "$(dirname "$out")"\n'

JOIN = f'{_PLACE}{_READ_ALL} > "$out"\n'
"""A script `OUT IN...` that writes the file OUT from all files in the others."""

SPREAD = f'{_PLACE}mkdir -p "$out/deep"; {_READ_ALL} > "$out/all.txt"; wc -c < "$out/all.txt" > "$out/deep/size.txt"\n'
"""A script `OUT IN...` that writes the folder OUT."""

SCORE = f'{_PLACE}printf \'{{"size": %d, "of": {{"rate": 0.5}}}}\\n\' "$({_READ_ALL} | wc -c)" > "$out"\n'
"""A script `OUT IN...` that writes OUT as a metric."""


@dataclass(frozen=True)
class Layout:
    """A repository before its first run.

    Attributes:
        name: what it is like; the test's id.
        files: texts by path from the project's root; indented ones are dedented.
        folder: where in the git repository the project lies; empty for its root.
        around: further texts, by path from the root of the git repository.
        added: what is tracked by `dvc add`.
        registry: texts of a second DVC repository beside it, each tracked there, from which `imported` come.
        imported: the paths of the registry that are imported, by their paths in the project.
        fetched: what `dvc import-url` takes in from outside of the repository, likewise.
        edits: new texts for a second round; a path mapped to `None` is removed.

    """

    name: str
    files: Mapping[str, str]
    folder: str = ""
    around: Mapping[str, str] = field(default_factory=dict)
    added: tuple[str, ...] = ()
    registry: Mapping[str, str] = field(default_factory=dict)
    imported: Mapping[str, str] = field(default_factory=dict)
    fetched: Mapping[str, str] = field(default_factory=dict)
    edits: Mapping[str, str | None] = field(default_factory=dict)

    def write(self, place: Path, name: str, oracle: Oracle) -> Path:
        """Lay the git repository `name` into the folder `place`, committed; give the project's root."""
        top = place / name
        git(place, "init", "--quiet", "-b", "main", str(top))
        root = top / self.folder
        put(root, {".dvc/config": "", ".dvc/.gitignore": DVC_GITIGNORE})
        put(root, {path: dedent(text) for path, text in self.files.items()})
        put(top, {path: dedent(text) for path, text in self.around.items()})
        if self.added:
            oracle.run(root, "add", "--quiet", *self.added)
        self._take_in(place, root, oracle)
        commit(top)
        return root

    def _take_in(self, place: Path, root: Path, oracle: Oracle) -> None:
        """Import from the registry and from a folder `shared`, both beside the repository and named relatively."""
        if self.registry:
            Project("registry", "", self.registry, added=tuple(self.registry)).write(place / "registry", oracle)
        for path, source in self.imported.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            oracle.run(root, "import", "--quiet", "../registry", source, "--out", path)
        for path, source in self.fetched.items():
            put(place / "shared", {source: f"{source}\n" * 3})
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            url = os.path.relpath(place / "shared" / source, target.parent)
            oracle.run(target.parent, "import-url", "--quiet", url, target.name)

    def edit(self, root: Path) -> None:
        """Make the changes of the second round."""
        put(root, {path: None if text is None else dedent(text) for path, text in self.edits.items()})
