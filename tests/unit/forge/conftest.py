"""A GitHub that remembers and refuses, a repository on it, and a run that writes comments there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
import requests

from runner.forge.repository import Repository
from tests.support import forge
from tests.support.forge import TOKEN
from tests.support.github import FakeGitHub, serving
from tests.support.pace import Time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.forge import Say


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with serving(FakeGitHub()) as running:
        running.token(TOKEN)
        yield running


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def repository(fake: FakeGitHub, time: Time) -> Iterator[Repository]:
    with requests.Session() as session:
        yield Repository(fake.url, fake.repository, TOKEN, session, time.pace())


@pytest.fixture
def say(repository: Repository) -> Say:
    """Give a function by which one run writes a comment."""
    return partial(forge.say, repository)
