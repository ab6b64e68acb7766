"""Verify: objects of the cache, and on request of the remotes, read anew; what is broken is mended from a good copy."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Literal

from runner.engine import proof, tracked
from runner.engine.proof import Kept
from runner.errors import Corrupt, ObjectMissing
from runner.hashes import LEGACY, MD5, Hash, Names
from runner.store import inspection
from runner.store.moved import NOTHING
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from runner.engine.project import Project
    from runner.engine.proof import Lack, Lacks
    from runner.engine.targets import Named
    from runner.pipeline.model import LockedPath, Out
    from runner.store.moved import Failure, Moved

Side = Literal["cache", "remote"]
State = Literal["corrupt", "missing", "unchecked"]


@dataclass(frozen=True, slots=True)
class Finding:
    """An object that is not what its name says, or not where it has to be.

    Attributes:
        side: where.
        name: the object's, below the side's root.
        state: `corrupt`: other bytes; `missing`: nothing; `unchecked`: it could not be read.
        path: an out that is made of it; empty where none of the project is.
        why: one sentence.
        repaired: whether a good copy is there now.

    """

    side: Side
    name: str
    state: State
    path: str
    why: str
    repaired: bool = False


@dataclass(frozen=True, slots=True)
class Audit:
    """What was read, and what was found.

    Attributes:
        cache: objects and bytes read in the cache.
        remote: objects and bytes read in remotes.
        findings: what was wrong, the cache's first.

    """

    cache: Moved
    remote: Moved
    findings: tuple[Finding, ...]

    @property
    def is_good(self) -> bool:
        """Whether nothing was wrong, or all of it is mended."""
        return all(finding.repaired for finding in self.findings)


def verify(project: Project, targets: Sequence[str], *, remotes: bool, repair: bool) -> Audit:
    """Read objects anew.

    Args:
        project: whose cache and remotes.
        targets: outs to verify; none: all that the lock names, and everything else in the cache.
        remotes: read them in the remotes too.
        repair: fetch what is broken in the cache, and with `remotes` send what is broken or missing there.

    Raises:
        ConfigError: a target that is nothing.
        RemoteError: a remote is not configured, or could not say what it holds.

    """
    put_away = _put_away(project)
    recorded = list(tracked.recorded([project.pipeline], targets, project.cwd))
    heads = [locked.hash for _, locked in recorded if locked.hash]
    # Before any listing is opened: one that is broken is put away when it is opened, and would not be found.
    cached = _cached(project, heads if targets else project.cache.everything())
    named = _named(project, recorded)
    if targets:
        cached += _cached(project, named.names - set(heads))
    found = _findings("cache", cached.failed, named)
    found += [_gone(name, out, project) for name, out in named.outs_of(_of_values(named.names, put_away))]
    if repair:
        found = list(_refetched(project, found, named))
    read = NOTHING
    if remotes:
        for home, kept in proof.by_home(proof.opened(project.objects, recorded)).items():
            seen, wrong = _inspected(project, home, kept)
            read += seen
            found += _sent(project, home, wrong) if repair else wrong
    return Audit(cached, read, tuple(found))


class Unproved(Collection[Finding]):
    """What the remotes lack. It may be very much, so each finding is made when it is its turn.

    Attributes:
        asked: how many objects were asked for.

    """

    def __init__(self, asked: int, lacks: Sequence[Lacks]) -> None:
        """Take what each remote lacks."""
        self.asked = asked
        self._lacks = lacks

    def __len__(self) -> int:
        """Count what is lacking."""
        return sum(map(len, self._lacks))

    def __iter__(self) -> Iterator[Finding]:
        """Give each."""
        return map(_lack, chain.from_iterable(self._lacks))

    def __contains__(self, finding: object) -> bool:
        """Whether this is found."""
        return any(finding == found for found in self)


def unproved(project: Project, targets: Sequence[str]) -> Unproved:
    """Ask the remotes for every object that the lock names. Transfers nothing but listings.

    Raises:
        RemoteError: a remote is not configured, or could not say what it holds.

    """
    recorded = tracked.recorded([project.pipeline], targets, project.cwd)
    homes = proof.by_home(proof.opened(project.objects, recorded))
    return Unproved(sum(len(kept.names) for kept in homes.values()), proof.lacking(project, homes))


def _named(project: Project, recorded: Iterable[tuple[Named, LockedPath]]) -> Kept:
    """Give every object of outs, members of directories too."""
    found = Kept()
    for out, parts in proof.by_out(proof.opened(project.objects, recorded)):
        found.take(out, parts)
    return found


def _cached(project: Project, names: Iterable[Hash]) -> Moved:
    """Read what the cache holds of `names`; that it lacks some is no fault of a cache."""
    asked = Names.of(names)
    here = asked - project.cache.missing(asked)
    return inspection.inspect_cache(project.cache, here, os.cpu_count() or 1)


def _put_away(project: Project) -> set[str]:
    """Give the values of the names of what held other bytes when it was read before, and has had no good copy since."""
    values = {value for _, value in project.cache.quarantined()}
    return {value for value in values if not any(project.cache.has(Hash(value, kind)) for kind in (MD5, LEGACY))}


def _of_values(names: Names, values: Iterable[str]) -> Names:
    return names & Names.of(Hash(value, kind) for value in values for kind in (MD5, LEGACY))


def _gone(name: Hash, out: Out, project: Project) -> Finding:
    why = f"the object {name} held other bytes and is in quarantine; the cache has no other copy"
    return Finding("cache", name.key, "missing", out.path, why, repaired=project.cache.has(name))


def _refetched(project: Project, found: Sequence[Finding], named: Kept) -> Iterator[Finding]:
    """Fetch anew what was broken in the cache. Of what no out is made of, nobody knows where it could be had."""
    broken = filter(None, (Hash.of_key(finding.name) for finding in found if finding.state != "unchecked"))
    by_key = {name.key: (out, name) for name, out in named.outs_of(Names.of(broken))}
    wanted = [by_key[finding.name] for finding in found if finding.name in by_key]
    failed = project.objects.fetch(wanted).failed if wanted else ()
    yield from _mended(found, by_key, failed, "nothing that is tracked is made of it")


def _mended(
    found: Iterable[Finding], tried: Collection[str], failed: Iterable[Failure], otherwise: str
) -> Iterator[Finding]:
    """Say of each what became of it: mended if it was tried and is not among what failed; else why it is not."""
    lost = {failure.name: failure.error.message for failure in failed}
    for finding in found:
        if finding.name in tried and finding.name not in lost:
            yield replace(finding, repaired=True)
        elif finding.state == "unchecked":
            yield finding
        else:
            yield replace(finding, why=f"{finding.why}; not mended: {lost.get(finding.name, otherwise)}")


def _inspected(project: Project, home: str, kept: Kept) -> tuple[Moved, list[Finding]]:
    """Read a remote's objects; give what was read and what is wrong."""
    there, gone = proof.absent(project, home, kept)
    read = inspection.inspect(project.objects.remote(home), there.names, project.objects.jobs, project.cache.meter)
    return read, [*map(_lack, gone), *_findings("remote", read.failed, kept)]


