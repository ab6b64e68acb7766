"""Random DVC projects, far beyond what people write: `draw(seed)` gives the same one each time, on every machine.

About a third are broken on purpose, in one of the ways of `random_breaks`.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final

from runner.pipeline import yaml12
from tests.interop import random_breaks, random_stages, random_values
from tests.interop.projects import DVC_GITIGNORE, put
from tests.interop.random_stages import Made, Site

if TYPE_CHECKING:
    from pathlib import Path

BROKEN: Final = 0.35
_FOLDERS: Final = ("", "sub", "sub/deep", "other", "a b")
_REMOTE: Final = "['remote \"other\"']\n    url = ../../other\n"
_JUNK: Final = "stages: [this is no dvc.yaml\n"


@dataclass
class Draft:
    """A project being drawn: DVC's files as documents, so that they can still be broken, the others as text.

    Attributes:
        rng: the source of chance.
        pipelines: the documents of the dvc.yaml files by path.
        files: text by path of everything else.
        params: what the params files hold.
        made: the outs of all stages.
        added: what `.dvc` files track.
        broken: how it was broken; empty for a project that should be valid.
        runs: whether it is going to be run, so that nothing in it may be frozen from the start.

    """

    rng: Random
    pipelines: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    made: list[Made] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    broken: str = ""
    runs: bool = False


@dataclass(frozen=True)
class RandomProject:
    """A project as files.

    Attributes:
        seed: what `draw` made it from.
        files: content by path, without `.git`.
        added: paths that are tracked, for `dvc add`.
        broken: how it was broken; empty for one that should be valid.

    """

    seed: int
    files: dict[str, str | bytes]
    added: tuple[str, ...]
    broken: str

    def write(self, root: Path) -> None:
        """Lay it down in the folder `root`."""
        put(root, self.files)


def draw(seed: int) -> RandomProject:
    """Draw the project of that number."""
    rng = Random(seed)
    draft = Draft(rng)
    folders = rng.sample(_FOLDERS[1:], rng.choice((0, 0, 1, 1, 2)))
    _fill(draft, ["", *folders], most=5)
    texts = random_breaks.broken(draft) if rng.random() < BROKEN else {}
    return _finished(seed, draft, texts)


def draw_to_run(seed: int) -> RandomProject:
    """Draw a small project that is not broken, for a run: starting commands takes time."""
    rng = Random(seed)
    draft = Draft(rng, runs=True)
    _fill(draft, ["", *rng.sample(_FOLDERS[1:], rng.choice((0, 0, 1)))], most=3)
    return _finished(seed, draft, {})


def _fill(draft: Draft, folders: list[str], most: int) -> None:
    """Draw everything: in each folder a dvc.yaml of one to `most` stages or groups."""
    numbers = [0]
    _config(draft)
    for folder in folders:
        _pipeline(draft, folder, numbers, most)
    _tracked(draft)
    _surroundings(draft)


def _finished(seed: int, draft: Draft, texts: dict[str, str | bytes]) -> RandomProject:
    written = {path: _written(draft.rng, document) for path, document in draft.pipelines.items()}
    return RandomProject(seed, {**draft.files, **written, **texts}, tuple(draft.added), draft.broken)


def _config(draft: Draft) -> None:
    rng = draft.rng
    parsing = [
        f"    {name} = {rng.choice(values)}\n"
        for name, values in (("bool", ("store_true", "boolean_optional")), ("list", ("nargs", "append")))
        if rng.random() < 0.5
    ]
    config = "".join(["[parsing]\n", *parsing]) if parsing else ""
    draft.files |= {".dvc/config": config + _REMOTE, ".dvc/.gitignore": DVC_GITIGNORE}


def _pipeline(draft: Draft, folder: str, numbers: list[int], most: int) -> None:
    """Draw one dvc.yaml and the files its variables and parameters come from."""
    rng = draft.rng
    site = Site(rng, folder, {}, draft.files, draft.params, draft.made, numbers, draft.runs)
    document: dict[str, Any] = {}
    variables = _variables(draft, site)
    if variables:
        document["vars"] = variables
    drawn = [random_stages.stage(site) for _ in range(rng.randint(1, most))]
    rng.shuffle(drawn)
    document["stages"] = dict(drawn)
    if rng.random() < 0.2:
        document |= _sections(site)
    entries = list(document.items())
    rng.shuffle(entries)
    draft.pipelines[site.at("dvc.yaml")] = dict(entries)


def _variables(draft: Draft, site: Site) -> list[Any]:
    """Spread variables over params.yaml, files and the list `vars`; give that list. A mapping may be spread too."""
    rng = draft.rng
    values = random_values.variables(rng)
    site.values.update(values)
    shares: list[dict[str, Any]] = [{} for _ in range(4)]
    for name, value in values.items():
        _share(rng, name, value, shares)
    default, inline, *others = shares
    variables: list[Any] = []
    if default and rng.random() < 0.85:
        path = site.at("params.yaml")
        extra = {"unused": random_values.scalar(rng), 3: "three", "deep": {"x": [1, {"y": 2.5}]}}
        draft.params[path] = {**default, **extra}
        lines = "".join(f"y{at}: {text}\n" for at, text in enumerate(random_values.SPELLED))
        spelled = rng.random() < 0.4
        draft.files[path] = (
            yaml12.render(draft.params[path]) + lines if spelled else _params_text(rng, draft.params[path])
        )
    else:
        variables.append(default)
    variables.append(inline)
    for share in others:
        variables += _file(draft, site, share)
    rng.shuffle(variables)
    return [one for one in variables if one]


def _params_text(rng: Random, values: dict[Any, Any]) -> str:
    return random_values.as_yaml(rng, values) if 3 not in values else yaml12.render(values)


def _share(rng: Random, name: str, value: Any, shares: list[dict[str, Any]]) -> None:
    """Give a variable to one of the shares; of a mapping some entries may go to another."""
    first, second = rng.sample(shares, 2)
    if isinstance(value, dict) and len(value) > 1 and rng.random() < 0.4:
        moved = rng.sample(sorted(value), rng.randint(1, len(value) - 1))
        first[name] = {key: inner for key, inner in value.items() if key not in moved}
        second[name] = {key: value[key] for key in moved}
    else:
        first[name] = value


def _file(draft: Draft, site: Site, share: dict[str, Any]) -> list[Any]:
    """Write a share to a file; give the entries of `vars` that load it, wholly or by keys."""
    rng = draft.rng
    suffix = rng.choice(sorted(random_values.FORMATS))
    if suffix == "toml":
        kept = {name: value for name, value in share.items() if name in random_values.as_toml(rng, {name: value})}
        left = {name: value for name, value in share.items() if name not in kept}
    else:
        kept, left = share, {}
    name = rng.choice((f"vars.{suffix}", f"conf/{site.number()}.{suffix}", f"../{site.number()}.{suffix}"))
    if name.startswith("..") and not site.folder:
        name = f"./v{site.number()}.{suffix}"
    path = site.at(name)
    if path in draft.files:
        return [share]
    keys = sorted(kept)
    chosen = f":{','.join(keys)}" if keys and rng.random() < 0.4 else rng.choice(("", ":"))
    extra = {"n": 1, "other": random_values.word(rng)} if chosen != ":" and chosen else {}
    draft.files[path] = random_values.FORMATS[suffix](rng, {**extra, **kept})
    draft.params[path] = {**extra, **kept} if suffix != "py" else {}
    again = [name] if not chosen and rng.random() < 0.1 else []
    return [left, f"{name}{chosen}", *again]


def _sections(site: Site) -> dict[str, Any]:
    """Draw sections of the top level."""
    rng = site.rng
    word = f"x{random_stages.some_word(rng, site.values)}"
    site.files[site.at("top.yaml")] = "k: 1\n"
    site.files[site.at("top.json")] = '{"m": 1}\n'
    known: dict[str, Any] = {
        "params": ["top.yaml"],
        "metrics": ["top.json"],
        "plots": [
            "top.json",
            {"id": {"x": "a", "y": {"top.json": [word, "b"]}, "title": f"Of {word}"}},
            {"top.json2": None},
        ],
        "artifacts": {"model": {"path": f"m-{word}", "type": "model", "labels": [word], "meta": {"a": 1}}},
    }
    return {name: known[name] for name in rng.sample(sorted(known), rng.randint(1, 3))}


def _tracked(draft: Draft) -> None:
    """Draw `.dvc` files with what they track; stages drawn before read it now and then by chance of their names."""
    rng = draft.rng
    for _ in range(rng.choice((0, 0, 1, 2))):
        number, folder = len(draft.files), rng.choice(("", "data", "sub"))
        path = posixpath.join(folder, f"tracked{number}")
        draft.files[path] = f"{path}\n"
        draft.added.append(path)
        draft.files[f"{path}.dvc"] = _dvc_text(rng, posixpath.basename(path), draft.files[path], plain=draft.runs)


def _dvc_text(rng: Random, name: str, content: str, *, plain: bool) -> str:
    """Draw the text of a .dvc file; a plain one is in block style, which is how we write it anew."""
    out = {"md5": hashlib.md5(content.encode()).hexdigest(), "size": len(content), "hash": "md5", "path": name}
    known = {"desc": "Raw.", "type": "data", "labels": ["x"], "meta": {"k": [1]}, "push": False, "remote": "other"}
    out |= {key: known[key] for key in rng.sample(sorted(known), rng.choice((0, 0, 1, 2)))}
    document: dict[str, Any] = {"outs": [out]}
    document |= {key: value for key, value in (("desc", "d"), ("meta", {"k": 1}), ("wdir", ".")) if rng.random() < 0.15}
    drawn = random_values.as_yaml(rng, document)
    return yaml12.render(document) if plain else drawn


def _surroundings(draft: Draft) -> None:
    """Draw what DVC passes by: ignored folders, git-ignored ones, repositories inside, each with a bad dvc.yaml."""
    rng = draft.rng
    if rng.random() < 0.3:
        draft.files |= {".dvcignore": rng.choice(("*.tmp\njunk\n", "# all\n*.tmp\n/junk/\n!keep.tmp\n"))}
        draft.files |= {"junk/dvc.yaml": _JUNK, "junk/deep/x.dvc": _JUNK}
    if rng.random() < 0.2:
        draft.files |= {".gitignore": "skipped/\n", "skipped/dvc.yaml": _JUNK, "skipped/deep/x.dvc": _JUNK}
    if rng.random() < 0.2:
        draft.files |= {"nested/.dvc/config": "", "nested/dvc.yaml": _JUNK}
    if rng.random() < 0.2:
        draft.files |= {"dvc.yml": _JUNK, "Dvcfile.txt": _JUNK, "x.dvc.bak": _JUNK}


def _written(rng: Random, document: Any) -> str:
    """Write a dvc.yaml in one of the ways people write YAML."""
    if rng.random() < 0.25:
        return json.dumps(document, indent=rng.choice((None, 1)), ensure_ascii=rng.random() < 0.5)
    return random_values.as_yaml(rng, document)
