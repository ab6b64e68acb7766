"""Very many names in little memory: 16 bytes each, parted by the folder that their objects lie in, and sorted there."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

from runner.hashes.hash import Hash, folder_of
from runner.regexes import regex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    _Folder = tuple[str, int]
    """The kind of hash, and the first byte of the digest."""

DIGEST: Final = 16
"""Bytes of an md5."""

_PACKED = regex(r"[0-9a-f]{32}\Z")
_digests = Struct("16s").iter_unpack
_sized = Struct(">16sQ")
_records = Struct(f"{_sized.size}s").iter_unpack


class Names(AbstractSet[Hash]):
    """An unchanging set of names. Goes through them folder by folder; listings, and what is no md5, come last.

    Attributes:
        shelves: digests of files, sorted, by kind and first byte.
        others: the rest, in the order they came in.

    """

    __slots__ = ("others", "shelves")

    def __init__(self, shelves: Mapping[_Folder, bytes], others: Iterable[Hash] = ()) -> None:
        """Take shelves of sorted digests, each once; `of` and `packed` make them."""
        self.shelves = {folder: shelves[folder] for folder in sorted(shelves) if shelves[folder]}
        self.others = dict.fromkeys(others)

    @classmethod
    def of(cls, names: Iterable[Hash]) -> Names:
        """Take names, which may come one by one."""
        if isinstance(names, Names):
            return names
        shelves: defaultdict[_Folder, bytearray] = defaultdict(bytearray)
        others = []
        for name in names:
            if _PACKED.match(name.value):
                digest = bytes.fromhex(name.value)
                shelves[name.name, digest[0]] += digest
            else:
                others.append(name)
        return cls({folder: _tidied(shelf) for folder, shelf in shelves.items()}, others)

    @classmethod
    def packed(cls, kind: str, digests: Iterable[bytes]) -> Names:
        """Take the names of a kind whose digests are joined."""
        shelves: defaultdict[int, bytearray] = defaultdict(bytearray)
        for several in digests:
            for (digest,) in _digests(several):
                shelves[digest[0]] += digest
        return cls({(kind, first): _tidied(shelf) for first, shelf in shelves.items()})

    @classmethod
    def united(cls, many: Iterable[Names]) -> Names:
        """Take all of several sets."""
        shelves: defaultdict[_Folder, list[bytes]] = defaultdict(list)
        others: dict[Hash, None] = {}
        for names in many:
            others.update(names.others)
            for folder, shelf in names.shelves.items():
                shelves[folder].append(shelf)
        joined = {folder: _tidied(b"".join(found)) if found[1:] else found[0] for folder, found in shelves.items()}
        return cls(joined, others)

    def __contains__(self, name: object) -> bool:
        """Whether `name` is one of them."""
        if not isinstance(name, Hash):
            return False
        if not _PACKED.match(name.value):
            return name in self.others
        digest = bytes.fromhex(name.value)
        shelf = self.shelves.get((name.name, digest[0]), b"")
        place = _place(shelf, digest, DIGEST)
        return shelf[place : place + DIGEST] == digest

    def __iter__(self) -> Iterator[Hash]:
        """Give each name once."""
        for (kind, _), shelf in self.shelves.items():
            yield from (Hash(value, kind) for value in shelf.hex(" ", DIGEST).split(" "))
        yield from self.others

    def object_keys(self) -> Iterator[str]:
        """Give the key of each, in the same order, without making the names themselves."""
        for (kind, first), shelf in self.shelves.items():
            folder = f"{folder_of(kind)}{first:02x}/"
            yield from (folder + value[2:] for value in shelf.hex(" ", DIGEST).split(" "))
        yield from (name.key for name in self.others)

    def __len__(self) -> int:
        """Count them."""
        return sum(map(len, self.shelves.values())) // DIGEST + len(self.others)

    def __sub__(self, other: AbstractSet[Any]) -> Names:
        """Give what is in this one alone."""
        less = Names.of(other)
        shelves = {
            folder: b"".join(sorted(_cut(shelf) - _cut(less.shelves[folder]))) if folder in less.shelves else shelf
            for folder, shelf in self.shelves.items()
        }
        return Names(shelves, (name for name in self.others if name not in less.others))

    def __and__(self, other: AbstractSet[Any]) -> Names:
        """Give what is in both."""
        also = Names.of(other)
        shelves = {
            folder: b"".join(sorted(_cut(self.shelves[folder]) & _cut(also.shelves[folder])))
            for folder in self.shelves.keys() & also.shelves.keys()
        }
        return Names(shelves, (name for name in self.others if name in also.others))

    def __or__(self, other: AbstractSet[Any]) -> Names:
        """Give what is in either."""
        return Names.united((self, Names.of(other)))

    def __rsub__(self, other: AbstractSet[Any]) -> Names:
        """Give what is in the other alone."""
        return Names.of(other) - self

    __rand__, __ror__ = __and__, __or__

    def listings_first(self) -> Iterator[Hash]:
        """Give each name once, listings before files: what is removed so, and is cut short, promises nothing."""
        yield from sorted(self.others, key=lambda name: (not name.is_dir, name.name, name.value))
        yield from Names(self.shelves)

    def folders(self) -> Iterator[Names]:
        """Give them apart by the folder that their objects lie in; listings stand by themselves, one by one."""
        yield from (Names({folder: shelf}) for folder, shelf in self.shelves.items())
        yield from (Names({}, (name,)) for name in self.others)

    def parts(self, most: int) -> Iterator[Names]:
        """Give them apart in sets of about `most` at most, never less than a folder."""
        held: list[Names] = []
        count = 0
        for part in self.folders():
            if held and count + len(part) > most:
                yield Names.united(held)
                held, count = [], 0
            held.append(part)
            count += len(part)
        if held:
            yield Names.united(held)


class Sizes(Mapping[Hash, int]):
    """The bytes of very many objects, 24 bytes of memory each."""

    __slots__ = ("_others", "_shelves")

    def __init__(self, sizes: Iterable[tuple[Hash, int]] = ()) -> None:
        """Take names and sizes, each name once; they may come one by one."""
        shelves: defaultdict[_Folder, bytearray] = defaultdict(bytearray)
        self._others: dict[Hash, int] = {}
        for name, size in sizes:
            if _PACKED.match(name.value):
                digest = bytes.fromhex(name.value)
                shelves[name.name, digest[0]] += _sized.pack(digest, size)
            else:
                self._others[name] = size
        self._shelves = {folder: _in_order(shelf) for folder, shelf in sorted(shelves.items())}

    def __getitem__(self, name: Hash) -> int:
        """Give the bytes of an object."""
        if not _PACKED.match(name.value):
            return self._others[name]
        digest = bytes.fromhex(name.value)
        shelf = self._shelves.get((name.name, digest[0]), b"")
        place = _place(shelf, digest, _sized.size)
        if shelf[place : place + DIGEST] != digest:
            raise KeyError(name)
        return int(_sized.unpack_from(shelf, place)[1])

    def __iter__(self) -> Iterator[Hash]:
        """Give each name."""
        return iter(self.names)

    def __len__(self) -> int:
        """Count them."""
        return sum(map(len, self._shelves.values())) // _sized.size + len(self._others)

    def pairs(self) -> Iterator[tuple[Hash, int]]:
        """Give each name and its bytes, without looking each up as `items` does."""
        for (kind, _), shelf in self._shelves.items():
            yield from ((Hash(digest.hex(), kind), size) for digest, size in _sized.iter_unpack(shelf))
        yield from self._others.items()

    def without(self, names: Names) -> Sizes:
        """Give the others."""
        return Sizes(pair for pair in self.pairs() if pair[0] not in names)

    @property
    def names(self) -> Names:
        """The objects."""
        shelves = {
            folder: b"".join(digest for digest, _ in _sized.iter_unpack(shelf))
            for folder, shelf in self._shelves.items()
        }
        return Names(shelves, self._others)

    def total(self, names: Names) -> int:
        """Give the bytes of those of `names` that are known."""
        found = sum(self._others.get(name, 0) for name in names.others)
        for folder, shelf in names.shelves.items():
            asked = _cut(shelf)
            records = _sized.iter_unpack(self._shelves.get(folder, b""))
            found += sum(size for digest, size in records if digest in asked)
        return found


def _tidied(shelf: bytes | bytearray) -> bytes:
    """Sort digests, each once."""
    return bytes(shelf) if len(shelf) == DIGEST else b"".join(sorted(_cut(shelf)))


def _cut(shelf: bytes | bytearray) -> set[bytes]:
    return {digest for (digest,) in _digests(shelf)}


def _in_order(shelf: bytearray) -> bytes:
    return b"".join(sorted(record for (record,) in _records(shelf)))


def _place(shelf: bytes, digest: bytes, width: int) -> int:
    """Give where in a shelf of records of a width the one of a digest is, or would be."""
    return width * bisect_left(
        range(len(shelf) // width), digest, key=lambda at: shelf[width * at : width * at + DIGEST]
    )
