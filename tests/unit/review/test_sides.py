"""Metrics and params of both sides: from git, from the working tree, and by hash where neither holds the file."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from runner.git import Git
from runner.review import sides
from runner.review.metrics import Unreadable
from tests.support.pipelines import Workshop, finished, workshop

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

PIPELINE = """\
stages:
  fit:
    cmd: sh fit.sh
    deps: [fit.sh]
    params: [rate, {conf/more.json: [k]}]
    outs:
    - folder
    - model
    metrics:
    - plain.json: {cache: false}
    - cached.json
    - many
"""
FIT = """\
mkdir folder many
echo '{"a": 1}' > plain.json
echo '{"a": 2}' > cached.json
echo '{"a": 3}' > folder/inside.json
echo '{"a": 4}' > many/one.json
echo '{"a": 5}' > many/two.json
echo model > model
"""
FILES = {"fit.sh": FIT, "params.yaml": "rate: 1\n", "conf/more.json": '{"k": 1}'}
ALL = ["plain.json", "cached.json", "folder/inside.json", "many/one.json", "many/two.json"]
VALUES = {path: {"a": number} for number, path in enumerate(ALL, 1)}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return finished(tmp_path_factory.mktemp("sides"), PIPELINE, FILES)


@pytest.fixture
def made(kept: Workshop, tmp_path: Path) -> Workshop:
    return Workshop(shutil.copytree(kept.root.parent, tmp_path / "place", symlinks=True) / "root", kept.environ)


def at(made: Workshop, paths: Iterable[str], rev: str = "HEAD") -> dict[str, object]:
    """Give the documents of a commit, as a clone that has it sees them."""
    opened = made.open()
    side = sides.committed(opened.git, opened.prefix, made.git("rev-parse", rev), opened.project.objects)
    documents = side.documents(paths)
    opened.close()
    return documents


def here(made: Workshop, paths: Iterable[str]) -> dict[str, object]:
    opened = made.open()
    side = sides.working(opened.root, opened.project.pipeline, opened.project.objects)
    documents = side.documents(paths)
    opened.close()
    return documents


def names(made: Workshop, rev: str = "") -> tuple[list[str], list[str]]:
    """Give the metrics files and the params files of a commit, or of the working tree."""
    opened = made.open()
    pipeline, objects = opened.project.pipeline, opened.project.objects
    side = sides.committed(opened.git, "", made.git("rev-parse", rev), objects) if rev else None
    side = side or sides.working(opened.root, pipeline, objects)
    told = side.metrics_files(), list(side.params_keys())
    opened.close()
    return told


METRICS = (["cached.json", "many/one.json", "many/two.json", "plain.json"], ["conf/more.json", "params.yaml"])


@pytest.mark.parametrize("rev", ["", "HEAD"])
def test_both_sides_say_what_their_stages_declare(rev: str, made: Workshop) -> None:
    assert names(made, rev) == METRICS


@pytest.mark.parametrize("rev", ["", "HEAD"])
def test_also_in_a_fresh_clone_from_listings(rev: str, made: Workshop) -> None:
    assert names(made.clone("clone"), rev) == METRICS


def test_what_git_holds_and_what_only_the_lock_names_is_read_alike(made: Workshop) -> None:
    assert at(made, ALL) == VALUES
    assert at(made.clone("clone"), ALL) == VALUES


def test_one_file_of_a_directory_is_fetched_and_not_the_directory(made: Workshop) -> None:
    clone = made.clone("clone")
    assert at(clone, ["many/one.json"]) == {"many/one.json": {"a": 4}}
    objects = [place for place in (clone.root / ".dvc" / "cache" / "files").rglob("*") if place.is_file()]
    assert len(objects) == 2, "the listing and the file"


def test_the_working_tree_comes_before_what_the_lock_says(made: Workshop) -> None:
    made.put({"cached.json": '{"a": 9}'})
    assert here(made, ["cached.json", "plain.json"]) == {"cached.json": {"a": 9}, "plain.json": {"a": 1}}
    assert here(made.clone("clone"), ALL) == VALUES


def test_the_base_is_read_as_it_was(made: Workshop) -> None:
    made.put({"fit.sh": FIT.replace("2}", "20}").replace("1}", "10}")})
    made.repro()
    made.commit()
    assert at(made, ["plain.json", "cached.json"]) == {"plain.json": {"a": 10}, "cached.json": {"a": 20}}
    assert at(made, ["plain.json", "cached.json"], "HEAD~1") == {"plain.json": {"a": 1}, "cached.json": {"a": 2}}


def test_a_file_that_was_renamed_since_is_absent_at_the_base(made: Workshop) -> None:
    made.put({"dvc.yaml": PIPELINE.replace("plain.json", "new.json"), "fit.sh": FIT.replace("plain.json", "new.json")})
    made.repro()
    made.commit()
    assert at(made, ["new.json"], "HEAD~1") == {}
    assert at(made, ["new.json"]) == {"new.json": {"a": 1}}


def test_what_nobody_has_is_unreadable_and_says_so(made: Workshop) -> None:
    made.lose("cached.json")
    told = at(made.clone("clone"), ["cached.json", "nowhere.json"])
    assert isinstance(told["cached.json"], Unreadable)
    assert "neither in the cache nor in the remote" in str(told["cached.json"])
    assert "nowhere.json" not in told


@pytest.mark.parametrize(
    "files",
    [
        {"dvc.yaml": "stages: [\n"},
        {"dvc.yaml": b"\xff\xfe"},
        {"dvc.lock": "<<<<<<< ours\n"},
        {"x.dvc": "outs: 1\n"},
    ],
)
def test_a_base_whose_dvc_files_are_broken_still_gives_what_git_holds(
    files: Mapping[str, str | bytes], made: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    before = {name: (made.root / name).read_bytes() if (made.root / name).exists() else None for name in files}
    made.put(files)
    made.commit("broken")
    made.put(before)
    made.commit("mended")
    assert at(made, ["plain.json", "cached.json"], "HEAD~1") == {"plain.json": {"a": 1}}
    assert "cannot be read, so only what git holds of it is looked at" in caplog.text


def test_a_base_before_dvc_gives_what_git_holds(tmp_path: Path) -> None:
    made = workshop(tmp_path, "", {"m.json": '{"a": 1}', ".dvcignore": ""})
    made.put({"dvc.yaml": "stages: {}\n"})
    made.commit()
    assert at(made, ["m.json"], "HEAD~1") == {"m.json": {"a": 1}}
    assert at(made, ["m.json"]) == {"m.json": {"a": 1}}


def test_what_dvc_does_not_see_is_no_part_of_a_base(tmp_path: Path) -> None:
    broken = {"nested/.dvc/config": "", "nested/dvc.yaml": "- broken", "old/dvc.yaml": "- broken"}
    seen = {"dvc.yaml": "stages:\n  a: {cmd: x, metrics: [m.json]}\n", "m.json": '{"a": 1}'}
    made = workshop(tmp_path, "", {".dvcignore": "old/\n", **broken, **seen})
    with Git(made.root, made.environ) as opened:
        assert sides.committed(opened, "", opened.head(), None).metrics_files() == ["m.json"]


def test_a_project_in_a_folder_of_its_repository_is_read_there(tmp_path: Path) -> None:
    made = workshop(tmp_path, "", {"m.json": '{"a": 1}', "deep/m.json": '{"a": 2}', "deep/dvc.yaml": "stages: {}\n"})
    with Git(made.root, made.environ) as opened:
        side = sides.committed(opened, "deep/", opened.head(), None)
        assert side.documents(["m.json"]) == {"m.json": {"a": 2}}


def test_without_objects_cached_files_are_absent(made: Workshop) -> None:
    with Git(made.root, made.environ) as opened:
        side = sides.committed(opened, "", opened.head(), None)
        assert side.documents(ALL) == {"plain.json": {"a": 1}}
        assert side.metrics_files() == ["cached.json", "many", "plain.json"]


BESIDE = """\
params: [conf.toml]
metrics: [git.json, cached.json, folder, kept/]
"""
SUB = "params: [p.py]\nmetrics: [m.csv, ../plain.json]\n"
MORE = {
    "conf.toml": "a = 1\n",
    "git.json": '{"g": 1}',
    "kept/deep/one.yaml": "k: 1\n",
    "sub/dvc.yaml": SUB,
    "sub/m.csv": "acc\n0.5\n",
    "sub/p.py": "class C:\n  b = (1, 2)\n",
}
DECLARED = ["cached.json", "folder/inside.json", "git.json", "kept/deep/one.yaml", "plain.json", "sub/m.csv"]


@pytest.mark.parametrize("rev", ["", "HEAD"])
def test_files_declared_beside_stages_count_too_on_both_sides_and_in_a_fresh_clone(rev: str, made: Workshop) -> None:
    made.put({"dvc.yaml": PIPELINE + BESIDE, **MORE})
    made.commit()
    for place in (made, made.clone("clone")):
        metrics, params = names(place, rev)
        assert metrics == sorted({*DECLARED, *METRICS[0]})
        assert params == ["conf.toml", *METRICS[1], "sub/p.py"]
        found = at(place, [*DECLARED, *params]) if rev else here(place, [*DECLARED, *params])
        assert found["folder/inside.json"] == {"a": 3}
        assert found["git.json"] == {"g": 1}
        assert found["kept/deep/one.yaml"] == {"k": 1}
        assert found["sub/m.csv"] == [{"acc": 0.5}]
        assert found["sub/p.py"] == {"C": {"b": [1, 2]}}


def refused(made: Workshop, path: str) -> str:
    found = here(made, [path])[path]
    assert isinstance(found, Unreadable)
    return found.why


def test_a_file_outside_of_the_project_is_not_read(made: Workshop) -> None:
    secret = made.root.parent / "config.json"
    secret.write_text('{"auth": 1}')
    (made.root / "link.json").symlink_to(secret)
    (made.root / "twice.json").symlink_to("link.json")
    (made.root / "out").symlink_to(made.root.parent)
    (made.root / "git.json").symlink_to(".git/config")
    (made.root / "dvc.json").symlink_to(".dvc/config")
    for path in ("link.json", "twice.json", "git.json", "dvc.json"):
        assert refused(made, path) == "is a link to a place outside the project"
    for path in ("out/config.json", "../config.json", str(secret), ".git/config"):
        assert refused(made, path) == "is outside the project"


def test_links_inside_the_project_and_into_the_cache_are_read(made: Workshop) -> None:
    (made.root / "link.json").symlink_to("plain.json")
    outside = made.root.parent / "cache"
    (made.root / ".dvc" / "cache").rename(outside)
    made.put({".dvc/config": made.read(".dvc/config") + f"[cache]\n    dir = {outside}\n"})
    key = made.recorded("cached.json").key
    (made.root / "cached.json").unlink()
    (made.root / "cached.json").symlink_to(outside / key)
    assert here(made, ["link.json", "cached.json"]) == {"link.json": {"a": 1}, "cached.json": {"a": 2}}


def test_what_cannot_be_read_is_unreadable_with_its_reason(made: Workshop) -> None:
    os.mkfifo(made.root / "pipe.json")
    (made.root / "itself.json").symlink_to("itself.json")
    assert refused(made, "pipe.json") == "is not a regular file"
    assert "cannot be read: " in refused(made, "itself.json")
    assert refused(made, "x" * 300 + ".json") == "cannot be read: File name too long"
    assert "cannot be read: " in refused(made, "nul\0.json")


def test_a_directory_of_metrics_that_leads_outside_names_nothing_there(made: Workshop) -> None:
    outside = made.root.parent / "many"
    outside.mkdir()
    (outside / "secret.json").write_text("{}")
    shutil.rmtree(made.root / "many")
    (made.root / "many").symlink_to(outside)
    assert "many/secret.json" not in names(made)[0]
    shutil.rmtree(made.root / "folder")
    (made.root / "many").unlink()
    (made.root / "many").mkdir()
    (made.root / "many" / "deep").symlink_to(outside)
    assert "many/deep/secret.json" not in names(made)[0]


@pytest.mark.parametrize("rev", ["", "HEAD"])
def test_the_root_s_params_yaml_counts_whole_and_of_others_the_keys_that_stages_name(rev: str, made: Workshop) -> None:
    made.put({"params.yaml": "rate: 1\nunused: 2\n", "conf/more.json": '{"k": 1, "unused": 2}'})
    made.commit()
    with made.opened() as opened:
        here = sides.working(opened.root, opened.project.pipeline, None)
        side = sides.committed(opened.git, "", opened.git.resolve(rev), None) if rev else here
        assert side.params() == {"conf/more.json": {"k": 1}, "params.yaml": {"rate": 1, "unused": 2}}
        assert side.params(deps_only=True) == {"conf/more.json": {"k": 1}, "params.yaml": {"rate": 1}}
        assert side.params(["conf"]) == {"conf/more.json": {"k": 1, "unused": 2}}


def test_a_declared_file_that_is_nowhere_is_unreadable(made: Workshop) -> None:
    made.put({"params.yaml": None, "plain.json": None})
    made.lose("plain.json")
    with made.opened() as opened:
        side = sides.working(opened.root, opened.project.pipeline, opened.project.objects)
        assert side.params()["params.yaml"] == Unreadable("does not exist")
        assert isinstance(side.metrics()["plain.json"], Unreadable)
        assert side.metrics(["many"]) == {"many/one.json": {"a": 4}, "many/two.json": {"a": 5}}
