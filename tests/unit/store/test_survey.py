"""What a bucket holds of many objects, in the fewest requests: listings of what is asked for, and nothing else."""

from __future__ import annotations

import hashlib
import threading
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from runner.store.survey import survey

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = 1000


def named(count: int, salt: str = "") -> list[str]:
    digests = (hashlib.md5(f"{salt}{number}".encode()).hexdigest() for number in range(count))
    return [f"files/md5/{digest[:2]}/{digest[2:]}" for digest in digests]


class Shelf:
    """A bucket that counts the pages it gives."""

    def __init__(self, names: list[str]) -> None:
        self.names = sorted(names)
        self.pages = 0
        self.prefixes: set[str] = set()
        self._lock = threading.Lock()

    def first_page(self, prefix: str, /) -> tuple[list[tuple[str, int]], bool]:
        self.pages += 1
        found = [(name, 1) for name in self.names if name.startswith(prefix)]
        return found[:PAGE], len(found) <= PAGE

    def listed(self, prefix: str, after: str, /) -> Iterator[list[tuple[str, int]]]:
        found = ((name, 1) for name in self.names if name.startswith(prefix) and name > after)
        with self._lock:
            self.prefixes.add(prefix)
        while True:
            page = list(islice(found, PAGE))
            with self._lock:
                self.pages += 1
            yield page
            if len(page) < PAGE:
                return


@pytest.mark.parametrize("digits", ["", "a", "07"])
def test_what_begins_otherwise_than_what_is_asked_for_is_not_listed(digits: str) -> None:
    bucket = Shelf(named(20_000))
    wanted = {name for name in [*bucket.names, *named(100, "absent")] if not digits or name[10] in digits}
    there, left = survey(bucket, wanted, 4)
    assert there.keys() == wanted & set(bucket.names)
    assert left == set()
    assert bucket.prefixes == {name[:11] for name in wanted}
    assert bucket.pages <= 1 + 2 * len(bucket.prefixes)  # 1,250 names a digit


def test_an_empty_bucket_is_asked_once() -> None:
    bucket = Shelf([])
    assert survey(bucket, set(named(10)), 4) == ({}, set())
    assert bucket.pages == 1


def test_few_of_very_many_are_asked_for_one_by_one() -> None:
    bucket = Shelf(named(20_000))
    wanted = set(named(10, "absent")) | {bucket.names[5], bucket.names[-1]}
    there, left = survey(bucket, wanted, 4)
    assert there == {bucket.names[5]: 1}
    assert left >= {bucket.names[-1]}
    assert bucket.pages == 1


def test_a_long_listing_of_one_digit_is_made_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.store.survey._LONG", 1)
    bucket = Shelf(named(40_000))
    wanted = {name for name in bucket.names if name[10] == "c"}
    there, left = survey(bucket, wanted, 4)
    assert there.keys() == wanted
    assert left == set()
    assert bucket.prefixes == {f"files/md5/c{digit:x}" for digit in range(16)}
