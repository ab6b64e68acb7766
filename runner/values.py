"""Value classes: `dataclasses.dataclass` at a thirtieth of what it costs to import.

The standard decorator compiles six methods for each class when its module is imported, which takes 0.4 ms; a start
imports a hundred such classes and makes an instance of half of them. Here the standard decorator finds the fields
alone; equality, hash, representation and the refusal of assignments are functions that all classes share, and
`__init__` is compiled when the class is first called. Type checkers are shown the original, and `field`, `fields`,
`replace` and `asdict` of `dataclasses` serve both. `InitVar`, `init=False` and `order=True` are left out: nothing needs
them.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, FrozenInstanceError, fields
from functools import cache
from inspect import get_annotations
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from dataclasses import Field
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - given on

    Instance = Any  # of any class: which fields it has is known when it is called
else:

    def dataclass(cls: type | None = None, /, *, frozen: bool = False, slots: bool = False, kw_only: bool = False):  # noqa: ANN201 - the original's, see above
        """Make a class one of values; used as the original is."""
        if cls is None:
            return lambda given: dataclass(given, frozen=frozen, slots=slots, kw_only=kw_only)
        return _completed(_with_fields(cls, slots=slots, kw_only=kw_only), frozen=frozen)


def _with_fields(cls: type, *, slots: bool, kw_only: bool) -> type:
    """Let the standard decorator find the fields; what it would compile is left out.

    It is not shown how fields are annotated: searching each text for InitVar and the like takes it as long again.
    """
    bare: Callable[[type], type] = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)
    annotated = get_annotations(cls)
    cls.__annotations__ = {name: object for name, kind in annotated.items() if not str(kind).startswith("ClassVar")}
    made = bare(cls)
    made.__annotations__ = annotated
    return made


def _completed(cls: type, *, frozen: bool) -> type:
    """Give the class its methods, but none that it defines itself."""
    methods: dict[str, object] = {"__init__": _first_init(cls, frozen=frozen), "__repr__": _shown, "__eq__": _equal}
    if frozen:
        methods |= {"__setattr__": _refused, "__delattr__": _refused, "__setstate__": _restored}
    own = cls.__dict__
    methods["__hash__"] = _hashed if frozen else None
    for name, method in methods.items():
        if own.get(name) is None:  # a class that defines `__eq__` is given `__hash__ = None` by Python
            setattr(cls, name, method)
    return cls


def _first_init(cls: Instance, *, frozen: bool) -> Callable[..., None]:
    """Give the `__init__` that puts the compiled one in its place."""

    def __init__(self: Instance, *values: object, **named: object) -> None:  # noqa: N807 - it is shown in tracebacks
        cls.__init__ = _compiled(cls, frozen=frozen)
        cls.__init__(self, *values, **named)

    return __init__


def _compiled(cls: type, *, frozen: bool) -> Callable[..., None]:
    """Compile what takes each field as a parameter and sets it."""
    known: dict[str, Any] = {"_missing": MISSING, "_set": object.__setattr__}
    places: list[str] = []
    named: list[str] = []
    body: list[str] = []
    for each in fields(cls):
        (named if each.kw_only else places).append(_parameter(each, known))
        value = each.name
        if each.default_factory is not MISSING:
            value = f"_of_{value}() if {value} is _missing else {value}"
        body.append(f"_set(self, {each.name!r}, {value})" if frozen else f"self.{each.name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    parameters = ", ".join(["self", *places, *(["*", *named] if named else [])])
    exec(f"def __init__({parameters}):\n " + "\n ".join(body or ["pass"]), known)  # noqa: S102 - of our own names
    compiled: Callable[..., None] = known["__init__"]
    return compiled


def _parameter(each: Field[Any], known: dict[str, Any]) -> str:
    """Give the field as a parameter, and make its default known to the compiled function."""
    if each.default_factory is not MISSING:
        known[f"_of_{each.name}"] = each.default_factory
        return f"{each.name}=_missing"
    if each.default is not MISSING:
        known[f"_of_{each.name}"] = each.default
        return f"{each.name}=_of_{each.name}"
    return each.name


@cache
def _compared(cls: type) -> Callable[[object], object]:
    return _getter(each.name for each in fields(cls) if each.compare)


@cache
def _told_apart(cls: type) -> Callable[[object], object]:
    return _getter(each.name for each in fields(cls) if (each.compare if each.hash is None else each.hash))


@cache
def _public(cls: type) -> tuple[str, ...]:
    return tuple(each.name for each in fields(cls) if each.repr)


def _getter(names: Iterable[str]) -> Callable[[object], object]:
    """Give what takes the fields from an instance as one tuple."""
    wanted = tuple(names)
    if len(wanted) > 1:
        return attrgetter(*wanted)
    return lambda value: tuple(getattr(value, name) for name in wanted)


def _equal(self: Instance, other: Instance) -> Instance:
    if other.__class__ is not self.__class__:
        return NotImplemented
    values = _compared(self.__class__)
    return values(self) == values(other)


def _hashed(self: Instance) -> int:
    return hash(_told_apart(self.__class__)(self))


@recursive_repr()
def _shown(self: Instance) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in _public(self.__class__))
    return f"{self.__class__.__qualname__}({shown})"


def _refused(self: object, name: str, *_value: object) -> NoReturn:
    message = f"{self.__class__.__qualname__}.{name} cannot change: its class is frozen"
    raise FrozenInstanceError(message)


def _restored(self: object, state: Instance) -> None:
    """Take a copied or unpickled state in, which Python would assign."""
    attributes, slots = state if isinstance(state, tuple) else (state, None)
    for name, value in {**(attributes or {}), **(slots or {})}.items():
        object.__setattr__(self, name, value)
