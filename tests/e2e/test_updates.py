"""`retrain update` and imports from a server, as a user and a pull request meet them."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from tests.support import web
from tests.support.project import FILES, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.environment import Program
    from tests.support.job import Job
    from tests.support.web import Site

    PullRequest = Callable[..., Job]

pytestmark = pytest.mark.slow


@pytest.fixture
def site() -> Iterator[Site]:
    with web.serve() as found:
        yield found


def imported(site: Site, name: str, *, frozen: bool = True, recorded: bytes = b"") -> dict[str, str]:
    """Give the .dvc file of an import that was never taken in, or held `recorded` when it was."""
    etag = hashlib.md5(recorded).hexdigest()
    dep = f"- checksum: '\"{etag}\"'\n  size: {len(recorded)}\n  hash: md5\n" if recorded else "- hash: md5\n"
    out = f"- md5: {etag}\n  size: {len(recorded)}\n  hash: md5\n" if recorded else "- hash: md5\n"
    top = "frozen: true\n" if frozen else ""
    return {f"{name}.dvc": f"# ours\n{top}deps:\n{dep}  path: {site.url}/{name}\nouts:\n{out}  path: {name}\n"}


@pytest.fixture
def imports(tmp_path: Path, git: Program, site: Site) -> Path:
    site.files |= {f"/{name}": name.encode() for name in "abc"}
    git("init", "-q", cwd=tmp_path)
    write(tmp_path, {".dvc/config": "", ".dvc/.gitignore": FILES[".dvc/.gitignore"]})
    for name in "abc":
        write(tmp_path, imported(site, name))
    git("add", "-A", cwd=tmp_path)
    git("commit", "-q", "-m", "Imports", cwd=tmp_path)
    return tmp_path


def test_every_import_is_brought_up_to_date_by_one_plain_command(imports: Path, retrain: Program) -> None:
    done = retrain("update", cwd=imports)
    assert done.stdout.splitlines()[-1] == "3 of 3 imports updated"
    assert [(imports / name).read_text() for name in "abc"] == ["a", "b", "c"]
    text = (imports / "a.dvc").read_text()
    assert text.startswith("# ours\nfrozen: true\ndeps:\n- hash: md5\n")
    assert "etag" not in text
    assert (imports / ".gitignore").read_text() == "/a\n/b\n/c\n"


def test_sources_that_did_not_change_cost_one_request_each(imports: Path, retrain: Program, site: Site) -> None:
    retrain("update", cwd=imports)
    for name in "abc":
        file = imports / f"{name}.dvc"
        file.write_text(file.read_text().replace("frozen: true\n", ""))
    for argv in (["update"], ["plan"], ["repro"], ["run"]):
        site.asked.clear()
        retrain(*argv, cwd=imports)
        assert sorted(site.asked) == [("HEAD", "/a"), ("HEAD", "/b"), ("HEAD", "/c")], argv


def test_a_frozen_import_never_asks_its_source(imports: Path, retrain: Program, site: Site) -> None:
    retrain("update", cwd=imports)
    site.files["/a"] = b"other"
    site.asked.clear()
    for argv in (["plan"], ["repro"], ["pull"], ["stages"]):
        retrain(*argv, cwd=imports)
    assert site.asked == []


def test_what_changed_is_told_and_taken_in(imports: Path, retrain: Program, site: Site) -> None:
    retrain("update", cwd=imports)
    site.files["/a"] = b"other"
    (row,) = json.loads(retrain("update", "a.dvc", "--json", cwd=imports).stdout)
    was, now = (f'"{hashlib.md5(text).hexdigest()}"' for text in (b"a", b"other"))
    assert row == {
        "file": "a.dvc", "out": "a", "source": f"{site.url}/a", "was": was, "now": now, "changed": True, "error": None,
    }  # fmt: skip
    assert (imports / "a").read_text() == "other"


def test_a_plan_says_what_the_source_held_and_holds(imports: Path, retrain: Program, site: Site) -> None:
    write(imports, imported(site, "a", frozen=False, recorded=b"before"))
    lines = retrain("plan", "a.dvc", cwd=imports).stdout
    assert f"source changed {site.url}/a: checksum " in lines


def test_one_source_that_is_gone_keeps_no_other_from_its_update(imports: Path, retrain: Program, site: Site) -> None:
    del site.files["/b"]
    done = retrain("update", cwd=imports, exits=4)
    assert done.stdout.splitlines()[-1] == "2 of 3 imports updated; 1 failed"
    assert f"the source '{site.url}/b' does not exist" in done.stderr
    assert [(imports / name).exists() for name in "abc"] == [True, False, True]


def test_a_source_that_changes_while_it_is_read_leaves_everything_as_it_was(
    imports: Path, retrain: Program, site: Site
) -> None:
    retrain("update", cwd=imports)
    before = {path: path.read_bytes() for path in imports.iterdir() if path.is_file()}
    site.files["/a"] = b"x" * 100_000
    site.unsteady.add("/a")
    done = retrain("update", "a.dvc", cwd=imports, exits=4)
    assert f"{site.url}/a does not hold what was found there any more" in done.stderr
    assert {path: path.read_bytes() for path in imports.iterdir() if path.is_file()} == before
    assert not list((imports / ".dvc" / "cache").rglob("*.tmp"))


def test_edited_data_is_kept_before_it_is_replaced(imports: Path, retrain: Program, site: Site) -> None:
    retrain("update", cwd=imports)
    (imports / "a").write_text("mine")
    site.files["/a"] = b"theirs"
    done = retrain("update", cwd=imports)
    name = hashlib.md5(b"mine").hexdigest()
    assert (imports / ".dvc/cache/files/md5" / name[:2] / name[2:]).read_bytes() == b"mine"
    assert name in done.stderr
    assert (imports / "a").read_text() == "theirs"


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["update", "nope.dvc"], 2, "there is no stage 'nope.dvc'"),
        (["update", "data.dvc"], 2, "data.dvc is no import"),
        (["update", "--rev", "v2", "a.dvc"], 2, "a.dvc is imported from no git repository"),
    ],
)
def test_a_target_that_cannot_be_updated_is_refused(
    argv: list[str], code: int, said: str, imports: Path, retrain: Program
) -> None:
    write(imports, {"data.dvc": "outs:\n- md5: d3b07384d113edec49eaa6238ad5ff00\n  hash: md5\n  path: data\n"})
    assert said in retrain(*argv, cwd=imports, exits=code).stderr


# Pull requests


def test_a_source_that_only_a_pull_request_names_is_not_read_from_this_machine(
    pull_request: PullRequest, retrain: Program, site: Site
) -> None:
    site.files["/secret"] = b"secret"
    job = pull_request(imported(site, "secret", frozen=False))
    done = job.step(retrain, {"command": "plan"}, exits=4)
    assert "is at 127.0.0.1, which is no public address" in done.stderr + done.stdout
    assert site.asked == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("s3://private/secret", "is named by this pull request only"),
        ("/etc/passwd", "is not trusted"),
        ("../../../etc/passwd", "is not trusted"),
    ],
)
def test_a_pull_request_reaches_no_bucket_and_no_file_of_the_machine(
    path: str, said: str, pull_request: PullRequest, retrain: Program
) -> None:
    job = pull_request({"x.dvc": f"deps:\n- path: {path}\n  hash: md5\nouts:\n- path: x\n  hash: md5\n"})
    done = job.step(retrain, {"command": "plan"}, exits=4)
    assert said in done.stderr + done.stdout


@pytest.mark.parametrize(
    "url", ["file:///etc", "../origin", "ext::sh -c 'touch /tmp/pwned'", "git@h:x", "http://127.0.0.1/x.git"]
)
def test_a_pull_request_imports_from_public_https_repositories_only(
    url: str, pull_request: PullRequest, retrain: Program
) -> None:
    text = f'deps:\n- path: x\n  repo:\n    url: "{url}"\nouts:\n- path: x\n  hash: md5\n'
    done = pull_request({"x.dvc": text}).step(retrain, {"command": "plan"}, exits=4)
    assert "is named by this pull request only" in done.stderr + done.stdout
