"""Imports of every kind, made by real DVC: their sources change, and both sides bring them up to date."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.interop.projects import DVC_GITIGNORE, commit, git, put
from tests.support import s3, web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.interop.oracle import Sides
    from tests.support.s3 import Server
    from tests.support.web import Site

pytestmark = pytest.mark.slow

STAGES = """\
stages:
  count:
    cmd: wc -l < page.csv > count.txt
    deps:
    - page.csv
    - SITE/dep.csv
    - remote://shop/goods/one.txt
    - remote://shop/goods
    outs: [count.txt]
"""


PEEK = """\
stages:
  peek:
    cmd: cat folder/in/y plain/p.txt data.csv > peek.txt
    deps: [folder/in/y, plain/p.txt, data.csv]
    outs: [peek.txt]
"""


@dataclass(frozen=True)
class Imports:
    """A project `first` with imports, and where they come from; copies lie beside it."""

    place: Path
    site: Site
    shop: Server
    sides: Sides

    @property
    def first(self) -> Path:
        return self.place / "first"

    @property
    def origin(self) -> Path:
        return self.place / "origin"

    def copy(self, name: str) -> Path:
        return shutil.copytree(self.first, self.place / name, symlinks=True)

    def written(self, project: Path) -> dict[str, str]:
        """Every .dvc file, lock and .gitignore, and all data."""
        paths = [path for path in project.rglob("*") if path.is_file() and not {".git", ".dvc"} & set(path.parts)]
        return {str(path.relative_to(project)): path.read_text() for path in sorted(paths)}

    def change(self) -> None:
        """Change every source but those named `same`."""
        self.site.files |= {"/page.csv": b"a\nb\nc\n", "/dep.csv": b"new\n"}
        for key, text in {
            "goods/one.txt": "one!",
            "goods/in/three.txt": "3",
            "single.txt": "s!",
            "ver.txt": "v2",
        }.items():
            self.shop.client.put_object(Bucket=s3.BUCKET, Key=key, Body=text.encode())
        put(self.place, {"outside/a.txt": "outside now\n", "outside/b.txt": "more\n"})
        put(self.first, {"local.txt": "local now\n"})
        put(self.origin, {"data.csv": "1\n2\n3\n", "plain/p.txt": "plain now\n", "plain/more.txt": "more\n"})
        (self.origin / "both" / "dvcd.txt").write_text("dvcd now\n")
        self.sides.dvc.run(self.origin, "commit", "--quiet", "--force")
        self.sides.dvc.run(self.origin, "push", "--quiet")
        commit(self.origin, "Newer")


@pytest.fixture(scope="module")
def imports(tmp_path_factory: pytest.TempPathFactory, sides: Sides) -> Iterator[Imports]:
    place = tmp_path_factory.mktemp("imports")
    with web.serve() as site, s3.moto() as shop:
        shop.client.put_bucket_versioning(Bucket=s3.BUCKET, VersioningConfiguration={"Status": "Enabled"})
        found = Imports(place, site, shop, sides)
        _fill(found)
        _import(found)
        yield found


def _fill(imports: Imports) -> None:
    dvc, origin = imports.sides.dvc, imports.origin
    imports.site.files |= {
        "/page.csv": b"a\nb\n",
        "/same.csv": b"same\n",
        "/dep.csv": b"old\n",
        "/silent.csv": b"quiet\n",
    }
    imports.site.silent.add("/silent.csv")
    goods = {"goods/one.txt": "one", "goods/in/two.txt": "two", "single.txt": "s", "ver.txt": "v1", "v/x.txt": "x"}
    for key, text in goods.items():
        imports.shop.client.put_object(Bucket=s3.BUCKET, Key=key, Body=text.encode())
    git(imports.place, "init", "--quiet", "-b", "main", str(origin))
    put(origin, {".dvc/config": "[core]\n    remote = r\n['remote \"r\"']\n    url = ../../origin-remote\n"})
    put(origin, {".dvc/.gitignore": DVC_GITIGNORE, "data.csv": "1\n2\n", "folder/x": "x\n", "folder/in/y": "y\n"})
    put(
        origin, {"plain/p.txt": "plain\n", "both/git.txt": "git\n", "both/dvcd.txt": "dvcd\n", "lone.sh": "#!/bin/sh\n"}
    )
    (origin / "lone.sh").chmod(0o755)
    dvc.run(origin, "add", "--quiet", "data.csv", "folder", "both/dvcd.txt")
    dvc.run(origin, "push", "--quiet")
    commit(origin, "Old")
    git(origin, "tag", "-a", "v1", "-m", "one")
    put(imports.place, {"outside/a.txt": "outside\n"})


def _import(imports: Imports) -> None:
    dvc, first = imports.sides.dvc, imports.first
    options = "".join(f"    {name} = {value}\n" for name, value in imports.shop.options.items())
    git(imports.place, "init", "--quiet", "-b", "main", str(first))
    put(first, {".dvc/.gitignore": DVC_GITIGNORE, "local.txt": "local\n"})
    put(first, {".dvc/config": f"['remote \"shop\"']\n    url = s3://{s3.BUCKET}\n{options}"})
    put(first, {"dvc.yaml": STAGES.replace("SITE", imports.site.url)})
    site, shop, there = imports.site.url, "remote://shop", "../origin"
    for argv in (
        ("import-url", f"{site}/page.csv"),
        ("import-url", f"{site}/same.csv"),
        ("import-url", f"{site}/silent.csv"),
        ("import-url", "--no-download", f"{site}/page.csv", "partial.csv"),
        ("import-url", f"{shop}/single.txt"),
        ("import-url", f"{shop}/goods"),
        ("import-url", "--version-aware", f"{shop}/ver.txt"),
        ("import-url", "--version-aware", f"{shop}/v"),
        ("import-url", "local.txt", "local-copy.txt"),
        ("import-url", "../outside"),
        ("import", there, "data.csv"),
        ("import", there, "folder"),
        ("import", there, "folder/in", "-o", "part"),
        ("import", there, "plain"),
        ("import", there, "both"),
        ("import", there, "lone.sh"),
        ("import", "--rev", "v1", there, "data.csv", "-o", "tagged.csv"),
        ("import", "--no-download", there, "plain/p.txt", "-o", "later.txt"),
    ):
        dvc.run(first, argv[0], "--quiet", *argv[1:])
    dvc.run(first, "repro", "--quiet")
    commit(first)


def imported(project: Path) -> list[str]:
    return sorted(path.name for path in project.glob("?*.dvc"))


def test_what_dvc_imported_is_up_to_date(imports: Imports) -> None:
    project = imports.copy("as-it-was")
    plan = imports.sides.retrain.plan(project)
    stale = {name: row["reasons"] for name, row in plan.items() if row["decision"] not in {"fresh", "frozen"}}
    assert stale.keys() == {"partial.csv.dvc", "later.txt.dvc"}
    before = imports.written(project)
    updates = imports.sides.retrain.ask(project, "update", "--json").json
    assert {row["file"]: row["error"] for row in updates if row["changed"] or row["error"]} == {
        "partial.csv.dvc": None,
        "later.txt.dvc": None,
    }
    after = imports.written(project)
    assert {name for name in after if after[name] != before.get(name)} == {
        "partial.csv.dvc", "partial.csv", "later.txt.dvc", "later.txt",
    }  # fmt: skip


def test_unfrozen_imports_are_stale_where_dvc_says_so(imports: Imports) -> None:
    project = imports.copy("unfrozen")
    for file in project.glob("?*.dvc"):
        file.write_text(file.read_text().replace("frozen: true\n", ""))
    assert _stale(imports, project) == {"partial.csv.dvc", "later.txt.dvc"}


def _stale(imports: Imports, project: Path) -> set[str]:
    """What both sides say is stale."""
    theirs = imports.sides.dvc.status(project)
    plan = imports.sides.retrain.plan(project)
    ours = {name for name, row in plan.items() if row["decision"] in {"run", "restore"}}
    assert ours == theirs.keys(), (theirs, {name: plan[name] for name in ours ^ theirs.keys() if name in plan})
    words = imports.sides.retrain.ask(project, "status", "--json").json
    assert words == {
        name: [_relative(row, imports.place) if isinstance(row, dict) else row for row in rows]
        for name, rows in theirs.items()
    }
    return ours


def _relative(row: dict[str, dict[str, str]], place: Path) -> dict[str, dict[str, str]]:
    """Name what lies outside the project from the project, where DVC names it from the root of the disk."""
    return {key: {path.replace(str(place), ".."): word for path, word in words.items()} for key, words in row.items()}


def test_a_pull_takes_imports_from_their_sources_as_dvc_does(imports: Imports) -> None:
    theirs, ours = imports.copy("theirs-pulled"), imports.copy("ours-pulled")
    outs = ("data.csv", "part", "plain", "both", "ver.txt", "v", "partial.csv", "later.txt")
    names = [f"{out}.dvc" for out in outs]
    for project in (theirs, ours):
        shutil.rmtree(project / ".dvc" / "cache")
        for out in (project / name for name in outs):
            shutil.rmtree(out) if out.is_dir() else out.unlink(missing_ok=True)
    imports.sides.dvc.run(theirs, "pull", "--quiet", *names)
    imports.sides.retrain.run(ours, "pull", *names)
    assert imports.written(ours) == imports.written(theirs)
    assert (ours / "partial.csv").read_text() == "a\nb\n"


def test_a_stage_that_reads_part_of_an_import_finds_it_in_a_fresh_clone(imports: Imports) -> None:
    project = imports.copy("fresh")
    put(project, {"dvc.yaml": PEEK})
    for name in (".dvc/cache", "folder", "plain"):
        shutil.rmtree(project / name)
    (project / "data.csv").unlink()
    planned = imports.sides.retrain.plan(project)["peek"]
    assert planned["decision"] == "run"
    assert planned["pull"] == {"objects": 1, "bytes": len("1\n2\n")}, "directories were read for their listings"
    imports.sides.retrain.run(project, "repro", "peek")
    assert (project / "peek.txt").read_text() == "y\nplain\n1\n2\n"


@pytest.fixture(scope="module")
def changed(imports: Imports) -> Imports:
    """Give the project when every source has changed; tests of the unchanged one stand above."""
    imports.change()
    return imports


def test_what_changed_is_stale_where_dvc_says_so(changed: Imports) -> None:
    project = changed.copy("changed")
    for file in project.glob("?*.dvc"):
        file.write_text(file.read_text().replace("frozen: true\n", ""))
    assert _stale(changed, project) >= {"count", "page.csv.dvc", "goods.dvc", "data.csv.dvc", "local-copy.txt.dvc"}


def test_an_update_writes_what_dvc_writes(changed: Imports) -> None:
    theirs, ours = changed.copy("theirs"), changed.copy("ours")
    changed.sides.dvc.run(theirs, "update", "--quiet", *(file.name for file in theirs.glob("?*.dvc")))
    changed.sides.retrain.run(ours, "update")
    assert changed.written(ours) == changed.written(theirs)
    assert changed.sides.dvc.status(ours).keys() == {"count"}


def test_an_update_that_leaves_the_data_there_writes_what_dvc_writes(changed: Imports) -> None:
    theirs, ours = changed.copy("theirs-partial"), changed.copy("ours-partial")
    changed.sides.dvc.run(theirs, "update", "--quiet", "--no-download", *(file.name for file in theirs.glob("?*.dvc")))
    changed.sides.retrain.run(ours, "update", "--no-download")
    assert _but_md5(changed.written(ours)) == _but_md5(changed.written(theirs))
    assert not any(row["decision"] == "frozen" and row["reasons"] for row in changed.sides.retrain.plan(ours).values())


def _but_md5(written: dict[str, str]) -> dict[str, str]:
    """Leave out the md5 at the top: DVC computes it before it forgets the out's, and then finds it wrong itself."""
    return {name: re.sub(r"\Amd5: .*\n", "", text) for name, text in written.items()}


