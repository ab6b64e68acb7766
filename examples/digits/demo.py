"""Tell the story of one retrained model, with real git repositories and the real `retrain`, and check every claim.

Four scenes: main is trained and pushed; a pull request that helps; one that makes the model worse; and the
first one again in a second fresh clone. Nothing here knows how `retrain` works inside: it is run as a process,
and what it says is compared with the folders it leaves and with a journal that the stages themselves write.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.markup import escape
from rich.table import Table

EXAMPLE = Path(__file__).resolve().parent
NOT_PART_OF_THE_PROJECT = shutil.ignore_patterns("demo.py", "README.md", "__pycache__")
REPORTS = ("report.md", "report.html", "report.json")
HELD, GATE_FAILED = 0, 1


@dataclass(frozen=True)
class Playground:
    """The folders the story is played in, and the environment of every command.

    Attributes:
        root: everything lies below it.
        environ: what commands see; no git configuration of this machine, a `python` that keeps a journal.

    """

    root: Path
    environ: dict[str, str]

    @property
    def hub(self) -> Path:
        """The bare git repository that stands for the code host."""
        return self.root / "hub.git"

    @property
    def remote(self) -> Path:
        """The directory remote."""
        return self.root / "remote"

    @property
    def journal(self) -> Path:
        """One line for each `python` command a stage really ran, written by the command itself."""
        return self.root / "journal.txt"

    def journal_lines(self) -> list[str]:
        """Give the commands that ran so far."""
        return self.journal.read_text(encoding="utf-8").splitlines() if self.journal.exists() else []

    def remote_objects(self) -> dict[str, int]:
        """Give the objects in the remote by name, with their sizes in bytes."""
        return _objects(self.remote)

    def remote_names(self) -> set[str]:
        """Give the names of all objects and run-cache entries in the remote."""
        return {str(path.relative_to(self.remote)) for path in self.remote.rglob("*") if path.is_file()}


@dataclass
class Teller:
    """Prints what happens, keeps the claims that did not hold and a row for each scene."""

    console: Console
    broken: list[str] = field(default_factory=list)
    verdicts: list[tuple[str, str, int, Path]] = field(default_factory=list)

    def scene(self, title: str, text: str) -> None:
        """Begin a scene."""
        self.console.rule(f"[bold]{escape(title)}", align="left")
        self.console.print(escape(text))

    def claim(self, text: str, *, held: bool) -> None:
        """Print `text` with what came of it; one that does not hold fails the demo in the end."""
        self.console.print(f"  [green]true[/]   {escape(text)}" if held else f"  [bold red]FALSE[/]  {escape(text)}")
        if not held:
            self.broken.append(text)


@dataclass(frozen=True)
class Clone:
    """A working copy: runs commands in it and shows them."""

    path: Path
    ground: Playground
    teller: Teller

    def git(self, *arguments: str) -> str:
        """Run git, which must succeed; give what it printed."""
        return _run(["git", *arguments], self.path, self.ground.environ, check=True).stdout.strip()

    def retrain(self, *arguments: str) -> int:
        """Run `retrain`, show its output; give its exit code."""
        self.teller.console.print(f"\n[bold cyan]$ retrain {escape(' '.join(arguments))}")
        command = [sys.executable, "-I", "-m", "runner", *arguments]
        done = _run(command, self.path, self.ground.environ, check=False, together=True)
        for line in done.stdout.splitlines():
            self.teller.console.print(f"  [dim]{escape(line)}", highlight=False)
        self.teller.console.print()
        return done.returncode

    def run(self, report: Path) -> tuple[int, dict[str, Any]]:
        """Run the whole walk; give the exit code and the report, empty where none was written."""
        code = self.retrain("run", "--report-dir", str(report))
        written = report / "report.json"
        return code, json.loads(written.read_text(encoding="utf-8")) if written.exists() else {}

    def objects(self) -> dict[str, int]:
        """Give the objects in the clone's cache by name, with their sizes in bytes."""
        return _objects(self.path / ".dvc" / "cache")


