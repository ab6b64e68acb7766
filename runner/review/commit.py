"""A commit, as a reader of a report knows it."""

from __future__ import annotations

from runner.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit, as a reader knows it.

    Attributes:
        sha: 40 hexadecimal digits.
        ref: branch or tag; may be empty.
        subject: first line of its message; may be empty.
        how: for a base: how it was found, in words: `merge base with main`.

    """

    sha: str
    ref: str = ""
    subject: str = ""
    how: str = ""
