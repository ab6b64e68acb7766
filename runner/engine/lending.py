"""Files of a directory that is not here, lent to the stages that read them, and taken back when the run ends.

A part of a directory never stays: DVC would take it for all of it, and record that at its next `repro` or `commit`.
While it is lent, DVC is kept away from the directory, the workspace takes it for absent, and so does every other
command of ours, by a journal that is written first. The next command that writes takes back what a killed run left.
"""

from __future__ import annotations

import json
import logging
import os
from contextlib import ExitStack, suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from runner.engine import aside
from runner.engine.inputs import Loan
from runner.engine.workspace import SCRATCH
from runner.errors import ConfigError, Corrupt, ObjectMissing
from runner.hashes import Hash, Tree, differing
from runner.store import sweeping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runner.engine.dvclock import DvcLock
    from runner.engine.workspace import Workspace
    from runner.store.cache import Cache

    Recorded = Callable[[str], Hash | None]
    """Gives what the DVC files say, at this moment, that a path holds."""

logger = logging.getLogger("retrain")
_RESERVED: Final = frozenset({".git", ".dvc", ".github"})


class Lending:
    """The loans of one run; for who holds the project's lock."""

    def __init__(self, workspace: Workspace, cache: Cache, dvc: DvcLock | None) -> None:
        """Lend nothing yet.

        Args:
            workspace: the working tree.
            cache: the local object cache, where every file that is lent is too.
            dvc: DVC's locks; none where DVC has nothing to do with the folder.

        """
        self._workspace = workspace
        self._cache = cache
        self._dvc = dvc
        self._loans: dict[str, Loan] = {}
        self._reserved: dict[str, ExitStack] = {}

    def lend(self, loan: Loan, part: str) -> None:
        """Have `part`, a path inside the directory, seen while the rest is not; what belongs there is put next."""
        if loan.path not in self._loans:
            note = {"path": loan.path, "listing": loan.listing.value, "kind": loan.listing.name}
            self._workspace.write(loan.journal, json.dumps(note).encode())
            self._loans[loan.path] = loan
            stack = self._reserved[loan.path] = ExitStack()
            if self._dvc:
                stack.enter_context(self._dvc.reserved([loan.path], []))
        self._workspace.lend(loan.path, part)

    def of(self, path: str) -> Loan | None:
        """Give the loan of a directory; `None` where nothing of it is lent."""
        return self._loans.get(path)

    def complete(self, loan: Loan) -> None:
        """Take the directory for what it is from here on: all of it is in place now."""
        self._forget(loan)
        self._end(loan.path)

    def strayed(self) -> str:
        """Name a directory in which a command changed what was lent, or wrote something else; empty: none."""
        return next((loan.path for loan in self._loans.values() if self._is_changed(loan)), "")

    def take_back(self, path: str) -> None:
        """End the loan of a directory, if there is one: it is absent then, as before."""
        loan = self._loans.get(path)
        if loan:
            self._take_back(loan, loan.listing)
            self._end(path)

    def take_all_back(self) -> None:
        """End every loan. May be called again after an interruption."""
        for path in [*self._loans]:
            self.take_back(path)

    def recover(self, recorded: Recorded) -> None:
        """End the loans of runs that were killed. What is as the DVC files say now is nobody's loan any more."""
        for loan, now in noted(self._workspace, recorded):
            self._take_back(loan, loan.listing, now)

    def _end(self, path: str) -> None:
        del self._loans[path]
        self._reserved.pop(path).close()

    def _forget(self, loan: Loan) -> None:
        self._workspace.unlend(loan.path)
        self._workspace.path(loan.journal).unlink(missing_ok=True)

    def _is_changed(self, loan: Loan) -> bool:
        """Whether anything there is not as the listing says, or a part that was lent is not all there."""
        lying = self._workspace.look_inside_loan(loan.path, loan.listing.name)
        parts = [f"{part[len(loan.path) + 1 :]}/" for part in self._workspace.lent(loan.path) or ()]
        return lying is None or any(
            now or any(f"{path}/".startswith(part) for part in parts)
            for path, _, now in differing(self._listing(loan), lying)
        )

    def _listing(self, loan: Loan) -> Tree:
        try:
            return self._cache.tree(loan.listing)
        except (ObjectMissing, Corrupt) as error:
            logger.warning("%s", error.message)
            return Tree((), loan.listing.name)

    def _take_back(self, loan: Loan, *whole: Hash) -> None:
        """Remove what the listing names and the cache holds; what else lies there is kept elsewhere, and said."""
        self._workspace.unlend(loan.path)
        if any(_holds(self._workspace, loan.path, name) for name in whole):
            self._forget(loan)
            return
        self._workspace.check_inside(str(PurePosixPath(loan.path).parent))
        place, listing = self._workspace.path(loan.path), self._listing(loan)
        if place.is_dir() and not place.is_symlink():
            sweeping.sweep([folder for folder, _, _ in os.walk(place)], age=0)
            self._return(loan, listing)
            for folder, _, _ in os.walk(place, topdown=False):
                with suppress(OSError):  # something else lies in it
                    Path(folder).rmdir()
        if os.path.lexists(place):
            kept = f"{SCRATCH}/left-{os.urandom(6).hex()}/{place.name}"
            aside.move(place, self._workspace.path(kept))
            logger.warning("%s was lent to stages; what else lay there at the end is kept as %s", loan.path, kept)
        self._workspace.forget(loan.path)
        self._forget(loan)

    def _return(self, loan: Loan, listing: Tree) -> None:
        """Remove the files that are as they were lent; the cache has their bytes, or takes them now."""
        look = self._workspace.look(loan.path, loan.listing.name, whole=True)
        lying = look[1] if isinstance(look, tuple) else None
        if lying is None:
            return
        changed = {path for path, _, now in differing(listing, lying) if now}
        for path, name in lying.members():
            if path not in changed:
                place = self._workspace.path(f"{loan.path}/{path}")
                try:
                    self._cache.prove(name)
                except (ObjectMissing, Corrupt):
                    self._cache.add(place, name)
                place.unlink()