def main() -> int:
    """Play the four scenes; give 0 if every claim held."""
    parser = argparse.ArgumentParser(description="The story of a retrained model, checked claim by claim.")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="play in DIR (new or empty), not in a temporary folder"
    )
    teller = Teller(Console(soft_wrap=True))
    ground = _set_up(_root(parser.parse_args().keep))
    author = _clone(ground, teller, "author")
    train_main(author)
    better = push_branch(author, "stronger-svm", C=10.0)
    helps(better)
    worse(push_branch(author, "weaker-svm", C=0.5))
    again(ground, teller, better)
    return _end(ground, teller)


def train_main(author: Clone) -> None:
    """Scene a: the author trains on main, commits the lock, pushes the objects."""
    ground, teller = author.ground, author.teller
    teller.scene("a) main is trained and pushed", "An author starts the project: no clone has any data yet.")
    _write_project(author.path, ground.remote)
    author.git("add", "--all")
    author.git("commit", "--quiet", "--message", "The digits project")
    trained = author.retrain("repro")
    teller.claim("all four stages ran", held=trained == HELD and len(ground.journal_lines()) == len(_stages(author)))
    author.git("add", "--all")
    author.git("commit", "--quiet", "--message", "Train")
    author.git("push", "--quiet", "origin", "main")
    author.git("fetch", "--quiet")
    report = ground.root / "reports" / "a"
    code, told = author.run(report)
    teller.claim("nothing more was to be done, the gates hold: exit code 0", held=code == HELD and _ran(told) == [])
    sent = ground.remote_objects()
    kept = author.objects()  # the metrics too: a past run can be restored whole
    teller.claim(f"all {len(kept)} objects of main are in the remote", held=bool(kept) and sent == kept)
    teller.verdicts.append(("a) main", told.get("verdict", "none"), code, report))


def push_branch(author: Clone, name: str, **svm: float) -> Clone:
    """Change hyperparameters on a branch off main, push only the change, give a fresh clone of it."""
    author.git("switch", "--quiet", "--create", name, "main")
    params = author.path / "params.yaml"
    lines = params.read_text(encoding="utf-8").splitlines()
    changed = [next((f"  {key}: {svm[key]}" for key in svm if line.startswith(f"  {key}:")), line) for line in lines]
    params.write_text("\n".join(changed) + "\n", encoding="utf-8")
    author.git("commit", "--quiet", "--all", "--message", f"Try {svm}")
    author.git("push", "--quiet", "origin", name)
    author.git("switch", "--quiet", "main")
    author.git("commit", "--quiet", "--allow-empty", "--message", f"Meanwhile on main, after {name}")
    author.git("push", "--quiet", "origin", "main")
    return _clone(author.ground, author.teller, f"ci-{name}", branch=name)


def helps(clone: Clone) -> None:
    """Scene b: a fresh clone fetches two inputs, runs two stages, passes, pushes."""
    ground, teller = clone.ground, clone.teller
    teller.scene("b) a pull request changes a hyperparameter", "CI: a fresh clone, an empty cache, svm.C from 1 to 10.")
    before, journal, main_outs = ground.remote_names(), ground.journal_lines(), ground.remote_objects()
    report = ground.root / "reports" / "b"
    code, told = clone.run(report)
    fetched = {name: size for name, size in clone.objects().items() if name in main_outs}
    teller.claim("the gates hold: exit code 0", held=code == HELD and told.get("verdict") == "passed")
    teller.claim("only train and evaluate ran", held=_new(journal, ground) == ["src/train.py", "src/evaluate.py"])
    _claim_bytes(clone, told, main_outs, fetched)
    base, tip = clone.git("merge-base", "HEAD", "origin/main"), clone.git("rev-parse", "origin/main")
    compared = (told.get("base") or {}).get("sha")
    teller.claim(f"it was compared with the merge base {base[:7]}, not with main's tip", held=compared == base != tip)
    added = ground.remote_names() - before
    teller.claim(f"{len(added)} new files are in the remote", held=any(name.startswith("runs/") for name in added))
    teller.claim("three reports are written", held=all((report / name).stat().st_size for name in REPORTS))
    teller.verdicts.append(("b) stronger-svm", told.get("verdict", "none"), code, report))


