"""Which params a Python source reads: follows what `yaml.safe_load`, `params_show` and the like give. Runs nothing.

A small evaluator over the syntax tree. It knows three things of a value: that it is text, an open file, or a part of
a params file; everything else is nothing. It goes through the whole source until it learns nothing new, so that
functions that load, pass on and return params are seen through. What it does not understand it says nothing of.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Final

from runner.pipeline.lint import values
from runner.pipeline.lint.values import Part, Text, Use, Value
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    Function = ast.FunctionDef | ast.AsyncFunctionDef

_ROUNDS: Final = 6
_LOADERS: Final = frozenset({"safe_load", "load", "full_load", "unsafe_load", "round_trip_load", "loads"})
_LIBRARIES: Final = frozenset(
    {"yaml", "ruamel", "json", "toml", "tomllib", "tomli", "YAML", "OmegaConf", "tomlkit", "pyjson5"}
)
_DOTTED: Final = frozenset(
    {"Box", "ConfigBox", "EasyDict", "edict", "Munch", "munchify", "DotMap", "AttrDict", "SimpleNamespace", "Namespace"}
)
_SAME: Final = frozenset({"dict", "to_container", "to_object", "create", "deepcopy", "copy", "cast", "merge"})
_SAME_TEXT: Final = frozenset({"str", "Path", "PurePath", "resolve", "absolute", "fspath", "expanduser"})
_OPENERS: Final = frozenset({"open", "read_text", "read_bytes", "read", "StringIO"})
_OF_A_DICT: Final = frozenset({"get", "items", "keys", "values", "copy", "pop", "update", "setdefault"})


Given = Mapping[str, frozenset[Value]]
"""What functions give, by name. A part of a file without a name is one of the file that the argument names."""


def uses(text: str, given: Given) -> tuple[Use, ...]:
    """Give every use of a params file in a Python source, by line; none where it is not Python.

    Args:
        text: the source.
        given: what functions that it imports give.

    """
    source = _learnt(text, given)
    found = source.uses() if source else ()
    return tuple(sorted(dict.fromkeys(found), key=lambda use: (use.line, use.keys)))


def gives(text: str) -> Given:
    """Give what the functions of a source return, as far as it is a part of a params file."""
    source = _learnt(text, {})
    if source is None:
        return {}
    returned = {
        name: frozenset(part for one in functions for part in values.parts(source.returned.get(id(one), ())))
        for name, functions in source.functions.items()
    }
    return {name: found for name, found in returned.items() if found}


def _learnt(text: str, given: Given) -> _Source | None:
    if not given and not any(word in text for word in ("params_show", *_LIBRARIES)):
        return None
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    source = _Source(tree, given)
    source.learn()
    return source


@dataclass
class _Source:
    """One source, and what its names are known to hold."""

    tree: ast.Module
    given: Given
    names: dict[tuple[int, str], frozenset[Value]] = field(default_factory=dict)
    returned: dict[int, frozenset[Value]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find the functions, and in which one each node stands."""
        self.scopes: dict[int, ast.AST] = {}
        self.outer: dict[int, ast.AST] = {id(self.tree): self.tree}
        self.functions: dict[str, list[Function]] = {}
        self.nodes: list[ast.AST] = []
        waiting: list[tuple[ast.AST, ast.AST]] = [(self.tree, self.tree)]
        for node, scope in waiting:
            self.nodes.append(node)
            self.scopes[id(node)] = scope
            inner = scope
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.functions.setdefault(node.name, []).append(node)
                self.outer[id(node)] = scope
                inner = node
            waiting += [(child, inner) for child in ast.iter_child_nodes(node)]

    def learn(self) -> None:
        """Go through the source until nothing new is learnt."""
        for _ in range(_ROUNDS):
            before = (dict(self.names), dict(self.returned))
            for node in self.nodes:
                self._learn_from(node)
            if before == (self.names, self.returned):
                return

    def uses(self) -> Iterator[Use]:
        """Yield the outermost expressions that are parts of a file."""
        within: set[int] = set()
        for node in self.nodes:  # outer ones first
            if not isinstance(node, (ast.Subscript, ast.Attribute, ast.Call, ast.Name)) or _is_target(node):
                continue
            parts = [value for value in self.value(node) if isinstance(value, Part) and value.keys]
            if parts and id(node) not in within:
                yield from (Use(part.file, part.keys, node.lineno) for part in parts)
            if parts:
                within.update(id(inner) for inner in _chain(node))
            if isinstance(node, ast.Call):
                yield from self._unpacked(node)

    def _unpacked(self, call: ast.Call) -> Iterator[Use]:
        for keyword in call.keywords:
            for value in self.value(keyword.value) if keyword.arg is None else ():
                if isinstance(value, Part) and value.keys:
                    yield Use(value.file, value.keys, call.lineno, unpacked=True)

    # What names hold

    def _learn_from(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, self.value(node.value))
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
            self._bind(node.target, self.value(node.value))
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._bind(node.optional_vars, self.value(node.context_expr))
        elif isinstance(node, ast.Return) and node.value is not None:
            scope = id(self.scopes[id(node)])
            self.returned[scope] = self.returned.get(scope, frozenset()) | self.value(node.value)
        elif isinstance(node, ast.Call):
            for function in self._called(node):
                self._pass(node, function)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._default(node)

    def _default(self, function: Function) -> None:
        arguments = [*function.args.posonlyargs, *function.args.args]
        for argument, given in zip(reversed(arguments), reversed(function.args.defaults), strict=False):
            self._hold(function, argument.arg, self.value(given))
        for argument, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
            self._hold(function, argument.arg, self.value(default))

    def _bind(self, target: ast.AST, held: frozenset[Value]) -> None:
        if isinstance(target, ast.Name):
            self._hold(self.scopes[id(target)], target.id, held)
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
            self._hold(self.tree, f"self.{target.attr}", held)

    def _hold(self, scope: ast.AST, name: str, held: frozenset[Value]) -> None:
        if held:
            self.names[id(scope), name] = self.names.get((id(scope), name), frozenset()) | held

    def _called(self, call: ast.Call) -> list[Function]:
        return self.functions.get(_last(call.func), []) if not _is_foreign(call.func) else []

    def _pass(self, call: ast.Call, function: Function) -> None:
        """Bind the arguments of a call to a function of this source."""
        names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
        if names[:1] == ["self"] or names[:1] == ["cls"]:
            names = names[1:]
        for name, given in zip(names, call.args, strict=False):
            self._hold(function, name, self.value(given))
        for keyword in call.keywords:
            if keyword.arg:
                self._hold(function, keyword.arg, self.value(keyword.value))

    # What expressions are

    def value(self, node: ast.AST | None) -> frozenset[Value]:  # noqa: PLR0911 - one line a kind of expression
        """Give what an expression may be."""
        match node:
            case ast.Constant(value=str(text)):
                return frozenset({Text(text)})
            case ast.Name():
                return self._name(node)
            case ast.Subscript():
                return self._subscript(node)
            case ast.Attribute():
                return self._attribute(node)
            case ast.Call():
                return self._call(node)
            case ast.BinOp():  # `folder / "params.yaml"`: the last part is what tells
                return frozenset(value for value in self.value(node.right) if isinstance(value, Text))
            case ast.BoolOp():
                return frozenset().union(*map(self.value, node.values))
            case ast.IfExp():
                return self.value(node.body) | self.value(node.orelse)
        return frozenset()

    def _name(self, node: ast.Name) -> frozenset[Value]:
        scope = self.scopes[id(node)]
        while (id(scope), node.id) not in self.names and scope is not self.tree:
            scope = self.outer[id(scope)]
        return self.names.get((id(scope), node.id), frozenset())

    def _subscript(self, node: ast.Subscript) -> frozenset[Value]:
        key = node.slice
        parts = values.parts(self.value(node.value))
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            return values.below(parts, key.value)
        return frozenset(parts if isinstance(key, ast.Constant) and isinstance(key.value, int) else ())

    def _attribute(self, node: ast.Attribute) -> frozenset[Value]:
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            return self.names.get((id(self.tree), f"self.{node.attr}"), frozenset())
        dotted = [part for part in values.parts(self.value(node.value)) if part.dotted]
        return values.below(dotted, node.attr) if node.attr not in _OF_A_DICT else frozenset()

    def _call(self, node: ast.Call) -> frozenset[Value]:
        name = _last(node.func)
        first = self.value(node.args[0]) if node.args else frozenset()
        of = self.value(node.func.value) if isinstance(node.func, ast.Attribute) else frozenset()
        if name in {"get", "pop"} and values.parts(of):
            return values.below(values.parts(of), *values.words(first))
        if name in _LOADERS and _root(node.func) & _LIBRARIES:
            return values.loaded(first, dotted=name == "load" and "OmegaConf" in _root(node.func))
        if name == "params_show":
            return frozenset({Part(file) for file in values.words(first) or ["params.yaml"]})
        if name in _OPENERS:
            return values.opened(first | of)
        if name == "join":
            return self.value(node.args[-1]) if node.args else frozenset()
        return self._made(name, node, first | of)

    def _made(self, name: str, node: ast.Call, given: frozenset[Value]) -> frozenset[Value]:
        """Give what a call makes of its argument: another mapping, or what a function of this source returns."""
        if name in _DOTTED:
            unpacked = [self.value(keyword.value) for keyword in node.keywords if keyword.arg is None]
            parts = values.parts(given.union(*unpacked))
            return frozenset(Part(part.file, part.keys, dotted=True) for part in parts)
        if name in _SAME:
            return frozenset(values.parts(given))
        if name in _SAME_TEXT:
            return frozenset(value for value in given if isinstance(value, Text))
        own = frozenset().union(*(self.returned.get(id(one), frozenset()) for one in self._called(node)))
        return own or self._from_elsewhere(name, node)

    def _from_elsewhere(self, name: str, node: ast.Call) -> frozenset[Value]:
        """Give what an imported function returns: of the file that an argument names, if it names none itself."""
        arguments = (*node.args, *(keyword.value for keyword in node.keywords))
        words = [word for argument in arguments for word in values.words(self.value(argument))]
        return frozenset(
            Part(part.file or file, part.keys, part.dotted)
            for part in values.parts(self.given.get(name, ()))
            for file in words or [""]
        )


def _last(function: ast.AST) -> str:
    """Give the last name of what is called: `load` of `yaml.load`."""
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _root(function: ast.AST) -> frozenset[str]:
    """Give every name in what is called: `YAML` and `load` of `YAML(typ="safe").load`."""
    found = (inner for inner in ast.walk(function) if isinstance(inner, (ast.Name, ast.Attribute)))
    return frozenset(inner.id if isinstance(inner, ast.Name) else inner.attr for inner in found)


def _is_foreign(function: ast.AST) -> bool:
    """Whether a method is called of something that is not `self` or `cls`."""
    if not isinstance(function, ast.Attribute):
        return False
    return not (isinstance(function.value, ast.Name) and function.value.id in {"self", "cls"})


def _is_target(node: ast.AST) -> bool:
    return not isinstance(getattr(node, "ctx", ast.Load()), ast.Load)


def _chain(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what an expression takes its keys from, inwards."""
    while isinstance(node, (ast.Subscript, ast.Attribute, ast.Call)):
        if isinstance(node, ast.Call):
            inner: ast.AST = node.func
            node = inner.value if isinstance(inner, ast.Attribute) else inner
        else:
            node = node.value
        yield node
