"""What a stage reads and is not here: whole outs, or of a directory the files that it names and no other."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from runner.engine.workspace import SCRATCH
from runner.hashes import Hash, hash_bytes
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.engine.known import Known
    from runner.pipeline.model import LockEntry, Out, Stage


@dataclass(frozen=True, slots=True)
class Loan:
    """A directory of which files are put in place for a while: its path, and the listing that the lock names for it."""

    path: str
    listing: Hash

    @property
    def journal(self) -> str:
        """Where it is written down, repository-relative."""
        return f"{SCRATCH}/lent-{hash_bytes(self.path.encode())}.json"


@dataclass(frozen=True, slots=True)
class Lent:
    """A file that is lent.

    Attributes:
        loan: the directory's.
        directory: the out that it lies in.
        part: the path inside that out that is read: the file's, or that of a folder that holds it.

    """

    loan: Loan
    directory: Out
    part: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What has to be put in place.

    Attributes:
        stage: who writes it.
        out: the out, or a file inside one, which then has that file's path.
        name: what it has to hold.
        entry: the entry that says so.
        lent: of a file inside an out, how it is put in place.

    """

    stage: Stage
    out: Out
    name: Hash
    entry: LockEntry
    lent: Lent | None = None

    @property
    def isexec(self) -> bool:
        """Whether it is an executable file."""
        recorded = self.entry.out(self.out.spelled)
        return bool(recorded and recorded.isexec)

    def files(self, part: str, names: dict[str, Hash]) -> Iterator[Wanted]:
        """Give files of this directory, by path, each by itself."""
        lent = Lent(Loan(self.out.path, self.name), self.out, part)
        for path, name in names.items():
            yield Wanted(self.stage, replace(self.out, path=path), name, self.entry, lent)


def inputs(known: Known, stage: Stage, *, lends: bool = True) -> list[Wanted]:
    """Give what has to be put in place before `stage` can run.

    Args:
        known: the workspace seen through the lock.
        stage: the stage.
        lends: of directories, the files alone that it names; otherwise all of them.

    """
    outs: dict[str, Wanted] = {}
    reads: defaultdict[str, list[str]] = defaultdict(list)
    for path in stage.reads:
        for producer, out in known.absent(path):
            entry = known.entry(producer)
            recorded = entry.out(out.spelled) if entry else None
            if entry and recorded and recorded.hash:
                outs[out.path] = Wanted(producer, out, recorded.hash, entry)
                reads[out.path].append(path)
    return [one for whole in outs.values() for one in _split(known, whole, reads[whole.out.path] if lends else ())]


def _split(known: Known, whole: Wanted, paths: Sequence[str]) -> list[Wanted]:
    """Give an out, or the files by which `paths` can be read if they are all inside it."""
    parts = known.parts(whole.out, whole.name, paths) if paths else None
    if parts is None:
        return [whole]
    return [one for part, names in parts.items() for one in whole.files(part, names)]
