"""Random stages: bodies full of `${}`, alone or as foreach and matrix groups, whose commands really make their outs.

What is drawn has to be valid, so the paths that templates stand for are worked out here too, by the few lines of
`filled`: enough for words, and no resolver.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.interop import random_values
from tests.interop.random_values import Keys, leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

_EXPRESSION: Final = re.compile(r"\$\{([^}]*)\}")
Values = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """What a stage writes: a path from the root, and whether it is a folder, which then holds `a` and `b/c`."""

    path: str
    is_folder: bool


@dataclass
class Site:
    """Where stages are being drawn: one dvc.yaml of a project, and what the stages of the others share with it.

    Attributes:
        rng: the source of chance.
        folder: of the dvc.yaml; empty for the root.
        values: the variables it can name.
        files: every file of the project by path; grows.
        params: what the params file at a path holds, as far as that is known.
        made: outs of all stages drawn so far.
        numbers: how many outs and stages were drawn, so that each has a name of its own.
        runs: whether the project is going to be run.

    """

    rng: Random
    folder: str
    values: Values
    files: dict[str, str]
    params: dict[str, Any]
    made: list[Made]
    numbers: list[int]
    runs: bool

    def number(self) -> int:
        """Give a number that was not given before."""
        self.numbers[0] += 1
        return self.numbers[0]

    def at(self, *parts: str) -> str:
        """Give a path from the root of one from this folder."""
        return posixpath.normpath(posixpath.join(self.folder, *parts))


def filled(text: str, values: Mapping[str, Any]) -> str:
    """Give a text with its expressions replaced."""
    return _EXPRESSION.sub(lambda found: shown(_selected(found[1], values)), text)


def shown(value: Any) -> str:
    """Give a scalar as it stands in a text."""
    return ("false", "true")[value] if isinstance(value, bool) else str(value)


def _selected(inner: str, values: Any) -> Any:
    for part in inner.replace("[", ".").replace("]", "").split("."):
        name = part.strip()
        values = values[int(name)] if isinstance(values, list) else values[name]
    return values


def expression(rng: Random, keys: Keys) -> str:
    """Spell the expression for what lies at `keys`."""
    inner = str(keys[0])
    for key in keys[1:]:
        inner += rng.choice((f".{key}", f"[{key}]"))
    return "${" + rng.choice((inner, inner, f" {inner} ")) + "}"


def is_word(value: Any) -> bool:
    """Whether a value may stand in a path and in a shell."""
    return isinstance(value, bool) or value in random_values.WORDS or (isinstance(value, int) and value >= 0)


def pick(rng: Random, values: Values, fits: Callable[[Any], bool]) -> str:
    """Spell an expression for some variable that fits; where there is none, an empty text."""
    found = [keys for keys, value in leaves(values) if fits(value)]
    return expression(rng, rng.choice(found)) if found else ""


def some_word(rng: Random, values: Values) -> str:
    """Spell an expression for a word; a plain word where there is none."""
    return pick(rng, values, is_word) or random_values.word(rng)


def _is_plain(value: Any) -> bool:
    return not isinstance(value, (dict, list))


def _unpacks(value: Any) -> bool:
    """Whether DVC makes options of it: a mapping without lists in lists."""
    inside = [inner for _, inner in leaves(value)] if isinstance(value, dict) else []
    lists = [inner for inner in inside if isinstance(inner, list)]
    return isinstance(value, dict) and all(_is_plain(one) for each in lists for one in each)


class Body:
    """One stage definition being drawn, for one or several stages: those of a group differ in `item` and `key`."""

    def __init__(self, site: Site, items: Sequence[Values], apart: str) -> None:
        """Take the values that each stage of the group adds; `apart` is an expression that differs in each."""
        self.site, self.rng, self.apart = site, site.rng, apart
        self.local: Values = {}
        self.spec: Values = {}
        self.parts: list[str] = []
        self.items = items
        self.wdirs = [site.at()] * len(items)

    @property
    def every(self) -> list[Values]:
        """The values that each stage sees."""
        return [{**self.site.values, **self.local, **item} for item in self.items]

    @property
    def values(self) -> Values:
        """What can be named in each of the stages alike."""
        return self.every[0] if len(self.items) == 1 else {**self.site.values, **self.local}

    def drawn(self) -> Values:
        """Give the definition."""
        chance = self.rng.random
        if chance() < 0.35:
            self._wdir()
        if chance() < 0.25:
            self._vars()
        if chance() < 0.7:
            self._deps()
        if chance() < 0.5 and len(set(self.wdirs)) == 1:
            self._params()
        if self.apart and chance() < 0.85:
            self._outs()
        self._flags()
        self.spec["cmd"] = self._cmd()
        shuffled = list(self.spec.items())
        self.rng.shuffle(shuffled)
        return dict(shuffled)

    def _vars(self) -> None:
        number = self.site.number()
        self.local = {f"w{number}l": random_values.word(self.rng), f"m{number}l": random_values.options(self.rng)}
        self.spec["vars"] = [{name: value} for name, value in self.local.items()]

    def _wdir(self) -> None:
        wdir = self.rng.choice(
            (".", "w", "./w/", "w/../w", f"w{self.site.number()}-{some_word(self.rng, self.values)}")
        )
        if self.apart and len(self.items) > 1 and self.rng.random() < 0.3:
            wdir = f"w/{self.apart}"
        self.spec["wdir"] = wdir
        self.wdirs = [self.site.at(filled(wdir, values)) for values in self.every]
        for folder in self.wdirs:
            self.site.files.setdefault(posixpath.join(folder, "keep"), "")

    def _deps(self) -> None:
        deps = []
        for _ in range(self.rng.randint(0, 3)):
            dep = self._upstream() if self.site.made and self.rng.random() < 0.6 else self._source()
            deps.append(dep)
            self.parts.append(self.rng.choice((f'ls "{dep}"', f'cat "{dep}"/* "{dep}" 2> /dev/null || true')))
        self.spec["deps"] = deps if self.rng.random() < 0.9 else deps + deps[:1]

    def _source(self) -> str:
        """Name a file, or a folder, that lies there from the start; a template names one for each stage."""
        number, apart = self.site.number(), self.apart if self.rng.random() < 0.5 else ""
        named = f"in{number}-{apart or some_word(self.rng, self.values)}"
        is_folder = self.rng.random() < 0.3
        for wdir, values in zip(self.wdirs, self.every, strict=True):
            path = posixpath.join(wdir, filled(named, values))
            for member in ("x", "y/z", "junk.tmp") if is_folder else ("",):
                self.site.files[posixpath.join(path, member).rstrip("/")] = f"{path} {member}\n"
        return self._odd(named, is_folder=is_folder)

    def _upstream(self) -> str:
        """Name what an earlier stage writes, or a part of it."""
        made = self.rng.choice(self.site.made)
        path = made.path
        if made.is_folder and self.rng.random() < 0.3:
            path += self.rng.choice(("/a", "/b", "/b/c"))
        if len(set(self.wdirs)) > 1:
            return self._source()
        return self._odd(posixpath.relpath(path, self.wdirs[0]), is_folder=False)

    def _odd(self, path: str, *, is_folder: bool) -> str:
        spelled = (path, path, path, f"./{path}", path.replace("/", "//", 1))
        return self.rng.choice((*spelled, f"{path}/") if is_folder else spelled)

    def _params(self) -> None:
        wdir = self.wdirs[0]
        drawn: list[Any] = self._keys(posixpath.join(wdir, "params.yaml"))
        for path, held in self.site.params.items():
            if posixpath.basename(path) == "params.yaml" or self.rng.random() < 0.6:
                continue
            keys = self._keys(path)
            spelled = posixpath.relpath(path, wdir)
            whole = self.rng.random() < 0.3 or not keys
            if whole and any(not isinstance(name, str) for name in held):
                continue
            drawn.append({spelled: self.rng.choice((None, [])) if whole else keys})
        self.rng.shuffle(drawn)
        if drawn:
            self.spec["params"] = drawn

    def _keys(self, path: str) -> list[str]:
        held = self.site.params.get(posixpath.normpath(path))
        found = [keys for keys, _ in leaves(held or {}) if all("." not in str(key) for key in keys)]
        return [random_values.dotted(keys) for keys in self.rng.sample(found, min(len(found), self.rng.randint(0, 3)))]

    def _outs(self) -> None:
        for section in self.rng.choices(("outs", "metrics", "plots"), (5, 2, 2), k=self.rng.randint(1, 3)):
            is_folder = section == "outs" and self.rng.random() < 0.3
            named = f"{self.rng.choice(('o', 'made/o', 'a b/o'))}{self.site.number()}-{self.apart}"
            if self.site.runs and section == "metrics":
                named += self.rng.choice((".json", ".yaml"))
            for wdir, values in zip(self.wdirs, self.every, strict=True):
                self.site.made.append(Made(posixpath.normpath(posixpath.join(wdir, filled(named, values))), is_folder))
            self.parts.append(self._maker(named, section, is_folder=is_folder))
            self.spec.setdefault(section, []).extend(self._entries(self._odd(named, is_folder=False), section))

    def _maker(self, named: str, section: str, *, is_folder: bool) -> str:
        word = some_word(self.rng, self.values)
        if is_folder:
            return f'mkdir -p "{named}/b" && echo {word} > "{named}/a" && echo c > "{named}/b/c"'
        scores = random_values.scores(self.rng) if self.site.runs and section == "metrics" else '{"a": 1}'
        text = f"echo {word}" if section == "outs" else f"echo '{scores}'"
        return f'mkdir -p "$(dirname "{named}")" && {text} > "{named}"'

    def _entries(self, spelled: str, section: str) -> list[Any]:
        """Give the entry of an out: bare, with flags, or twice, which unites them."""
        flags = self._out_flags(section)
        if not flags and self.rng.random() < 0.9:
            return [spelled]
        return [spelled, {spelled: flags}] if self.rng.random() < 0.1 else [{spelled: flags}]

    def _out_flags(self, section: str) -> Values:
        rng, words = self.rng, self.values
        known: dict[str, Callable[[], Any]] = {
            "cache": lambda: rng.random() < 0.5,
            "persist": lambda: rng.random() < 0.3,
            "push": lambda: rng.random() < 0.5,
            "remote": lambda: "other",
            "desc": lambda: f"Of {some_word(rng, words)}.",
            "type": lambda: rng.choice(("model", some_word(rng, words))),
            "labels": lambda: [some_word(rng, words), "x"],
            "meta": lambda: {"who": some_word(rng, words), "n": 1},
        }
        if section == "plots":
            known |= {"x": lambda: "a", "title": lambda: some_word(rng, words), "header": lambda: False}
        return {name: known[name]() for name in rng.sample(sorted(known), rng.choice((0, 0, 0, 1, 1, 2)))}

    def _flags(self) -> None:
        for flag, often in (("frozen", 0.05), ("always_changed", 0.08)):
            if self.rng.random() < often and not (self.site.runs and flag == "frozen"):
                self.spec[flag] = self.rng.random() < 0.7
        if self.rng.random() < 0.15:
            self.spec["desc"] = f"About {pick(self.rng, self.values, _is_plain)}, {some_word(self.rng, self.values)}."
        if self.rng.random() < 0.15:
            exact = pick(self.rng, self.values, _is_plain)
            self.spec["meta"] = {"list": [exact, 1, None], exact or "k": "${" + "w}" if "w" in self.values else 1.5}

    def _cmd(self) -> str | list[str]:
        parts = [*self.parts] or ["true"]
        parts[-1] += self._remark()
        shape = self.rng.random()
        if shape < 0.5:
            return " && ".join([*(f"({part})" for part in parts[:-1]), parts[-1]])
        if shape < 0.75:
            return parts if self.rng.random() < 0.7 else [f"{part}\n" for part in parts]
        return "\n".join(parts) + self.rng.choice(("", "\n"))

    def _remark(self) -> str:
        """Give a comment of the shell that names variables of every kind, and things that are no expressions."""
        drawn = [
            pick(self.rng, self.values, _is_plain),
            pick(self.rng, self.values, _unpacks),
            *(["${item}"] if all(_is_plain(item.get("item", {})) for item in self.items) else []),
            *(["${key}"] if all("key" in item for item in self.items) else []),
            self.rng.choice((r"\${no}", r"\\${w}" if "w" in self.values else "", "$$", "$(:)", "{}", "$ {w}", "%s")),
        ]
        chosen = [text for text in drawn if text and self.rng.random() < 0.6]
        return f" # {' '.join(chosen)}" if chosen else ""


def stage(site: Site) -> tuple[str, Values]:
    """Draw a stage or a group: its name and its definition."""
    name = f"{site.rng.choice(('s', 'train', 'a b', 'x/y', 'p.q', 'é'))}{site.number()}"
    return name, site.rng.choices((_single, _foreach, _matrix), (6, 3, 2))[0](site)


def _single(site: Site) -> Values:
    return Body(site, [{}], some_word(site.rng, site.values)).drawn()


def _foreach(site: Site) -> Values:
    rng = site.rng
    kind = rng.choice(("words", "named words", "scalars", "records", "map", "named map"))
    named = [keys for keys, value in leaves(site.values) if _iterates(value, kind)]
    written: Any
    if kind.startswith("named") and named:
        keys = rng.choice(named)
        written, found = expression(rng, keys), _selected(random_values.dotted(keys), site.values)
    else:
        found = _iterable(rng, kind)
        written = found
    items = _items(found)
    apart = _apart(kind, found)
    body = Body(site, items or [{}], apart if items else "").drawn()
    return {"foreach": written, "do": body} if rng.random() < 0.8 else {"do": body, "foreach": written}


def _iterates(value: Any, kind: str) -> bool:
    if kind == "named map":
        return isinstance(value, dict) and all(map(is_word, value)) and bool(value)
    return isinstance(value, list) and all(one in random_values.WORDS for one in value)


def _iterable(rng: Random, kind: str) -> Any:
    if kind == "scalars":
        return random_values.scalars(rng)
    if kind == "records":
        return random_values.records(rng)
    if "map" in kind:
        return {
            word: rng.choice((random_values.scalar(rng), {"name": word, "n": 1})) for word in random_values.words(rng)
        }
    return random_values.words(rng)


def _items(found: Any) -> list[Values]:
    if isinstance(found, dict):
        return [{"item": value, "key": key} for key, value in found.items()]
    return [{"item": value} for value in found]


def _apart(kind: str, found: Any) -> str:
    """Give an expression that differs in each stage of a group and may stand in a path; empty where there is none."""
    if isinstance(found, dict):
        return "${key}" if all(key in random_values.WORDS for key in found) else ""
    if kind == "records":
        return "${item.name}"
    return "${item}" if found and all(one in random_values.WORDS for one in found) else ""


def _matrix(site: Site) -> Values:
    rng = site.rng
    axes: dict[str, Any] = {}
    written: dict[str, Any] = {}
    for axis in rng.sample(("os", "n", "model", "x y"), rng.randint(1, 3)):
        lists = [keys for keys, value in leaves(site.values) if _iterates(value, "words")]
        if lists and rng.random() < 0.4:
            keys = rng.choice(lists)
            written[axis], axes[axis] = expression(rng, keys), _selected(random_values.dotted(keys), site.values)
        else:
            axes[axis] = written[axis] = rng.choice(
                (random_values.words(rng)[:2], [1, 2], [True, False], [{"k": "v"}, {"k": "u"}], ["a", ["b"]])
            )
    combined: list[tuple[str, Values]] = [("", {})]
    for axis, members in axes.items():
        combined = [
            (f"{key}-{_fragment(axis, number, value)}".lstrip("-"), {**item, axis: value})
            for key, item in combined
            for number, value in enumerate(members)
        ]
    items = [{"key": key, "item": item} for key, item in dict(combined).items()]
    body = Body(site, items or [{}], "${key}" if items else "").drawn()
    return {"matrix": written, **body}


def _fragment(axis: str, number: int, value: Any) -> str:
    return f"{axis}{number}" if isinstance(value, (dict, list)) else shown(value)
