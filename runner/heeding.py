"""A comment that asks for a run: whether it is to be heeded, of which commit it spoke, and what it asks for.

Who may write here may say `/retrain`, and means the head that was there when the comment was written: what was pushed
after it is not run. Everybody else is not heard, at the cost of one request.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from runner.errors import ConfigError, ForgeError, NothingAsked, RunnerError
from runner.forge import slash
from runner.forge.event import commanded
from runner.review import escape
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from runner.forge.event import Comment, Event, Pull
    from runner.forge.repository import Repository
    from runner.forge.slash import Command
    from runner.git import Git

logger = logging.getLogger("retrain")
_MOST = 10
"""Mistakes told in an answer."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a comment asks for.

    Attributes:
        event: the run it starts, with the rights of that.
        command: stages and params.
        note: says in the report who asked for what.
        answers: a context that tells the comment's author of an error in it, which no report would.

    """

    event: Event
    command: Command
    note: str
    answers: Callable[[], AbstractContextManager[None]]


def heed(event: Event, repository: Repository | None, name: str, git: Git) -> Heard:
    """Follow the comment that `event` tells of; its author is answered, if it is somebody who may write here.

    Args:
        event: of the kind `comment`.
        repository: GitHub; `None` where there is no token to ask it with.
        name: GITHUB_REPOSITORY, `owner/name`.
        git: the checkout.

    Raises:
        NothingAsked: there is no command in it, or it is a stranger's.
        ConfigError: the command cannot be followed.
        ForgeError: GitHub does not say what has to be known.

    """
    comment, number = event.comment, event.number
    line = slash.find(comment.body) if comment else ""
    if not comment or not line or not comment.is_new or number is None:
        message = f"there is no new comment on a pull request that begins with {slash.NAME}"
        raise NothingAsked(message)
    if repository is None:
        message = "without a token nobody can say who may write here"
        raise ConfigError(message, "leave the input github-token at its default")
    if not repository.may_write(comment.author):
        message = f"{comment.author} may not write here, and is not heard"
        raise NothingAsked(message)
    answers = partial(_answering, repository, number, comment)
    with answers():
        pull = repository.pull(number)
        command = slash.parse(line)
        heard = commanded(event, pull, name)
        _check(pull, git)
        if heard.kind == "command":
            _check_age(repository.pushed(pull.branch), pull, comment)
    _say(partial(repository.react, comment.id, "eyes"))
    logger.info("%s: %s", heard.kind, heard.why)
    return Heard(heard, command, f"{comment.author} asked for it in a comment: {command.line}", answers)


def _check(pull: Pull, git: Git) -> None:
    if not pull.is_open:
        message = f"pull request {pull.number} is closed"
        raise ConfigError(message, "open it again, and comment once more")
    there = git.head()
    if there != pull.head:
        message = f"the checkout is {there[:12]}, and the head of pull request {pull.number} is {pull.head[:12]}"
        hint = f"the workflow has to check out `ref: refs/pull/{pull.number}/head`; if it did, comment once more"
        raise ConfigError(message, hint)


def _check_age(pushed: tuple[str, str] | None, pull: Pull, comment: Comment) -> None:
    """Let only that head pass which the comment's author could see."""
    if pushed is None or pushed[0] != pull.head:
        message = f"GitHub does not say when the head {pull.head[:12]} was pushed"
        raise ConfigError(message, "comment once more; if that does not help, push something first")
    if not _is_before(pushed[1], comment.at):
        message = f"the head {pull.head[:12]} was not there yet when the comment was written"
        raise ConfigError(message, "look at what was pushed, and comment once more")


def _is_before(one: str, other: str) -> bool:
    """Compare two times of GitHub, which are of seconds: within the same second nobody has seen what was pushed."""
    try:
        return datetime.fromisoformat(one) < datetime.fromisoformat(other)
    except (ValueError, TypeError):
        return False


@contextmanager
def _answering(repository: Repository, number: int, comment: Comment) -> Iterator[None]:
    """Tell the comment's author why it is not followed."""
    try:
        yield
    except RunnerError as error:
        why = "\n".join(
            "; ".join(filter(None, (escape.prose(one.message), one.hint))) for one in error.problems[:_MOST]
        )
        _say(partial(repository.react, comment.id, "confused"))
        _say(partial(repository.reply, number, f"@{comment.author}: {why}"))
        raise


def _say(what: Callable[[], None]) -> None:
    """Say it; that it cannot be said costs nothing else."""
    try:
        what()
    except ForgeError as error:
        logger.warning("the comment is not answered: %s", error)