def worse(clone: Clone) -> None:
    """Scene c: the model gets worse; the gate fails and nothing is pushed."""
    ground, teller = clone.ground, clone.teller
    teller.scene("c) a pull request makes the model worse", "CI: a fresh clone again, svm.C from 1 to 0.5.")
    before, report = ground.remote_names(), ground.root / "reports" / "c"
    code, told = clone.run(report)
    teller.claim("a gate failed: exit code 1", held=code == GATE_FAILED and told.get("verdict") == "failed")
    failed = [gate for gate in told.get("gates", []) if gate["status"] == "failed"]
    for gate in failed:
        text = f"{gate['path']}: {gate['base']} to {gate['head']}, that is {gate['delta']}; the limit: {gate['limit']}"
        teller.claim(f"the report says {text}", held=bool(gate["limit"]) and gate["head"] < gate["base"])
    teller.claim(f"the report names {len(failed)} failed limits", held=bool(failed))
    teller.claim("nothing was pushed: the remote holds what it held", held=ground.remote_names() == before)
    teller.verdicts.append(("c) weaker-svm", told.get("verdict", "none"), code, report))


def again(ground: Playground, teller: Teller, better: Clone) -> None:
    """Scene d: what one clone ran, another restores."""
    teller.scene(
        "d) a second fresh clone of b)", "The same commit on another machine: its lock is still the one of main."
    )
    journal, report = ground.journal_lines(), ground.root / "reports" / "d"
    clone = _clone(ground, teller, "ci-stronger-svm-again", branch="stronger-svm")
    code, told = clone.run(report)
    teller.claim("the gates hold: exit code 0", held=code == HELD and told.get("verdict") == "passed")
    teller.claim("no command ran", held=_new(journal, ground) == [])
    restored = [row["stage"] for row in told.get("stages", []) if row["decision"] == "restored"]
    teller.claim("train and evaluate came from the run cache", held=restored == ["train", "evaluate"])
    same = (clone.path / "dvc.lock").read_bytes() == (better.path / "dvc.lock").read_bytes()
    teller.claim("dvc.lock is the one of b), byte for byte", held=same)
    metrics = (clone.path / "metrics.json").read_bytes() == (better.path / "metrics.json").read_bytes()
    teller.claim("metrics.json too", held=metrics)
    teller.verdicts.append(("d) stronger-svm again", told.get("verdict", "none"), code, report))


def _claim_bytes(clone: Clone, told: dict[str, Any], main_outs: dict[str, int], fetched: dict[str, int]) -> None:
    """Compare what the report says of bytes with what lies in the cache, and with what the lock names beside it."""
    teller, pulled, left = clone.teller, told.get("pulled") or {}, told.get("left") or {}
    size = sum(fetched.values())
    teller.claim(
        f"{len(fetched)} objects, {size:,} bytes were fetched, and the report says so",
        held=(pulled.get("objects"), pulled.get("bytes")) == (len(fetched), size),
    )
    rest = {name: main_outs[name] for name in _locked(clone) - clone.objects().keys()}
    files = sum(length for name, length in rest.items() if not name.endswith(".dir"))
    teller.claim(
        f"{len(rest)} objects, {files:,} bytes of files, that the lock names were not needed, and the report says so",
        held=bool(rest) and (left.get("objects"), left.get("bytes")) == (len(rest), files),
    )


def _locked(clone: Clone) -> set[str]:
    """Give the names of the objects that the lock names as cached outs, the files of directories among them."""
    lock = yaml.safe_load((clone.path / "dvc.lock").read_text(encoding="utf-8"))
    outs = [out["md5"] for stage in lock["stages"].values() for out in stage["outs"] if out["path"] != "metrics.json"]
    store = clone.ground.remote / "files" / "md5"
    listings = [json.loads((store / name[:2] / name[2:]).read_bytes()) for name in outs if name.endswith(".dir")]
    return {*outs, *(row["md5"] for listing in listings for row in listing)}


def _objects(root: Path) -> dict[str, int]:
    """Give the objects below a cache or a remote: name to size in bytes."""
    files = (path for path in (root / "files" / "md5").rglob("*") if path.is_file())
    return {path.parent.name + path.name: path.stat().st_size for path in files}


