"""What stages read and what earlier runs wrote, fetched and put in place; and who could make again what nobody has."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from runner.engine.decision import Change, Reason
from runner.engine.inputs import Wanted, inputs
from runner.engine.objects import lost_of
from runner.engine.recorded import outs_of
from runner.errors import Corrupt, ObjectMissing
from runner.store.moved import NOTHING
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.engine.inputs import Loan
    from runner.engine.keeping import Keeping
    from runner.engine.known import Known
    from runner.engine.objects import Objects
    from runner.engine.workspace import Workspace
    from runner.pipeline.model import LockEntry, Stage
    from runner.store.moved import Moved

logger = logging.getLogger("retrain")


@dataclass(frozen=True)
class Bringing:
    """Brings outs to their places.

    Attributes:
        known: the workspace seen through the lock.
        workspace: the working tree.
        objects: cache and remotes.
        keep: gives the writer of outs; asked for when something is put in place.

    """

    known: Known
    workspace: Workspace
    objects: Objects
    keep: Callable[[], Keeping]

    def inputs(self, stage: Stage, *, lends: bool) -> list[Wanted]:
        """Give what has to be put in place before `stage` can run; with `lends` of directories what it names alone."""
        return inputs(self.known, stage, lends=lends)

    def outs(self, stage: Stage, entry: LockEntry) -> list[Wanted]:
        """Give the outs that `entry` records of `stage` and that are not in their place."""
        recorded = [Wanted(stage, out, name, entry) for out, name in outs_of(stage, entry)]
        return [one for one in recorded if not self.known.is_in_place(one.out, one.name)]

    def ahead(self, wanted: Sequence[Wanted]) -> Moved:
        """Fetch into the cache what comes from remotes, and nothing else; may be called on any thread."""
        return self.objects.fetch([(one.out, one.name) for one in wanted if not one.out.origin])

    def bring(self, wanted: Sequence[Wanted], ahead: Moved = NOTHING) -> Moved:
        """Fetch outs and put them in place; what nobody has is in `failed`, and then nothing is put in place.

        An object that turns out broken in the cache is fetched anew, once.

        Args:
            wanted: the outs.
            ahead: what was fetched of them already, and what of them nobody has.

        Raises:
            RemoteError: the remote refused, could not be reached, or holds other bytes.

        """
        _raise_unless_missing(ahead)
        pulled = ahead if ahead.failed else ahead + self._fetch(wanted)
        try:
            self._put(wanted if not pulled.failed else ())
        except Corrupt as error:
            logger.warning("%s; it is fetched anew", error.message)
            again = self._fetch(wanted)
            self._put(wanted if not again.failed else ())
            return pulled + again
        return pulled

    def _fetch(self, wanted: Sequence[Wanted]) -> Moved:
        moved = self.objects.fetch([(one.out, one.name) for one in wanted])
        _raise_unless_missing(moved)
        return moved

    def _put(self, wanted: Sequence[Wanted]) -> None:
        lent = [one for one in wanted if one.lent]
        for loan, part in dict.fromkeys((one.lent.loan, one.lent.part) for one in lent if one.lent):
            if self.workspace.may_be_lent(loan.path):  # else all of it has been brought meanwhile
                self.keep().lending.lend(loan, part)
        if lent:
            self.keep().put_files({one.out.path: one.name for one in lent})
        for one in wanted:
            if one.lent:
                self.keep().recording.ignore(one.stage, one.lent.directory)
            elif not self.known.is_in_place(one.out, one.name):
                self._put_whole(one)

    def _put_whole(self, one: Wanted) -> None:
        keep = self.keep()
        loan = keep.lending.of(one.out.path)
        if loan and loan.listing == one.name:
            self._complete(one, loan)
            return
        keep.lending.take_back(one.out.path)
        content = self.workspace.observe_out(one.out.path)
        if content:
            keep.rescue(one.out, content)
        keep.put(one.out, one.name, isexec=one.isexec)
        if one.out.cache:
            keep.recording.ignore(one.stage, one.out)

    def _complete(self, one: Wanted, loan: Loan) -> None:
        """Put the other files of a directory beside those that are lent: a command may be reading these."""
        files = self.objects.cache.tree(one.name).members()
        self.keep().put_files({f"{one.out.path}/{inner}": name for inner, name in files})
        self.keep().lending.complete(loan)

    def makers_of_lost(self, stage: Stage, wanted: Sequence[Wanted], pulled: Moved) -> dict[str, Reason]:
        """Find who can make again what nobody has; a data source cannot, and that ends the walk."""
        lost = {failure.name for failure in pulled.failed}
        producers: dict[str, Reason] = {}
        for one in wanted:
            producer, out, name = one.stage, one.out, one.name
            if name.key not in lost and not lost_of(self.known.members(name), lost):
                continue
            if producer.is_data_source or producer.frozen:
                message = f"{out.path} ({producer.address}), which stage {stage.address} needs, is in no remote"
                raise ObjectMissing(message, f"push it from where it was made: `dvc push {producer.address}`")
            producers[producer.address] = Reason(Change.MISSING_OBJECT, out.path, was=name.value)
        return producers


def _raise_unless_missing(moved: Moved) -> None:
    """Pass on what is not simply an absent object: refused, unavailable or corrupt storage ends the walk."""
    for failure in moved.failed:
        if not isinstance(failure.error, ObjectMissing):
            raise failure.error