def _sent(project: Project, home: str, found: Sequence[Finding]) -> list[Finding]:
    """Send good copies of what is broken or missing in a remote, and read them back."""
    mendable = (Hash.of_key(finding.name) for finding in found if finding.state != "unchecked")
    good = {name.key: name for name in mendable if name and _is_good(project, name)}
    absent = (finding.name for finding in found if finding.name not in good)
    remote, objects = project.objects.remote(home), project.objects
    moved = inspection.replace(remote, project.cache, good.values(), objects.jobs, absent)
    return list(_mended(found, good, moved.failed, "the cache has no good copy"))


def _is_good(project: Project, name: Hash) -> bool:
    try:
        project.cache.verify(name, anew=True)
    except (Corrupt, ObjectMissing):
        return False
    return True


def _lack(lack: Lack) -> Finding:
    state: State = "corrupt" if isinstance(lack.error, Corrupt) else "missing"
    return Finding("remote", lack.name.key, state, lack.out.path, lack.error.message)


def _findings(side: Side, failed: Iterable[Failure], named: Kept) -> list[Finding]:
    """Say what could not be read, or was broken, and an out that is made of it."""
    failures = {failure.name: failure for failure in failed}
    names = Names.of(filter(None, map(Hash.of_key, failures)))
    paths = {name.key: out.path for name, out in named.outs_of(names)}
    return [_finding(side, failure, paths.get(key, "")) for key, failure in failures.items()]


def _finding(side: Side, failure: Failure, path: str) -> Finding:
    state: State = "unchecked"
    if isinstance(failure.error, Corrupt):
        state = "corrupt"
    elif isinstance(failure.error, ObjectMissing):
        state = "missing"
    return Finding(side, failure.name, state, path, failure.error.message)
