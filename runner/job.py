"""What the code host says of the job that this process is part of, by the variables that it sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """What GitHub says of the job: event, commit, repository, workflow file, and the files it reads afterwards."""

    event: str
    event_path: str
    sha: str
    ref: str
    repository: str
    api_url: str
    output: str
    summary: str
    workspace: str
    workflow: str = ""
    server_url: str = "https://github.com"
    run: int = 0
    attempt: int = 1

    @property
    def page(self) -> str:
        """The address of the run's page; empty where its number is unknown."""
        return f"{self.server_url}/{self.repository}/actions/runs/{self.run}" if self.run else ""


def actions_of(environ: Mapping[str, str]) -> Actions | None:
    """Read GitHub's variables; their meaning is GitHub's documented one."""
    if environ.get("GITHUB_ACTIONS") != "true":
        return None
    return Actions(
        event=environ.get("GITHUB_EVENT_NAME", ""),
        event_path=environ.get("GITHUB_EVENT_PATH", ""),
        sha=environ.get("GITHUB_SHA", ""),
        ref=environ.get("GITHUB_REF", ""),
        repository=environ.get("GITHUB_REPOSITORY", ""),
        api_url=environ.get("GITHUB_API_URL", "https://api.github.com"),
        output=environ.get("GITHUB_OUTPUT", ""),
        summary=environ.get("GITHUB_STEP_SUMMARY", ""),
        workspace=environ.get("GITHUB_WORKSPACE", ""),
        workflow=environ.get("GITHUB_WORKFLOW_REF", "").partition("@")[0].rpartition("/")[2],
        server_url=environ.get("GITHUB_SERVER_URL", "https://github.com"),
        run=_number(environ.get("GITHUB_RUN_ID", "")),
        attempt=_number(environ.get("GITHUB_RUN_ATTEMPT", "")) or 1,
    )


def gitlab_of(environ: Mapping[str, str]) -> dict[str, str] | None:
    """Give GitLab's variables of the job, but no credentials; `None` elsewhere.

    https://docs.gitlab.com/ci/variables/predefined_variables/
    """
    if environ.get("GITLAB_CI") != "true" or environ.get("GITHUB_ACTIONS") == "true":
        return None
    plain = (name for name in environ if name.startswith("CI_") and not name.endswith(("TOKEN", "PASSWORD", "JWT")))
    return {name: environ[name] for name in plain}


def page_of(environ: Mapping[str, str]) -> str:
    """Give the address of the run's own page; empty where it has none."""
    actions, gitlab = actions_of(environ), gitlab_of(environ)
    return actions.page if actions else (gitlab or {}).get("CI_JOB_URL", "")


def workspace_of(environ: Mapping[str, str]) -> str:
    """Give the folder that the host's paths are relative to; empty where there is no host."""
    actions, gitlab = actions_of(environ), gitlab_of(environ)
    return actions.workspace if actions else (gitlab or {}).get("CI_PROJECT_DIR", "")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
