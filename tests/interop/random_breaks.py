"""The many ways in which people break DVC's files, each one change to a project that was valid.

Not each change breaks each project (a name may happen to be free, a list empty): what DVC makes of it is what counts.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any, Final

from runner.pipeline import yaml12

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.interop.random_projects import Draft

Texts = dict[str, str | bytes]
Spec = dict[str, Any]


def broken(draft: Draft) -> Texts:
    """Break the project in one way, which is noted in it; give the files whose text replaces what was drawn."""
    for name in draft.rng.sample(sorted(_BREAKS), len(_BREAKS)):
        texts = _BREAKS[name](draft)
        if texts is not None:
            draft.broken = name
            return texts
    return {}


# What the breaks choose from


def _specs(draft: Draft) -> Iterator[tuple[str, str, Spec]]:
    """Yield every definition: path of the dvc.yaml, name, and the mapping that holds `cmd`."""
    for path, document in draft.pipelines.items():
        for name, spec in document["stages"].items():
            yield path, name, spec.get("do", spec)


def _spec(draft: Draft, key: str = "cmd") -> tuple[str, str, Spec] | None:
    found = [each for each in _specs(draft) if each[2].get(key)]
    return draft.rng.choice(found) if found else None


def _group(draft: Draft, kind: str) -> Spec | None:
    specs = [spec for document in draft.pipelines.values() for spec in document["stages"].values() if kind in spec]
    return draft.rng.choice(specs) if specs else None


def _document(draft: Draft) -> Spec:
    return draft.pipelines[draft.rng.choice(sorted(draft.pipelines))]  # type: ignore[no-any-return]


def _out_of(spec: Spec) -> str | None:
    """Give the spelled path of the first out, without templates."""
    for section in ("outs", "metrics", "plots"):
        for written in spec.get(section, ()):
            path = written if isinstance(written, str) else next(iter(written))
            if "${" not in path:
                return path
    return None


# Expressions

_WRONG_TEXTS: Final = (
    "${nowhere}",
    "${w.deeper}",
    "${t.nowhere.b}",
    "${l[99]}",
    "${l[x]}",
    "${l.b}",
    "${}",
    "${ }",
    "${.a}",
    "${a..b}",
    "${a[}",
    "${a]}",
    "${l[0}",
    "${l[]}",
    "${t[deep].nowhere}",
    "${item}",
    "${key}",
    "${${w}}",
    "${t['a']}",
    "${t}",
    "${l}",
    "x ${t}",
    "x ${l}",
    "x ${r}",
    "${r[0]}",
    "${w}${nowhere}",
    "${z.a}",
    "${n}",
    "${b}",
    "${z}",
)


def _wrong_text(draft: Draft) -> str:
    return draft.rng.choice(_WRONG_TEXTS)


def wrong_expression_in_cmd(draft: Draft) -> Texts | None:
    found = _spec(draft)
    if not found:
        return None
    text, cmd = _wrong_text(draft), found[2]["cmd"]
    if isinstance(cmd, list):
        cmd[draft.rng.randrange(len(cmd))] = draft.rng.choice((text, f"echo {text}"))
    else:
        found[2]["cmd"] = draft.rng.choice((text, f"echo {text}", [text]))
    return {}


def wrong_expression_in_a_list(draft: Draft) -> Texts | None:
    section = draft.rng.choice(("deps", "outs", "metrics", "plots", "params"))
    found = _spec(draft, section)
    if not found:
        return None
    text = _wrong_text(draft)
    found[2][section].append(draft.rng.choice((text, f"a-{text}", {text: {"cache": False}}, {"f.yaml": [text]})))
    return {}


def wrong_expression_elsewhere(draft: Draft) -> Texts | None:
    found = _spec(draft)
    if not found:
        return None
    text = _wrong_text(draft)
    key, value = draft.rng.choice(
        (("wdir", text), ("wdir", f"x/{text}"), ("desc", text), ("meta", {"a": [text]}), ("meta", {text: 1}))
    )
    found[2][key] = value
    return {}


def wrong_expression_in_a_group(draft: Draft) -> Texts | None:
    kind = draft.rng.choice(("foreach", "matrix"))
    spec, text = _group(draft, kind), _wrong_text(draft)
    if not spec:
        return None
    spec[kind] = (
        draft.rng.choice((text, [text], {"a": text})) if kind == "foreach" else {"a": draft.rng.choice((text, [text]))}
    )
    return {}


def wrong_expression_at_the_top(draft: Draft) -> Texts | None:
    section = draft.rng.choice(("metrics", "params", "plots", "artifacts"))
    text = _wrong_text(draft)
    _document(draft)[section] = {"m": {"path": text}} if section == "artifacts" else [text]
    return {}


# Variables


def redefined(draft: Draft) -> Texts | None:
    name = draft.rng.choice(("w", "n", "t", "l", "m"))
    value: Any = draft.rng.choice(({"w": 1}, {"a": "x"}, {"deep": {"b": "x"}}, {"deep": 1}, 1, "x", None, [], {}))
    _document(draft).setdefault("vars", []).append({name: value if name == "t" else 1})
    return {}


def redefined_by_a_stage(draft: Draft) -> Texts | None:
    found = _spec(draft)
    if not found:
        return None
    name = draft.rng.choice(("w", "t", "item", "key", "own", "w"))
    found[2].setdefault("vars", []).append({name: draft.rng.choice(("x", {"new": 1}, {"a": 1}))})
    return {}


def loaded_twice(draft: Draft) -> Texts | None:
    path = draft.rng.choice(sorted(draft.pipelines))
    document = draft.pipelines[path]
    loaded = [one for one in document.get("vars", ()) if isinstance(one, str)] or ["params.yaml"]
    name = draft.rng.choice(loaded).partition(":")[0]
    again = draft.rng.choice(
        (name, f"./{name}", f"{name}:w", f"{name}:w,n", f"{name}:", f"{name}:w:n", "params.yaml:w")
    )
    place = document if draft.rng.random() < 0.6 else next(iter(document["stages"].values()))
    place = place.get("do", place)
    place.setdefault("vars", []).append(again)
    return {}


_WRONG_FILES: Final[dict[str, tuple[str, str | None]]] = {
    "missing": ("nowhere.yaml", None),
    "no mapping": ("bad.yaml", "- 1\n"),
    "text": ("bad.yaml", "words\n"),
    "empty": ("bad.yaml", ""),
    "nothing": ("bad.yaml", "null\n"),
    "bad yaml": ("bad.yaml", "a: [1\n"),
    "twice": ("bad.yaml", "a1: 1\na1: 2\n"),
    "date": ("bad.yaml", "a1: 2020-01-01\n"),
    "deep date": ("bad.yaml", "a1: {b: [2020-01-01 10:00:00]}\n"),
    "bad json": ("bad.json", '{"a1": 1,}'),
    "comments in json": ("bad.json", '// no\n{"a1": 1}'),
    "nan in json": ("bad.json", '{"a1": NaN}'),
    "twice in json": ("bad.json", '{"a1": 1, "a1": 2}'),
    "list in json": ("bad.json", "[1]"),
    "bad toml": ("bad.toml", "a1 = \n"),
    "date in toml": ("bad.toml", "a1 = 2020-01-01\n"),
    "twice in toml": ("bad.toml", "a1 = 1\na1 = 2\n"),
    "bad python": ("bad.py", "a1 = (\n"),
    "code in python": ("bad.py", "a1 = f()\nb1 = 1 + 1\n"),
    "tuple in python": ("bad.py", "a1 = (1, 2)\n"),
    "set in python": ("bad.py", "a1 = {1, 2}\n"),
    "bytes in python": ("bad.py", "a1 = b'x'\n"),
    "a key that is not there": ("good.yaml:nowhere", "a1: 1\n"),
    "a dotted key": ("good.yaml:a1.b", "a1: {b: 1}\n"),
    "blanks before a key": ("good.yaml: a1", "a1: 1\n"),
    "odd keys": ("bad.yaml", "1: x\ntrue: y\nnull: z\n2.5: [1]\na1: 2\n"),
    "anchors": ("bad.yaml", "a1: &x {b: 1}\nc1: *x\nd1: {<<: *x, e: 2}\n"),
}


def wrong_vars_file(draft: Draft) -> Texts | None:
    path = draft.rng.choice(sorted(draft.pipelines))
    loaded, text = _WRONG_FILES[draft.rng.choice(sorted(_WRONG_FILES))]
    draft.pipelines[path].setdefault("vars", []).append(loaded)
    named = loaded.partition(":")[0]
    return {} if text is None else {posixpath.join(posixpath.dirname(path), named): text}


def wrong_params_yaml(draft: Draft) -> Texts | None:
    path = posixpath.join(posixpath.dirname(draft.rng.choice(sorted(draft.pipelines))), "params.yaml")
    texts = [text for name, text in _WRONG_FILES.values() if name.endswith("yaml") and text is not None]
    before = yaml12.render(draft.params[path]) if path in draft.params else ""
    return {path: draft.rng.choice(("", before)) + draft.rng.choice(texts)}


def wrong_vars(draft: Draft) -> Texts | None:
    value: Any = draft.rng.choice(
        (
            [1],
            [None],
            {"a1": 1},
            "x.yaml",
            [["a"]],
            ["${w}"],
            [{"a1": "${w}"}],
            [{"${w}": 1}],
            ["."],
            [""],
            [":w"],
            None,
            [{}],
            [{1: 2}],
        )
    )
    place = draft.rng.choice(("top", "stage"))
    found = _spec(draft)
    if place == "top":
        _document(draft)["vars"] = value
    elif found:
        found[2]["vars"] = value
    return {}


# Keys and types

_VALUES: Final[tuple[Any, ...]] = (
    None,
    1,
    1.5,
    True,
    "x",
    "",
    [],
    {},
    [1],
    [None],
    [[]],
    [{}],
    {"a": 1},
    {"a": None},
    [{"a": 1}],
    [""],
    [{"a": None}],
    [{"a": [1]}],
    [{1: []}],
    [{"": {}}],
)
_STAGE_KEYS: Final = (
    "cmd",
    "wdir",
    "deps",
    "params",
    "outs",
    "metrics",
    "plots",
    "frozen",
    "always_changed",
    "desc",
    "meta",
    "vars",
    "matrix",
)
_TOP_KEYS: Final = (
    "stages",
    "vars",
    "params",
    "metrics",
    "plots",
    "artifacts",
)  # DVC checks datasets only when it asks one


def wrong_type_in_a_stage(draft: Draft) -> Texts | None:
    found = _spec(draft)
    if not found:
        return None
    found[2][draft.rng.choice(_STAGE_KEYS)] = draft.rng.choice(_VALUES)
    return {}


def wrong_type_at_the_top(draft: Draft) -> Texts | None:
    _document(draft)[draft.rng.choice(_TOP_KEYS)] = draft.rng.choice(_VALUES)
    return {}


def wrong_type_of_a_flag(draft: Draft) -> Texts | None:
    section = draft.rng.choice(("outs", "metrics", "plots"))
    found = _spec(draft, section)
    if not found:
        return None
    flag = draft.rng.choice(
        (
            "cache",
            "persist",
            "push",
            "remote",
            "desc",
            "type",
            "labels",
            "meta",
            "x",
            "title",
            "header",
            "xpath",
            "checkpoint",
            "md5",
        )
    )
    value: Any = draft.rng.choice((*_VALUES, "yes", "${b}", False))
    found[2][section].append({f"flagged{draft.rng.random()}": {flag: value}})
    return {}


def unknown_key(draft: Draft) -> Texts | None:
    found = _spec(draft)
    key = draft.rng.choice(("dep", "CMD", "command", "${w}", "x", "md5", "locked", "do", "foreach"))
    if draft.rng.random() < 0.3 or not found:
        _document(draft)[key] = draft.rng.choice(_VALUES)
    else:
        found[2][key] = draft.rng.choice(_VALUES)
    return {}


def no_cmd(draft: Draft) -> Texts | None:
    found = _spec(draft)
    if not found:
        return None
    del found[2]["cmd"]
    return {}


def wrong_stage(draft: Draft) -> Texts | None:
    names = ("", 1, None, True, "a@b", "a@", "@b", "x", "a:b", "${w}", "s@red")
    specs: tuple[Any, ...] = (None, [], "cmd", {}, {"cmd": "x"}, {"cmd": "x"}, {"cmd": "x"}, {"cmd": ""}, {"cmd": []})
    _document(draft)["stages"][draft.rng.choice(names)] = draft.rng.choice(specs)
    return {}


_GROUPS: Final = (
    {"foreach": [1, 2]},
    {"do": {"cmd": "x"}},
    {"foreach": [1], "do": {"cmd": "x"}, "cmd": "x"},
    {"foreach": [1], "do": {"cmd": "x"}, "frozen": True},
    {"foreach": None, "do": {"cmd": "x"}},
    {"foreach": 3, "do": {"cmd": "x"}},
    {"foreach": "abc", "do": {"cmd": "x"}},
    {"foreach": "${n}", "do": {"cmd": "x"}},
    {"foreach": "${w}", "do": {"cmd": "x"}},
    {"foreach": "x${l}", "do": {"cmd": "x"}},
    {"foreach": [], "do": {"cmd": "x"}},
    {"foreach": {}, "do": {"cmd": "${nowhere}"}},
    {"foreach": [1], "do": {"cmd": "${key}"}},
    {"foreach": [1, 1], "do": {"cmd": "x ${item}"}},
    {"foreach": [1, "1"], "do": {"cmd": "x ${item}"}},
    {"foreach": ["a@b"], "do": {"cmd": "x"}},
    {"foreach": {"a@b": 1}, "do": {"cmd": "x"}},
    {"foreach": [""], "do": {"cmd": "x"}},
    {"foreach": [None, True, 1e-3, 1.0, -1], "do": {"cmd": "x ${item}"}},
    {"foreach": {"true": 1, True: 2}, "do": {"cmd": "x ${key} ${item}"}},
    {"foreach": {1: 1, None: 2, 2.50: 3}, "do": {"cmd": "x ${key} ${item}"}},
    {"foreach": "${q}", "do": {"cmd": "x ${item}"}},
    {"foreach": "${m}", "do": {"cmd": "x ${key}"}},
    {"foreach": {"${w}": "${n}"}, "do": {"cmd": "x ${key} ${item}"}},
    {"foreach": ["${t}", "${l}"], "do": {"cmd": "x"}},
    {"foreach": [[1, 2], [3]], "do": {"cmd": "x ${item[0]}"}},
    {"foreach": [{"a": 1}, 2], "do": {"cmd": "x"}},
    {"foreach": [{"a": 1}, {"b": 1}], "do": {"cmd": "x ${item.a}"}},
    {"foreach": [1], "do": {"foreach": [1], "do": {"cmd": "x"}}},
    {"foreach": [1], "do": {"cmd": "x", "matrix": {"a": [1]}}},
    {"foreach": [1], "do": {"cmd": "x", "vars": [{"item": 1}]}},
    {"foreach": [1], "do": {"cmd": "x ${v}", "vars": [{"v": 1}]}},
    {"foreach": [1], "do": {"cmd": "x", "vars": [{"v": "${item}"}]}},
    {"foreach": ["x y", "a/b", "c:d"], "do": {"cmd": "x ${item}"}},
    {"foreach": [1, 2], "do": {"cmd": "x", "outs": ["same"]}},
    {"foreach": [1, 2], "do": {"cmd": "x", "outs": ["in", "in/${item}"]}},
    {"foreach": [1, 2], "do": None},
    {"foreach": [1, 2], "do": {}},
    {"matrix": {}, "cmd": "x"},
    {"matrix": {"a": []}, "cmd": "x"},
    {"matrix": {"a": 1}, "cmd": "x"},
    {"matrix": {"a": "${n}"}, "cmd": "x"},
    {"matrix": {"a": "${w}"}, "cmd": "x"},
    {"matrix": {"a": "${m}"}, "cmd": "x ${item.a}"},
    {"matrix": {"a": "${t}"}, "cmd": "x ${item.a} ${key}"},
    {"matrix": {"a": "${q}"}, "cmd": "x ${item.a} ${key}"},
    {"matrix": {"a": "abc"}, "cmd": "x ${item.a} ${key}"},
    {"matrix": {"a": [1, "1"]}, "cmd": "x ${item.a} ${key}"},
    {"matrix": {"a": [1, None, True, 1e-3]}, "cmd": "x ${item.a} ${key}"},
    {"matrix": {"a": [1], 2: [3]}, "cmd": "x"},
    {"matrix": {"a": ["x@y"]}, "cmd": "x"},
    {"matrix": {"a": [["p", "q"]], "b": [{"c": 1}]}, "cmd": "x ${item.a[1]} ${item.b.c} ${key}"},
    {"matrix": {"a": [1]}, "cmd": "x ${item}"},
    {"matrix": {"a": [1]}, "cmd": "x", "foreach": [1]},
    {"matrix": {"a": [1]}, "do": {"cmd": "x"}},
    {"matrix": {"a.b": [1]}, "cmd": "x ${item.a.b}"},
    {"matrix": {"${w}": [1]}, "cmd": "x ${key}"},
    {"matrix": {"a": [1, 2]}, "cmd": "x", "outs": ["same"]},
    {"matrix": [1], "cmd": "x"},
)


def wrong_group(draft: Draft) -> Texts | None:
    _document(draft)["stages"]["group"] = draft.rng.choice(_GROUPS)
    return {}


# The graph


def out_twice(draft: Draft) -> Texts | None:
    made, (path, _, spec) = draft.made, draft.rng.choice([*_specs(draft)])
    if not made or spec.get("wdir") or "${" in str(spec.get("wdir")):
        return None
    out = posixpath.relpath(draft.rng.choice(made).path, posixpath.dirname(path) or ".")
    again = draft.rng.choice((out, f"./{out}", f"{out}/", f"{out}/inside", posixpath.dirname(out) or out))
    section = draft.rng.choice(("outs", "metrics", "plots", "deps"))
    spec.setdefault(section, [])
    spec[section].append(again if section == "deps" else draft.rng.choice((again, {again: {"cache": False}})))
    return {}


def own_out_as_dep(draft: Draft) -> Texts | None:
    for _, _, spec in draft.rng.sample(list(_specs(draft)), len(list(_specs(draft)))):
        out = _out_of(spec)
        if out:
            spec.setdefault("deps", []).append(
                draft.rng.choice((out, f"./{out}", f"{out}/x", posixpath.dirname(out) or "."))
            )
            return {}
    return None


def wrong_path(draft: Draft) -> Texts | None:
    found = _spec(draft)
    if not found:
        return None
    paths = (
        "",
        ".",
        "..",
        "/",
        "x.dvc",
        "dvc.yaml",
        "sub/dvc.yaml",
        "dvc.lock",
        "x\ny",
        " x",
        "x ",
        "-",
        "~",
        "*",
        "a//b",
        "junk/x",
        "x.tmp",
        ".dvc/x",
        ".git/x",
        "\u200b",
    )
    section = draft.rng.choice(("deps", "outs", "metrics", "plots", "params"))
    path = draft.rng.choice(paths)
    found[2].setdefault(section, []).append({path: None} if section == "params" else path)
    return {".dvcignore": "*.tmp\njunk\n"}


def dvc_file_inside_an_out(draft: Draft) -> Texts | None:
    folders = [made.path for made in draft.made if made.is_folder]
    if not folders:
        return None
    inside = draft.rng.choice(("dvc.yaml", "x.dvc", "deep/dvc.yaml"))
    text = "outs:\n- path: x\n" if inside.endswith(".dvc") else "stages: {}\n"
    return {f"{draft.rng.choice(folders)}/{inside}": text}


# Whole files

_TEXTS: Final = (
    "",
    "{}",
    "[]",
    "null",
    "1",
    "words",
    "- a\n",
    "stages:\n",
    "stages: {}\n",
    "stages:\n  a:\n\tcmd: x\n",
    "stages:\n  a:\n    cmd: x\n   deps: [y]\n",
    "stages: {a: {cmd: x}}\nstages: {}\n",
    "stages: {a: {cmd: x}, a: {cmd: y}}\n",
    "stages: {a: {cmd: x, cmd: y}}\n",
    "stages: {a: {cmd: x}}\n---\nstages: {}\n",
    "stages: {a: {cmd: !x y}}\n",
    "stages: {a: {cmd: *x}}\n",
    "stages: {a: &a {cmd: x}, b: *a}\n",
    "stages:\n  a: &a {cmd: x, outs: [p]}\n  b: {<<: *a, outs: [q]}\n",
    "%YAML 1.1\n---\nstages: {a: {cmd: x, frozen: yes}}\n",
    "stages: {a: {cmd: x, frozen: yes}}\n",
    "stages: {a: {cmd: 'x}}\n",
    "<<<<<<< HEAD\nstages: {}\n=======\nstages: {}\n>>>>>>> b\n",
    "stages: {a: {cmd: x}}\r\n",
    "\ufeffstages: {a: {cmd: x}}\n",
    "stages: {a: {cmd: 'a\n\n  b'}}\n",
    "stages:\n  a:\n    cmd: >-\n      x\n      y\n\n      z\n",
    "stages:\n  a:\n    cmd: |\n      x\n      y\n",
)
_LOCKS: Final = (
    *_TEXTS,
    "schema: '2.0'\n",
    "schema: 2.0\n",
    "schema: '1.0'\n",
    "schema: '2.0'\nstages: {}\n",
    "schema: '2.0'\nstages:\n",
    "schema: '2.0'\nstages: []\n",
    "schema: '2.0'\nstages: {a: {}}\n",
    "schema: '2.0'\nstages: {a: {cmd: x}}\n",
    "schema: '2.0'\nstages: {a: {cmd: 1}}\n",
    "schema: '2.0'\nstages: {a: {cmd: x, deps: [{md5: abc}]}}\n",
    "schema: '2.0'\nstages: {a: {cmd: x, deps: [{path: p, md5: abc, new: 1}]}}\n",
    "schema: '2.0'\nstages: {a: {cmd: x, new: 1}}\n",
    "schema: '2.0'\nnew: 1\n",
    "schema: '2.0'\nstages: {a: {cmd: x, params: {f: {k: 1}}}}\n",
    "schema: '2.0'\nstages: {a: {cmd: x, params: {f: [k]}}}\n",
    "schema: '2.0'\nstages: {a: {cmd: x, outs: [{path: p, size: x}]}}\n",
    "schema: '2.0'\nstages: {1: {cmd: x}}\n",
)
_MD5: Final = "d41d8cd98f00b204e9800998ecf8427e"
_DATA: Final = (
    *_TEXTS,
    "outs:\n",
    "outs: []\n",
    "outs: [{path: p}]\n",
    f"outs: [{{path: p, md5: {_MD5}}}]\n",
    f"outs: [{{path: p, md5: {_MD5}, hash: md5, size: 0}}]\n",
    "outs: [{path: p, md5: ab}]\n",
    "outs: [{path: p, md5: ''}]\n",
    "outs: [{path: p, md5: }]\n",
    "outs: [{path: p, size: x}]\n",
    "outs: [{path: p, new: x}]\n",
    "outs: [{path: p, cache: yes}]\n",
    "outs: [{path: p, nfiles: 1.5}]\n",
    "outs: [{path: p}, {path: p}]\n",
    "outs: [{path: p}, {path: p/q}]\n",
    "outs: [{path: 1}]\n",
    "outs: [p]\n",
    "outs: {path: p}\n",
    "new: 1\n",
    "frozen: 1\n",
    "wdir: nowhere\nouts: [{path: p}]\n",
    "wdir: 1\nouts: [{path: p}]\n",
    "deps: [{path: p}]\nouts: [{path: p}]\n",
    "outs: [{path: x.dvc}]\n",
    "outs: [{path: dvc.yaml}]\n",
    "meta: {a: 2020-01-01}\ndesc: x\nouts: [{path: p}]\n",
    "desc: 1\n",
)


def wrong_dvc_yaml(draft: Draft) -> Texts | None:
    return {draft.rng.choice((*draft.pipelines, "new/dvc.yaml")): draft.rng.choice(_TEXTS)}


def torn_dvc_yaml(draft: Draft) -> Texts | None:
    path = draft.rng.choice(sorted(draft.pipelines))
    text = yaml12.render(draft.pipelines[path])
    return {path: text[: draft.rng.randrange(len(text))]}


def changed_dvc_yaml(draft: Draft) -> Texts | None:
    """Change one character, which often leaves YAML, and often other YAML."""
    path = draft.rng.choice(sorted(draft.pipelines))
    text = yaml12.render(draft.pipelines[path])
    at = draft.rng.randrange(len(text))
    return {path: text[:at] + draft.rng.choice((*"\t \n:-[]{}'\"#&*!|>%@`,?", "", "\x01", "\u2028")) + text[at + 1 :]}


def not_utf8(draft: Draft) -> Texts | None:
    return {
        draft.rng.choice(sorted(draft.pipelines)): draft.rng.choice(
            (b"stages: {\xff: {cmd: x}}\n", "stages: {}".encode("utf-16"))
        )
    }


def wrong_lock(draft: Draft) -> Texts | None:
    path = draft.rng.choice(sorted(draft.pipelines))
    return {posixpath.join(posixpath.dirname(path), "dvc.lock"): draft.rng.choice(_LOCKS)}


def wrong_dvc_file(draft: Draft) -> Texts | None:
    return {draft.rng.choice(("bad.dvc", "sub/bad.dvc")): draft.rng.choice(_DATA)}


def tracked_and_made(draft: Draft) -> Texts | None:
    if not draft.made:
        return None
    path = draft.rng.choice(draft.made).path
    return {"again.dvc": yaml12.render({"outs": [{"path": draft.rng.choice((path, f"{path}/x", f"./{path}"))}]})}


def wrong_config(draft: Draft) -> Texts | None:
    texts = (
        "[parsing]\n    bool = yes\n",
        "[parsing]\n    list = x\n",
        "[parsing]\n    new = x\n",
        "[new]\n    x = y\n",
        "[core\n",
        "[core]\n    remote\n",
        "[core]\n[core]\n",
        "; no comment\n",
        "[core]\n    autostage = yes\n",
        "[core]\n    autostage = TRUE\n",
        "[PARSING]\n    BOOL = boolean_optional\n",
    )
    return {".dvc/config": draft.rng.choice(texts)}


_NAMES: Final = (
    wrong_expression_in_cmd,
    wrong_expression_in_a_list,
    wrong_expression_elsewhere,
    wrong_expression_in_a_group,
    wrong_expression_at_the_top,
    redefined,
    redefined_by_a_stage,
    loaded_twice,
    wrong_vars_file,
    wrong_params_yaml,
    wrong_vars,
    wrong_type_in_a_stage,
    wrong_type_at_the_top,
    wrong_type_of_a_flag,
    unknown_key,
    no_cmd,
    wrong_stage,
    wrong_group,
    out_twice,
    own_out_as_dep,
    wrong_path,
    dvc_file_inside_an_out,
    wrong_dvc_yaml,
    torn_dvc_yaml,
    changed_dvc_yaml,
    not_utf8,
    wrong_lock,
    wrong_dvc_file,
    tracked_and_made,
    wrong_config,
)
_BREAKS: Final[dict[str, Callable[[Draft], Texts | None]]] = {each.__name__.replace("_", " "): each for each in _NAMES}
