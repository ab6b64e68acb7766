"""A GitHub of our own on loopback: one repository that remembers, pages, refuses and limits.

Every REST request is held to the API's own description (`api_description`), every GraphQL query to its own schema; what
fits neither fails the test. Commits, trees and refs are those of a real git repository.
"""

from tests.support.github.answers import (
    DROPPED,
    Answer,
    Meanwhile,
    Received,
    Trouble,
    not_accessible,
    refusal,
    secondary_limit,
)
from tests.support.github.fake import ACTIONS, FakeGitHub
from tests.support.github.serving import serving
from tests.support.github.talk import COMMENT_LIMIT

__all__ = [
    "ACTIONS",
    "COMMENT_LIMIT",
    "DROPPED",
    "Answer",
    "FakeGitHub",
    "Meanwhile",
    "Received",
    "Trouble",
    "not_accessible",
    "refusal",
    "secondary_limit",
    "serving",
]