def noted(workspace: Workspace, recorded: Recorded) -> Iterator[tuple[Loan, Hash]]:
    """Give the loans that journals tell of, of a run that is at work or was killed, and what is recorded of each now.

    A directory of which nothing is, as at another commit, may be anybody's: its loan waits.
    """
    for place in sorted(workspace.path(SCRATCH).glob("lent-*.json")):
        loan = _read(workspace, place)
        now = recorded(loan.path) if loan else None
        if loan and now and loan.journal == f"{SCRATCH}/{place.name}":
            yield loan, now


def heed(workspace: Workspace, recorded: Recorded) -> None:
    """Take directories for absent of which another run has lent files, or was killed while it had."""
    for loan, now in noted(workspace, recorded):
        if not any(_holds(workspace, loan.path, name) for name in (loan.listing, now)):
            workspace.lend(loan.path)


def _read(workspace: Workspace, place: Path) -> Loan | None:
    """Read a journal; one that names a place where no out can lie is not ours."""
    try:
        note = json.loads(place.read_bytes())
        loan = Loan(str(note["path"]), Hash(str(note["listing"]), str(note["kind"])))
        workspace.check_inside(str(PurePosixPath(loan.path).parent))
    except (OSError, ValueError, TypeError, KeyError, ConfigError):
        return None
    parts = PurePosixPath(loan.path).parts
    is_usual = bool(parts) and ".." not in parts and ".git" not in parts and parts[0] not in _RESERVED
    return loan if is_usual and loan.listing.is_valid and loan.listing.is_dir else None


def _holds(workspace: Workspace, path: str, name: Hash) -> bool:
    content = workspace.observe_out(path, name.name)
    return content is not None and content.hash == name