def test_an_import_follows_another_revision_as_with_dvc(changed: Imports) -> None:
    theirs, ours = changed.copy("theirs-rev"), changed.copy("ours-rev")
    names = ("data.csv.dvc", "tagged.csv.dvc", "folder.dvc")
    for rev in ("main", "v1"):
        changed.sides.dvc.run(theirs, "update", "--quiet", "--rev", rev, *names)
        changed.sides.retrain.run(ours, "update", "--rev", rev, *names)
        assert changed.written(ours) == changed.written(theirs)


def test_a_reproduction_takes_in_what_changed_as_dvc_does(changed: Imports) -> None:
    theirs, ours = changed.copy("theirs-repro"), changed.copy("ours-repro")
    for project in (theirs, ours):
        for file in project.glob("?*.dvc"):
            if "repo:" not in file.read_text():  # DVC takes in the old commit again: see the next test
                file.write_text(file.read_text().replace("frozen: true\n", ""))
    changed.sides.dvc.run(theirs, "repro", "--quiet", "--all-pipelines")
    changed.sides.retrain.run(ours, "repro")
    assert changed.written(ours) == changed.written(theirs)
    assert (ours / "later.txt").read_text() == "plain\n"
    assert {row["decision"] for row in changed.sides.retrain.plan(ours).values()} == {"fresh", "frozen"}


def test_a_reproduction_takes_in_the_update_of_a_repository_that_dvc_only_tells_of(changed: Imports) -> None:
    project = changed.copy("repro-repository")
    file = project / "data.csv.dvc"
    file.write_text(file.read_text().replace("frozen: true\n", ""))
    changed.sides.dvc.run(project, "repro", "--quiet", "data.csv.dvc")
    assert "data.csv.dvc" in changed.sides.dvc.status(project)
    changed.sides.retrain.run(project, "repro", "data.csv.dvc")
    assert (project / "data.csv").read_text() == "1\n2\n3\n"
    assert "data.csv.dvc" not in changed.sides.dvc.status(project)
