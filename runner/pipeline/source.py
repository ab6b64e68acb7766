"""Where data comes from that is imported: a url, a path outside the project, or a path in another git repository."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

DATASET: Final = "ds://"
"""What the url of a dataset begins with; its name follows."""
REV: Final = "rev_lock"
"""The kind of hash that an import from a git repository is known by: the commit it was taken from."""


@dataclass(frozen=True, slots=True)
class Repo:
    """The git repository that data is imported from.

    Attributes:
        url: as written; a path counts from the project's root.
        rev: branch, tag or commit; empty: the default branch.
        rev_lock: the commit that the data was taken from; empty where it was never taken.
        config: DVC configuration that counts before the repository's own: a file, or its sections.
        remote: where the repository's data is kept: the name of one of its remotes, or options for its default one.

    """

    url: str
    rev: str = ""
    rev_lock: str = ""
    config: str | Mapping[str, Any] = field(default="", hash=False)
    remote: str | Mapping[str, Any] = field(default="", hash=False)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a dep lies that is not in the project.

    Attributes:
        url: `https://...`, `s3://...`, `remote://name/path`, a path outside the project (absolute, or from its root),
            `ds://name` of a dataset; in a repository the path there.
        repo: the git repository, if it is in one.
        options: options of the storage that count before those of the configuration (`fs_config`).
        versioned: its version, not only its content, is recorded.

    """

    url: str
    repo: Repo | None = None
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    versioned: bool = False

    @property
    def dataset(self) -> str:
        """The name of the dataset that it is; empty where it is none."""
        return self.url.removeprefix(DATASET).partition("/")[0] if self.url.startswith(DATASET) else ""

    @property
    def shown(self) -> str:
        """The source in one word, as DVC prints it."""
        return f"{self.url} ({self.repo.url})" if self.repo else self.url

    @property
    def place(self) -> tuple[Any, ...]:
        """All that says where it is, and with which options it is read; in a repository its path and revision are not.

        Sources of one place show their credentials to the same servers.
        """
        return (self.repo.url, self.repo.config, self.repo.remote) if self.repo else (self.url, self.options)
