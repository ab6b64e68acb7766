"""GitLab: one note on a merge request, a commit's status, variables for the jobs that follow. Renders nothing.

Speaks through python-gitlab, which pages, waits where GitLab asks for it and tries again where that helps.
"""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal

import gitlab
import requests

from runner.errors import ForgeError
from runner.forge import folder, statuses
from runner.forge.comments import Mark
from runner.forge.local import Local
from runner.forge.protocol import RUNNING, Job, Standing
from runner.regexes import regex
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

logger = logging.getLogger("retrain")

LIMIT: Final = 1_000_000
"""Characters of a note."""
_TIMEOUT: Final = 60.0
_FORBIDDEN: Final = (401, 403)
_QUICK_ACTION: Final = regex(r"^([\s>]*)/(?=[A-Za-z])", re.MULTILINE)
_STATES: Final[Mapping[str, str]] = {"pending": "running", "success": "success"}
"""GitLab's words for GitHub's; every other is `failed`."""

Mode = Literal["update", "new", "correct"]
"""`correct` changes a note that is there, and writes none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitLab(Local):
    """See `Forge`. What is `None` is not to be used in this run.

    Attributes:
        notes: writes on the merge request.
        commit: sets the commit's status.
        variables: the file for `artifacts:reports:dotenv`.

    """

    notes: Notes | None = None
    commit: CommitStatus | None = None
    variables: Path | None = None

    def comment(self, standing: Standing) -> str:
        """Write on the merge request."""
        return self.notes.write(standing) if self.notes else ""

    def status(self, standing: Standing) -> None:
        """Set the commit's status."""
        if self.commit:
            self.commit.set(standing)

    def outputs(self, outputs: Mapping[str, str]) -> None:
        """Hand values to the jobs that follow."""
        if self.variables:
            folder.add_variables(self.variables, outputs)


class Notes:
    """The note of one run on its merge request."""

    def __init__(self, client: gitlab.Gitlab, project: str, job: Job, mode: Mode) -> None:
        """Ask nothing yet; `project` is the id of the project that the merge request is in."""
        self._client = client
        self._project = project
        self._job = job
        self._mode = mode
        self._mine: Any = None

    def write(self, standing: Standing) -> str:
        """Write where the run stands; see `Forge.comment`.

        Raises:
            ForgeError: refused, or not answered.

        """
        mark = Mark.of(self._job)
        text = f"{mark}\n{harmless(standing.render(LIMIT // 2))}"
        with _told(f"the note on merge request {self._job.number} cannot be written"):
            project = self._client.projects.get(self._project, lazy=True)
            request = project.mergerequests.get(self._job.number or 0, lazy=True)
            mine = self._mine or (None if self._mode == "new" else self._earlier(request))
            there = Mark.read(mine.body) if mine else None
            if there and there.is_later_than(mark):
                logger.info("the note is left alone: a later pipeline, %d, has written it", there.run)
                return ""
            if mine is None and self._mode == "correct":
                return ""
            if mine is None:
                mine = request.notes.create({"body": text})
            elif mine.body.rstrip() != text.rstrip():
                mine.body = text
                mine.save()
            self._mine = mine
            return f"{self._job.url.partition('/-/')[0]}/-/merge_requests/{self._job.number}#note_{mine.get_id()}"

    def _earlier(self, request: Any) -> Any:  # noqa: ANN401 - python-gitlab types nothing below a client
        self._client.auth()
        login = self._client.user.username if self._client.user else ""
        found = None
        for note in request.notes.list(iterator=True, per_page=100, sort="asc", order_by="created_at"):
            mark = None if note.system or note.author["username"] != login else Mark.read(note.body)
            if mark and mark.project == Mark.of(self._job).project:
                found = note
        return found


class CommitStatus:
    """The status of one run's commit."""

    def __init__(self, client: gitlab.Gitlab, project: str, job: Job) -> None:
        """Ask nothing yet; `project` is the id of the project that runs."""
        self._client = client
        self._project = project
        self._job = job

    def set(self, standing: Standing) -> None:
        """Say where the run stands; see `Forge.status`.

        Raises:
            ForgeError: refused, or not answered.

        """
        state = "running" if standing.verdict == RUNNING else _STATES.get(statuses.state(standing), "failed")
        body = {"state": state, "name": self._job.title, "description": standing.title[: statuses.LIMIT]}
        body |= {"target_url": self._job.url} if self._job.url else {}
        with _told(f"the status of {self._job.head[:12]} cannot be set"):
            commit = self._client.projects.get(self._project, lazy=True).commits.get(self._job.head, lazy=True)
            commit.statuses.create(body)


def connect(url: str, token: str, authorities: str = "") -> gitlab.Gitlab:
    """Give a client; nothing is asked yet.

    Args:
        url: CI_SERVER_URL.
        token: a project access token with the scope `api`; CI_JOB_TOKEN may not write notes.
        authorities: a file of certificate authorities, CI_SERVER_TLS_CA_FILE; empty: the usual ones.

    """
    return gitlab.Gitlab(
        url,
        private_token=token,
        timeout=_TIMEOUT,
        retry_transient_errors=True,
        ssl_verify=authorities or True,
        user_agent="retrain",
    )


def harmless(markdown: str) -> str:
    """Give text in which no line begins a quick action: `/merge` in a note is an order, in our name."""
    return _QUICK_ACTION.sub("\\1\N{WORD JOINER}/", markdown)


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Say what GitLab refused. Neither the library's chain nor its objects, which hold the token, go on."""
    try:
        yield
    except gitlab.exceptions.GitlabError as error:
        code = error.response_code
        hint = "GITLAB_TOKEN needs the scope api, and the role Developer" if code in _FORBIDDEN else "try again"
        message = f"{what}: GitLab answered {code or 'nothing'} {str(error.error_message)[:300]}".rstrip()
        raise ForgeError(message, hint) from None
    except requests.RequestException as error:
        message = f"{what}: GitLab did not answer: {type(error).__name__}"
        raise ForgeError(message, "try again; is a proxy to be set?") from None
