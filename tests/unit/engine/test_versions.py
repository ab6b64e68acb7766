"""What DVC files say of version-aware remotes."""

from __future__ import annotations

from runner.engine.versions import Versions
from runner.hashes import Hash, Tree
from runner.pipeline import files
from runner.store.place import Place

ONE, TWO, THREE = "1" * 31 + "a", "2" * 31 + "b", "3" * 31 + "c"
NOW = {
    "sub/one.dvc": f"outs:\n- md5: {ONE}\n  hash: md5\n  path: one\n"
    "  cloud:\n    S:\n      version_id: v1\n    t: {etag: e}\n",
    "dir.dvc": "outs:\n- hash: md5\n  path: dir\n  files:\n"
    f"  - {{relpath: a/b, md5: {TWO}, cloud: {{s: {{version_id: v2}}}}}}\n"
    f"  - {{relpath: c, md5: {THREE}, version_id: v3}}\n",
    "plain.dvc": f"outs:\n- md5: {TWO}\n  hash: md5\n  path: plain\n",
}
THEN = {"sub/one.dvc": NOW["sub/one.dvc"].replace(ONE, THREE).replace("v1", "v0")}


def noted(*commits: dict[str, str]) -> Versions:
    versions = Versions()
    for texts in commits:
        versions.note(files.load(texts, texts.get))
    return versions


def test_an_object_is_a_version_of_a_path_in_the_remote_that_was_pushed_to() -> None:
    versions = noted(NOW)
    assert versions.place("s", Hash(ONE).key) == Place("sub/one", "v1")
    assert versions.place("t", Hash(ONE).key) == Place("sub/one", "")
    assert versions.place("other", Hash(ONE).key) is None
    assert versions.place("s", Hash(TWO).key) == Place("dir/a/b", "v2")


def test_a_version_without_a_remote_is_of_any() -> None:
    assert noted(NOW).place("whatever", Hash(THREE).key) == Place("dir/c", "v3")


def test_a_listing_follows_from_the_files() -> None:
    tree = Tree.of([("a/b", TWO), ("c", THREE)])
    assert noted(NOW).listing(tree.hash) == tree
    assert noted(NOW).listing(Hash(f"{ONE}.dir")) is None


def test_other_commits_add_their_versions() -> None:
    versions = noted(NOW, THEN)
    assert versions.place("s", Hash(THREE).key) == Place("sub/one", "v0")
    assert versions.place("s", Hash(ONE).key) == Place("sub/one", "v1")
