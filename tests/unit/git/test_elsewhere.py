"""Other git repositories: asked and fetched from with real git."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from runner.errors import GitError, RemoteError
from runner.git import history
from runner.git.elsewhere import Elsewhere, guarded
from tests.support import web

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.environment import Program


@pytest.fixture
def elsewhere(tmp_path: Path, git: Program) -> Path:
    """Another repository: two commits on main, a branch and an annotated tag at the first."""
    place = tmp_path / "elsewhere"
    git("init", "-q", "-b", "main", str(place), cwd=tmp_path)
    for text in ("one", "two"):
        (place / "file").write_text(text)
        git("add", "-A", cwd=place)
        git("commit", "-q", "-m", text, cwd=place)
    git("branch", "old", "HEAD~1", cwd=place)
    git("tag", "-a", "v1", "-m", "one", "HEAD~1", cwd=place)
    return place


def test_another_repository_is_asked_for_the_commit_of_a_name(
    elsewhere: Path, tmp_path: Path, git: Program, environ: dict[str, str]
) -> None:
    first, second = git("rev-list", "--reverse", "main", cwd=elsewhere).stdout.split()
    with Elsewhere(tmp_path / "bare", str(elsewhere), environ) as here:
        asked = {rev: here.tip(rev) for rev in ("", "main", "old", "v1", "nope")}
    assert asked == {"": second, "main": second, "old": first, "v1": first, "nope": ""}


@pytest.mark.parametrize("left", ["config.lock", "HEAD.lock", "objects/pack/none"])
def test_a_folder_that_git_was_killed_while_making_is_made_anew(
    elsewhere: Path, tmp_path: Path, environ: dict[str, str], left: str
) -> None:
    (tmp_path / "repos/bare" / left).parent.mkdir(parents=True)
    (tmp_path / "repos/bare" / left).touch()
    with Elsewhere(tmp_path / "repos/bare", str(elsewhere), environ) as here:
        here.take_all()
        assert here.tip("main")
    assert [path.name for path in (tmp_path / "repos").iterdir()] == ["bare"]


def test_several_may_begin_one_folder_at_once(elsewhere: Path, tmp_path: Path, environ: dict[str, str]) -> None:
    def tip(_: int) -> str:
        with Elsewhere(tmp_path / "repos/bare", str(elsewhere), environ) as here:
            return here.tip("main")

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(tip, range(8)))) == 1
    assert [path.name for path in (tmp_path / "repos").iterdir()] == ["bare"]


def test_one_commit_of_another_repository_is_taken_without_its_history(
    elsewhere: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    with Elsewhere(tmp_path / "bare", elsewhere.as_uri(), environ) as here:
        tip = here.tip("main")
        here.take(tip)
        assert here.show(tip, "file") == b"two"
        assert here.is_shallow()
        here.take_all()
        assert here.show("v1", "file") == b"one"
        assert not here.is_shallow()


@pytest.mark.parametrize("word", ["--upload-pack=touch {0}; git-upload-pack", "+refs/heads/old:refs/heads/{1}", "-q"])
def test_a_recorded_commit_is_never_an_option_nor_a_refspec_of_git(
    word: str, elsewhere: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    ran = tmp_path / "ran"
    with Elsewhere(tmp_path / "bare", str(elsewhere), environ) as here:
        commit = word.format(ran, "mine")
        here.take(commit)
        with pytest.raises(GitError, match="git knows no commit"):
            here.resolve(commit)
        assert history.branches(here) == []
        assert here.tip(commit) == ""
    assert not ran.exists()


def test_a_repository_that_is_not_there_is_told(tmp_path: Path, environ: dict[str, str]) -> None:
    none = str(tmp_path / "none")
    with Elsewhere(tmp_path / "bare", none, environ) as here, pytest.raises(GitError, match="git ls-remote failed"):
        here.tip("")


def test_a_password_in_a_url_is_no_argument_of_any_program(tmp_path: Path, environ: dict[str, str]) -> None:
    trace = tmp_path / "trace"
    with web.serve() as site:
        url = site.url.replace("://", "://me:s%40cret@") + "/x.git"
        here = Elsewhere(tmp_path / "bare", url, {**environ, "GIT_TRACE": str(trace)})
        with pytest.raises(GitError) as caught:
            here.tip("")
    assert site.headers[0]["Authorization"] == f"Basic {base64.b64encode(b'me:s@cret').decode()}"
    assert "remote-http" in trace.read_text()
    assert "cret" not in trace.read_text()
    assert "cret" not in str(caught.value)


def test_a_stranger_is_asked_at_the_address_that_was_checked_and_sees_no_credentials(environ: dict[str, str]) -> None:
    asked: list[tuple[str, int]] = []

    def address(host: str, port: int) -> str:
        asked.append((host, port))
        return "192.0.2.7"

    given = {**environ, "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.extraHeader", "GIT_CONFIG_VALUE_0": "secret"}
    found = guarded("https://h/x.git", {**given, "TOKEN": "secret", "HTTPS_PROXY": "http://p"}, address)
    assert asked == [("h", 443)]
    assert "h:443:192.0.2.7" in found.values()
    assert "secret" not in " ".join(found.values())
    assert "HTTPS_PROXY" not in found


@pytest.mark.parametrize("url", ["http://h/x", "file:///x", "/x", "../x", "ssh://h/x", "git@h:x", "ext::sh -c x", "-x"])
def test_a_stranger_is_asked_over_https_only(url: str) -> None:
    with pytest.raises(RemoteError, match="named by this pull request only"):
        guarded(url, {}, lambda _host, _port: "192.0.2.7")


def test_a_commit_that_no_branch_leads_to_is_not_taken_for_a_stranger(
    elsewhere: Path, tmp_path: Path, git: Program, environ: dict[str, str]
) -> None:
    git("checkout", "-q", "--detach", cwd=elsewhere)
    git("commit", "-q", "--allow-empty", "-m", "of a fork", cwd=elsewhere)
    lost = git("rev-parse", "HEAD", cwd=elsewhere).stdout.strip()
    git("update-ref", "refs/pull/1/head", lost, cwd=elsewhere)
    git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=elsewhere)
    with Elsewhere(tmp_path / "bare", elsewhere.as_uri(), environ) as here:
        here.take(lost)
        assert here.resolve(lost) == lost
        with pytest.raises(GitError, match="no branch and no tag of that repository leads to"):
            here.take_named(lost)
        here.take_named(here.tip("old"))