def _stages(clone: Clone) -> list[str]:
    """Give the names of the project's stages."""
    return list(yaml.safe_load((clone.path / "dvc.yaml").read_text(encoding="utf-8"))["stages"])


def _ran(told: dict[str, Any]) -> list[str] | None:
    """Give the stages whose command ran, as the report says; `None` without a report."""
    return [row["stage"] for row in told["stages"] if row["decision"] == "ran"] if told else None


def _new(journal: list[str], ground: Playground) -> list[str]:
    """Give the commands that ran since `journal` was read."""
    return ground.journal_lines()[len(journal) :]


def _root(keep: Path | None) -> Path:
    """Give an empty folder to play in."""
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="retrain-digits-"))
    if keep.exists() and any(keep.iterdir()):
        sys.exit(f"{keep} is not empty: name a new folder")
    keep.mkdir(parents=True, exist_ok=True)
    return keep.resolve()


def _set_up(root: Path) -> Playground:
    """Make the code host, the remote, and a `python` that notes each script it runs.

    That `python` is also how the stages find scikit-learn: `retrain` keeps its own environment off their PATH.
    """
    tools = root / "bin"
    tools.mkdir()
    python = tools / "python"
    python.write_text(f'#!/bin/sh\necho "$1" >> "{root}/journal.txt"\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    path = os.pathsep.join([str(tools), os.environ.get("PATH", os.defpath)])
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("GIT_", "GITHUB_", "INPUT_"))}
    ground = Playground(root, {**kept, "PATH": path, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"})
    ground.remote.mkdir()
    _run(["git", "init", "--quiet", "--bare", "-b", "main", str(ground.hub)], root, ground.environ, check=True)
    return ground


def _clone(ground: Playground, teller: Teller, name: str, branch: str = "") -> Clone:
    """Clone the hub and name a committer for this one repository."""
    asked = ["--branch", branch] if branch else []
    _run(["git", "clone", "--quiet", *asked, str(ground.hub), name], ground.root, ground.environ, check=True)
    clone = Clone(ground.root / name, ground, teller)
    clone.git("config", "user.name", "Ada")
    clone.git("config", "user.email", "ada@example.com")
    if not branch:
        clone.git("symbolic-ref", "HEAD", "refs/heads/main")
    return clone


def _write_project(path: Path, remote: Path) -> None:
    """Copy the example and say where its objects are kept."""
    shutil.copytree(EXAMPLE, path, ignore=NOT_PART_OF_THE_PROJECT, dirs_exist_ok=True)
    config = f"[core]\n    remote = storage\n['remote \"storage\"']\n    url = {remote}\n"
    (path / ".dvc" / "config").write_text(config, encoding="utf-8")


def _run(
    command: list[str], cwd: Path, environ: dict[str, str], *, check: bool, together: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and keep what it printed; `together`: its errors among its output, as on a terminal."""
    errors = subprocess.STDOUT if together else subprocess.PIPE
    done = subprocess.run(
        command, cwd=cwd, env=environ, encoding="utf-8", stdout=subprocess.PIPE, stderr=errors, check=False
    )
    if check and done.returncode:
        sys.exit(f"{' '.join(command)} failed with exit code {done.returncode}:\n{done.stderr}")
    return done


def _end(ground: Playground, teller: Teller) -> int:
    """Show the four verdicts and where everything lies; give the exit code."""
    teller.console.rule("[bold]The four verdicts", align="left")
    table = Table("scene", "verdict", "exit code", box=None)
    for scene, verdict, code, _ in teller.verdicts:
        table.add_row(scene, verdict, str(code))
    teller.console.print(table)
    teller.console.print("\nThe reports, each as report.md, report.html and report.json:")
    for *_, report in teller.verdicts:
        teller.console.print(f"  {report / 'report.md'}", highlight=False)
    teller.console.print(f"Everything is kept in {ground.root}")
    for text in teller.broken:
        teller.console.print(f"[bold red]This should have been true: {escape(text)}")
    return 1 if teller.broken else 0


if __name__ == "__main__":
    sys.exit(main())
