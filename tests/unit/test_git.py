"""Git, the only door: real repositories, shallow clones and refusals."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from runner.errors import Exit, GitError
from runner.git import Git, as_header

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.environment import Program

GONE = "1234567890" * 4


class Repository:
    """A repository that tests commit to."""

    def __init__(self, root: Path, program: Program) -> None:
        self.root = root
        self.program = program
        root.mkdir()
        self("init", "-q")

    def __call__(self, *arguments: str) -> str:
        return self.program(*arguments, cwd=self.root).stdout.strip()

    def commit(self, message: str, **files: str) -> str:
        for name, text in files.items():
            path = self.root / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self("add", "-A")
        self("commit", "-q", "--allow-empty", "-m", message)
        return self("rev-parse", "HEAD")

    def clone(self, place: Path, *options: str) -> Path:
        self("clone", "-q", *options, f"file://{self.root}", str(place))
        return place


@pytest.fixture
def repository(tmp_path: Path, git: Program) -> Repository:
    return Repository(tmp_path / "repository", git)


Opened = Callable[[Path], Git]


@pytest.fixture
def opened(environ: dict[str, str]) -> Iterator[Opened]:
    """Open repositories, and close them at the end."""
    handles: list[Git] = []

    def open_at(place: Path) -> Git:
        handles.append(Git.discover(place, environ))
        return handles[-1]

    yield open_at
    for handle in handles:
        handle.close()


def test_a_repository_is_found_from_any_folder_inside_it(repository: Repository, opened: Opened) -> None:
    repository.commit("one", deep__er__file="x")
    assert opened(repository.root / "deep" / "er").root == repository.root.resolve()


def test_outside_a_repository_the_error_says_so(tmp_path: Path, environ: dict[str, str]) -> None:
    with pytest.raises(GitError, match="not inside a git work tree") as caught:
        Git.discover(tmp_path, {**environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)})
    assert caught.value.exit_code == Exit.GIT


def test_a_folder_of_another_user_gives_the_command_that_trusts_it(
    repository: Repository, environ: dict[str, str]
) -> None:
    distrusting = {**environ, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    with pytest.raises(GitError, match="belongs to another user") as caught:
        Git.discover(repository.root, distrusting).head()
    assert caught.value.hint == f"git config --global --add safe.directory {repository.root}"


def test_without_git_the_error_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="cannot be started") as caught:
        Git.discover(tmp_path, {"PATH": str(tmp_path)})
    assert "install git" in caught.value.hint


def test_revisions_of_every_form_resolve_to_ids(repository: Repository, opened: Opened) -> None:
    first = repository.commit("one")
    repository("tag", "-a", "-m", "x", "v1")
    second = repository.commit("two")
    git = opened(repository.root)
    assert git.head() == second
    assert [git.resolve(rev) for rev in ("HEAD~1", "v1", first[:10], "main", "refs/heads/main")] == [
        first,
        first,
        first,
        second,
        second,
    ]


def test_branches_tags_and_commits_are_listed(repository: Repository, opened: Opened) -> None:
    first = repository.commit("one", a="1")
    repository("tag", "v1")
    repository("branch", "feature/x")
    second = repository.commit("two", b="1")
    repository("checkout", "-q", "--detach")
    third = repository.commit("three", a="2")
    git = opened(repository.root)
    assert git.branches() == ["feature/x", "main"]
    assert git.tags() == ["v1"]
    assert set(git.commits()) == {first, second, third}
    assert git.commits("b") == [second]


@pytest.mark.parametrize(
    "rev", ["nope", "HEAD~9", GONE, "", "-x", "a b", "HEAD\nHEAD", "^HEAD", "HEAD:dvc.yaml", "main..main"]
)
def test_what_names_no_commit_is_refused_with_how_to_fetch_it(rev: str, repository: Repository, opened: Opened) -> None:
    repository.commit("one", dvc_yaml="x")
    with pytest.raises(GitError, match="knows no commit") as caught:
        opened(repository.root).resolve(rev)
    assert "fetch-depth: 0" in caught.value.hint


def test_a_repository_without_commits_says_so(repository: Repository, opened: Opened) -> None:
    with pytest.raises(GitError) as caught:
        opened(repository.root).head()
    assert caught.value.hint == "the repository has no commit yet"


def test_files_are_shown_as_they_were_at_a_revision(repository: Repository, opened: Opened) -> None:
    first = repository.commit("one", dvc_yaml="old\r\n", sub__a="")
    repository.commit("two", dvc_yaml="new")
    git = opened(repository.root)
    assert git.show(first, "dvc.yaml") == b"old\r\n"
    assert git.show("HEAD", "dvc.yaml") == b"new"
    assert git.show("HEAD", "sub/a") == b""
    assert git.show("HEAD", "nope") is None
    assert git.show("HEAD", "sub") is None
    assert git.show("HEAD", "dvc.yaml/x") is None
    assert git.show("HEAD", "dvc.yaml") == b"new"


def test_showing_at_an_unknown_revision_is_an_error_not_an_absent_file(repository: Repository, opened: Opened) -> None:
    repository.commit("one", a="x")
    with pytest.raises(GitError):
        opened(repository.root).show(GONE, "a")


def test_a_large_binary_file_is_shown_whole(repository: Repository, opened: Opened) -> None:
    content = os.urandom(3_000_000)
    (repository.root / "big").write_bytes(content)
    repository.commit("one")
    assert opened(repository.root).show("HEAD", "big") == content


ODD = ["a b", "größe", "tab\there", 'quo"te', "back\\slash", "日本語/x", "[glob]*", "-dash", ":colon"]


def test_odd_names_are_listed_and_shown(repository: Repository, opened: Opened) -> None:
    for name in ODD:
        (repository.root / name).parent.mkdir(exist_ok=True)
        (repository.root / name).write_text(name)
    head = repository.commit("odd")
    git = opened(repository.root)
    assert set(git.files("HEAD")) == set(ODD)
    assert [git.show(head, name) for name in ODD] == [name.encode() for name in ODD]
    assert git.tracked([*ODD, "other"]) == set(ODD)


def test_dvc_files_are_listed_unless_an_ignore_file_names_them(repository: Repository, opened: Opened) -> None:
    repository.commit("one", dvc_yaml="", a_dvc="", sub__b_dvc="", sub__dvc_yaml="", other_yaml="", gone_dvc="")
    repository.commit("tracked all the same", ignored_dvc="", data__c_dvc="")
    (repository.root / ".gitignore").write_text("/ignored.dvc\n/data\n/sub/dvc.lock\n")
    (repository.root / "new x.dvc").write_text("")
    (repository.root / "link.dvc").symlink_to("a.dvc")
    (repository.root / "folder.dvc").mkdir()
    (repository.root / "gone.dvc").unlink()
    listed = opened(repository.root).listed(repository.root)
    assert sorted(listed.files) == ["a.dvc", "dvc.yaml", "link.dvc", "new x.dvc", "sub/b.dvc", "sub/dvc.yaml"]
    assert listed.ignored_locks == {"sub/dvc.lock"}
    assert sorted(opened(repository.root).listed(repository.root / "sub").files) == ["b.dvc", "dvc.yaml"]


def test_dvc_files_of_repositories_inside_are_listed(repository: Repository, opened: Opened, tmp_path: Path) -> None:
    other = Repository(tmp_path / "other", repository.program)
    other.commit("one", deep__x_dvc="", ignored__y_dvc="", _gitignore="/ignored\n")
    repository("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.root), "module")
    repository("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.root), "project")
    repository("clone", "-q", str(other.root), "clone")
    (repository.root / "project" / ".dvc").mkdir()
    listed = opened(repository.root).listed(repository.root)
    assert sorted(listed.files) == ["clone/deep/x.dvc", "module/deep/x.dvc"]


def test_every_file_of_a_revision_is_listed_also_from_a_folder(repository: Repository, opened: Opened) -> None:
    repository.commit("one", a="1", sub__b="2", sub__deep__c="3")
    (repository.root / "later").write_text("x")
    assert opened(repository.root / "sub").files("HEAD") == ["a", "sub/b", "sub/deep/c"]


def test_tracked_are_files_of_the_index_and_folders_that_hold_one(repository: Repository, opened: Opened) -> None:
    repository.commit("one", data__x="1", file="2")
    (repository.root / "new").write_text("x")
    repository("add", "new")
    (repository.root / "untracked").write_text("x")
    git = opened(repository.root)
    paths = ["data", "data/x", "file", "new", "untracked", "dat", "data/", "fil", "gone"]
    assert git.tracked(paths) == {"data", "data/x", "file", "new"}
    assert git.tracked([]) == set()


def test_ignored_are_paths_that_a_gitignore_matches(repository: Repository, opened: Opened) -> None:
    repository.commit("one", sub__kept="x")
    (repository.root / ".gitignore").write_text("/model\n*.tmp\n")
    (repository.root / "sub" / ".gitignore").write_text("/data\n!keep.tmp\n")
    git = opened(repository.root)
    paths = ["model", "sub/model", "a.tmp", "sub/data", "sub/keep.tmp", "sub/data/x", "größe.tmp", "plain"]
    assert git.ignored(paths) == {"model", "a.tmp", "sub/data", "sub/data/x", "größe.tmp"}
    assert git.ignored(["plain"]) == set()
    (repository.root / "link").symlink_to("sub")
    assert git.ignored(["link/data", "link/deep/data", "model"]) == {"model"}
    assert git.ignored([]) == set()


def test_the_branch_is_empty_where_head_is_detached(repository: Repository, opened: Opened) -> None:
    repository.commit("one")
    git = opened(repository.root)
    assert git.branch() == "main"
    repository("checkout", "-q", "--detach")
    assert git.branch() == ""


def test_the_default_branch_is_what_the_remote_calls_its_head(
    repository: Repository, opened: Opened, tmp_path: Path
) -> None:
    repository.commit("one")
    repository("branch", "-m", "develop")
    assert opened(repository.clone(tmp_path / "clone")).default_branch() == "develop"
    assert opened(repository.root).default_branch() == ""
    repository("branch", "master")
    assert opened(repository.root).default_branch() == "master"


def test_commits_tell_their_parents_and_subject(repository: Repository, opened: Opened) -> None:
    first = repository.commit("A subject\nof two lines\n\nAnd a body: größe")
    repository("checkout", "-q", "-b", "side")
    side = repository.commit("side")
    repository("checkout", "-q", "main")
    main = repository.commit("main")
    repository("merge", "-q", "--no-ff", "-m", "merge", "side")
    git = opened(repository.root)
    assert git.parents("HEAD") == (main, side)
    assert git.parents(first) == ()
    assert git.subject(first) == "A subject of two lines"
    assert git.subject("HEAD") == "merge"


def test_the_merge_base_is_the_best_common_ancestor(repository: Repository, opened: Opened) -> None:
    repository.commit("one")
    fork = repository.commit("two")
    repository("checkout", "-q", "-b", "side")
    repository.commit("side")
    repository("checkout", "-q", "main")
    repository.commit("three")
    git = opened(repository.root)
    assert git.merge_base("main", "side") == fork
    assert git.merge_base(fork, "side") == fork


def test_unrelated_histories_have_no_merge_base(repository: Repository, opened: Opened) -> None:
    repository.commit("one", a="1")
    repository("checkout", "-q", "--orphan", "other")
    repository.commit("other")
    git = opened(repository.root)
    assert git.merge_base("main", "other") is None
    assert git.meet(git.resolve("main"), git.resolve("other"), "origin") is None


def long_history(repository: Repository, commits: int) -> tuple[str, str, str]:
    """Make two branches that fork `commits` before the tip of main; give fork, main and side."""
    fork = repository.commit("fork")
    repository("branch", "side")
    for number in range(commits):
        repository.commit(f"main {number}")
    main = repository("rev-parse", "HEAD")
    repository("checkout", "-q", "side")
    side = repository.commit("side")
    return fork, main, side


def test_a_shallow_clone_knows_that_it_is_and_names_parents_it_lacks(
    repository: Repository, opened: Opened, tmp_path: Path
) -> None:
    first = repository.commit("one")
    repository.commit("two")
    git = opened(repository.clone(tmp_path / "clone", "--depth=1"))
    assert git.is_shallow()
    assert not opened(repository.root).is_shallow()
    assert git.parents("HEAD") == (first,)
    with pytest.raises(GitError):
        git.resolve(first)


def test_the_meeting_point_is_fetched_step_by_step_and_no_deeper(
    repository: Repository, opened: Opened, tmp_path: Path
) -> None:
    repository.commit("far past")
    for number in range(20):
        repository.commit(f"past {number}")
    fork, main, side = long_history(repository, 6)
    git = opened(repository.clone(tmp_path / "clone", "--depth=1", "--branch=side"))
    assert git.head() == side
    assert git.meet(side, main, "origin", steps=(2, 10)) == fork
    assert git.is_shallow()
    assert git.resolve(main) == main


def test_history_is_fetched_whole_where_no_step_reaches(repository: Repository, opened: Opened, tmp_path: Path) -> None:
    fork, main, side = long_history(repository, 6)
    git = opened(repository.clone(tmp_path / "clone", "--depth=1", "--branch=side"))
    assert git.meet(side, main, "origin", steps=(2,)) == fork
    assert not git.is_shallow()


def test_a_complete_clone_is_not_made_shallow_by_fetching(
    repository: Repository, opened: Opened, tmp_path: Path
) -> None:
    first = repository.commit("one")
    repository.commit("two")
    git = opened(repository.clone(tmp_path / "clone"))
    later = repository.commit("three")
    git.deepen("origin", [later], 1)
    assert git.resolve(later) == later
    assert git.resolve(first) == first
    assert not git.is_shallow()


def test_objects_fetched_after_the_first_question_are_seen(
    repository: Repository, opened: Opened, tmp_path: Path
) -> None:
    repository.commit("one")
    git = opened(repository.clone(tmp_path / "clone", "--depth=1"))
    later = repository.commit("two", a="new")
    with pytest.raises(GitError):
        git.show(later, "a")
    git.deepen("origin", [later], 1)
    assert git.show(later, "a") == b"new"


def test_a_commit_that_the_remote_does_not_have_is_an_error_with_a_hint(
    repository: Repository, opened: Opened, tmp_path: Path
) -> None:
    repository.commit("one")
    git = opened(repository.clone(tmp_path / "clone", "--depth=1"))
    with pytest.raises(GitError, match="git fetch failed") as caught:
        git.deepen("origin", [GONE], 5)
    assert "fetch-depth: 0" in caught.value.hint


def test_a_remote_whose_name_looks_like_an_option_is_not_one(repository: Repository, opened: Opened) -> None:
    repository.commit("one")
    with pytest.raises(GitError):
        opened(repository.root).deepen("--upload-pack=touch owned", ["main"], 1)
    assert not (repository.root / "owned").exists()


def test_one_process_answers_many_questions_and_ends_with_close(
    repository: Repository, environ: dict[str, str]
) -> None:
    head = repository.commit("one", **{f"f{number}": str(number) for number in range(50)})
    with Git.discover(repository.root, environ) as git:
        assert [git.show(head, f"f{number}") for number in range(50)] == [str(n).encode() for n in range(50)]
        process = git._batch
        assert process is not None
        assert process.poll() is None
    assert process.poll() == 0
    assert git.show(head, "f7") == b"7"
    git.close()


def test_a_damaged_repository_is_an_error_not_a_hang(repository: Repository, opened: Opened) -> None:
    repository.commit("one", a="x")
    git = opened(repository.root)
    shutil.rmtree(repository.root / ".git" / "objects")
    with pytest.raises(GitError):
        git.show("HEAD", "a")


def test_the_environment_given_is_the_one_git_sees(repository: Repository, environ: dict[str, str]) -> None:
    repository.commit("one", a="x")
    elsewhere = {**environ, "GIT_DIR": str(repository.root / "nowhere")}
    with pytest.raises(GitError):
        Git(repository.root, elsewhere).head()


def test_a_token_is_shown_to_its_host_alone_once_and_in_place_of_what_the_checkout_left(
    repository: Repository, environ: dict[str, str]
) -> None:
    seen: list[list[str]] = []

    class Host(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get_all("Authorization") or [])
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Keep the tests' output quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as host:
        Thread(target=host.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        server = f"http://127.0.0.1:{host.server_port}"
        repository("config", f"http.{server}/.extraheader", "AUTHORIZATION: basic left")
        for shown in (as_header(f"{server}/", "secret"), as_header("https://github.com", "secret")):
            with Git(repository.root, {**environ, **shown}) as git, pytest.raises(GitError) as caught:
                git.deepen(f"{server}/o/n", ("1" * 40,), 1)
            assert "secret" not in str(caught.value)
        host.shutdown()
    ours = base64.b64encode(b"x-access-token:secret").decode()
    assert seen == [[f"basic {ours}"], ["basic left"]]
    assert "secret" not in (repository.root / ".git" / "config").read_text()


def test_a_work_tree_of_its_own_is_gone_afterwards_and_runs_no_hook(repository: Repository, opened: Opened) -> None:
    first = repository.commit("one", a="1")
    repository.commit("two", a="2")
    hook = repository.root / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch ../hooked\n")
    hook.chmod(0o755)
    place = repository.root.parent / "beside"
    git = opened(repository.root)
    with git.work_tree(first, place):
        assert (place / "a").read_text() == "1"
        (place / "junk").write_text("left")
    assert not place.exists()
    assert repository("worktree", "list").count("\n") == 0
    assert not list(repository.root.parent.glob("**/hooked"))
