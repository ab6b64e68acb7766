"""What DVC files say of version-aware remotes: which version of which path holds an object. Asks no remote.

Such a project's entries have `cloud:` with a version id for each remote and, instead of a directory's hash, `files:`
with an md5 each; the listing follows from them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.hashes import Hash, Tree
from runner.store.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.pipeline.model import LockedPath, Out
    from runner.pipeline.pipeline import Pipeline

_ANY = ""
"""Stands for the remote where an entry names none, as DVC wrote them at first."""


class Versions:
    """The versions that the DVC files of one or several commits name; read when they are first asked for."""

    def __init__(self) -> None:
        """Know of none."""
        self._unread: list[Pipeline] = []
        self._places: dict[tuple[str, str], Place] = {}
        self._listings: dict[Hash, Tree] = {}

    def note(self, pipeline: Pipeline) -> None:
        """Take in what the DVC files of one commit say; of an object in several places the first one counts."""
        self._unread.append(pipeline)

    def place(self, remote: str, name: str) -> Place | None:
        """Give where the remote called `remote` keeps the object `name`."""
        self._read()
        return self._places.get((remote, name)) or self._places.get((_ANY, name))

    def listing(self, name: Hash) -> Tree | None:
        """Give the listing of a directory whose files are recorded one by one."""
        self._read()
        return self._listings.get(name)

    def _read(self) -> None:
        while self._unread:
            pipeline = self._unread.pop(0)
            for stage in pipeline.stages:
                entry = pipeline.entries.get(stage.address)
                for out in stage.outs if entry else ():
                    recorded = entry.out(out.spelled) if entry else None
                    if recorded and recorded.hash and recorded.extra:
                        self._take(out, recorded, recorded.hash)

    def _take(self, out: Out, recorded: LockedPath, name: Hash) -> None:
        """Note an entry; what other tools left there that is no version is passed over."""
        if "files" not in recorded.extra:
            self._note(name, out.path, recorded.extra)
            return
        rows = recorded.extra["files"]
        self._listings.setdefault(name, Tree.of((row["relpath"], row["md5"]) for row in rows))
        for row in rows:
            self._note(Hash(row["md5"]), f"{out.path}/{row['relpath']}", row)

    def _note(self, name: Hash, path: str, row: Mapping[str, Any]) -> None:
        for remote, version in _versions(row) if name.is_valid else ():
            self._places.setdefault((remote, name.key), Place(path, version))


def _versions(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give the version in each remote that an entry names."""
    for remote, said in (row.get("cloud") or {}).items():
        if isinstance(said, dict):
            yield str(remote).lower(), str(said.get("version_id") or "")
    if row.get("version_id"):
        yield _ANY, str(row["version_id"])
