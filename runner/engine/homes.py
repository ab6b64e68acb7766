"""Where outs are had from: a remote, by its name, or the source of the import that one is."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.hashes import Hash
    from runner.pipeline.model import Out

Wanted = tuple["Out", "Hash"]
_ORIGIN: Final = "the source of "


def home_of(out: Out) -> str:
    """Give where an out is had from: the name of a remote, or the source of the import that it is."""
    return f"{_ORIGIN}{out.origin}" if out.origin else out.remote


def is_origin(home: str) -> bool:
    """Whether an out is had from the source of an import, and so kept in no remote."""
    return home.startswith(_ORIGIN)


def origin_of(home: str) -> str:
    """Give the address of the `.dvc` file from whose source an out is had, of a home that is one."""
    return home.removeprefix(_ORIGIN)


def by_home(wanted: Iterable[Wanted]) -> dict[str, list[Hash]]:
    """Give the hashes of what is wanted, each once, by where it is had from."""
    groups: defaultdict[str, dict[Hash, None]] = defaultdict(dict)
    for out, name in wanted:
        groups[home_of(out)][name] = None
    return {home: list(names) for home, names in groups.items()}
