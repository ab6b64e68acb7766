"""Value classes: `dataclasses.dataclass` at a thirtieth of what it costs to import.

The standard decorator compiles six methods for each class when its module is imported, and looks its fields through for
all that a field may be: 0.7 ms. A start imports ninety such classes, and makes a few instances of half of them. Here
equality, hash, representation and the refusal of assignments are functions that all classes share; `__init__` is
compiled for a class that has more than a few instances; and `dataclasses` finds the fields when it first asks for them.
Type checkers are shown the original, and `field`, `fields`, `replace` and `asdict` of `dataclasses` serve both.
`InitVar`, `order`, more than one base of values, and fields with `init=False` or `kw_only=True` of their own are left
out: nothing needs them.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, Field, FrozenInstanceError
from functools import cache
from inspect import get_annotations
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - given on

    Instance = Any  # of any class: which fields it has is known when it is called
else:

    def dataclass(cls: type | None = None, /, *, frozen: bool = False, slots: bool = False, kw_only: bool = False):  # noqa: ANN201 - the original's, see above
        """Make a class one of values; used as the original is."""
        if cls is None:
            return lambda given: dataclass(given, frozen=frozen, slots=slots, kw_only=kw_only)
        own = {name: _shareable(cls, name, vars(cls).get(name, MISSING)) for name in _annotated(cls)}
        made = _with_slots(cls, own) if slots else _with_defaults(cls, own)
        made.__given__ = {**getattr(cls, "__given__", {}), **own}
        made.__match_args__ = (*getattr(cls, "__match_args__", ()), *(() if kw_only else own))
        made.__dataclass_fields__ = _Fields(made, own, kw_only=kw_only)
        return _completed(made, frozen=frozen)


_FEW: Final = 20
"""Instances that take as long without a compiled `__init__` as to compile one."""


def _annotated(cls: type) -> list[str]:
    """Name the fields that the class itself declares."""
    return [name for name, kind in get_annotations(cls).items() if not str(kind).startswith("ClassVar")]


def _shareable(cls: type, name: str, written: object) -> object:
    """Give a default as it was written, but none that one instance could change for all others."""
    if type(written).__hash__ is None:
        message = f"{cls.__qualname__}.{name}: a mutable default; use default_factory"
        raise ValueError(message)
    return written


def _with_slots(cls: type, own: Iterable[str]) -> type:
    """Make the class anew with a slot for each of its own fields, which excludes defaults as attributes."""
    left_out = {*own, "__dict__", "__weakref__"}
    kept = {name: value for name, value in vars(cls).items() if name not in left_out}
    return type(cls)(cls.__name__, cls.__bases__, {**kept, "__slots__": tuple(own), "__qualname__": cls.__qualname__})


def _with_defaults(cls: type, own: Mapping[str, object]) -> type:
    """Let each default be an attribute of the class, as it is of the original."""
    for name, given in own.items():
        if isinstance(given, Field):
            delattr(cls, name)
            if given.default is not MISSING:
                setattr(cls, name, given.default)
    return cls


class _Fields:
    """Stands where `dataclasses` looks for the fields of a class, and has it find them when it first does."""

    def __init__(self, cls: type, own: Mapping[str, object], *, kw_only: bool) -> None:
        self._cls, self._own, self._kw_only = cls, own, kw_only

    def __get__(self, _instance: object, _owner: type) -> dict[str, Field[Any]]:
        cls = self._cls
        given = {name: value for name, value in self._own.items() if value is not MISSING}
        about = {"__annotations__": get_annotations(cls), "__module__": cls.__module__, "__doc__": cls.__doc__ or "-"}
        twin: Instance = type(cls.__name__, (), {**given, **about})
        dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=self._kw_only)(twin)
        inherited: dict[str, Field[Any]] = getattr(super(cls, cls), "__dataclass_fields__", {})
        found = {**inherited, **twin.__dataclass_fields__}
        setattr(cls, "__dataclass_fields__", found)  # noqa: B010 - in our own place
        return found


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
    """Give the `__init__` of the first few instances. Wrong arguments are the compiled one's to refuse."""
    places, given = cls.__match_args__, cls.__given__
    left = _FEW

    def __init__(self: Instance, *values: object, **named: object) -> None:  # noqa: N807 - it is shown in tracebacks
        nonlocal left
        left -= 1
        found = _taken(places, given, values, named) if left > 0 else None
        if found is None:
            cls.__init__ = _compiled(cls, frozen=frozen)
            cls.__init__(self, *values, **named)
            return
        for name, value in found.items():
            object.__setattr__(self, name, value)
        if hasattr(cls, "__post_init__"):
            self.__post_init__()

    return __init__


def _taken(
    places: Sequence[str], given: Mapping[str, object], values: Sequence[object], named: Mapping[str, object]
) -> dict[str, object] | None:
    """Give the value of each field; `None` where the arguments are wrong."""
    passed = dict(zip(places, values, strict=False))
    if len(values) > len(places) or not passed.keys().isdisjoint(named):
        return None
    passed.update(named)
    found = {}
    for name, written in given.items():
        value = found[name] = passed.pop(name) if name in passed else _default(written)
        if value is MISSING:
            return None
    return None if passed else found


def _default(written: object) -> object:
    """Give the value of a field that is not passed; `MISSING` where it has to be."""
    if isinstance(written, Field):
        return written.default if written.default_factory is MISSING else written.default_factory()
    return written


def _compiled(cls: Instance, *, frozen: bool) -> Callable[..., None]:
    """Compile what takes each field as a parameter and sets it."""
    known: dict[str, Any] = {"_missing": MISSING, "_set": object.__setattr__}
    places: list[str] = []
    named: list[str] = []
    body: list[str] = []
    for name, given in cls.__given__.items():
        default, factory = (given.default, given.default_factory) if isinstance(given, Field) else (given, MISSING)
        (places if name in cls.__match_args__ else named).append(_parameter(name, default, factory, known))
        value = name if factory is MISSING else f"_of_{name}() if {name} is _missing else {name}"
        body.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    parameters = ", ".join(["self", *places, *(["*", *named] if named else [])])
    exec(f"def __init__({parameters}):\n " + "\n ".join(body or ["pass"]), known)  # noqa: S102 - of our own names
    compiled: Callable[..., None] = known["__init__"]
    return compiled


def _parameter(name: str, default: object, factory: object, known: dict[str, Any]) -> str:
    """Give the field as a parameter, and make its default known to the compiled function."""
    if factory is not MISSING:
        known[f"_of_{name}"] = factory
        return f"{name}=_missing"
    if default is not MISSING:
        known[f"_of_{name}"] = default
        return f"{name}=_of_{name}"
    return name


@cache
def _compared(cls: type) -> Callable[[object], object]:
    return _getter(_chosen(cls, lambda field: field.compare))


@cache
def _told_apart(cls: type) -> Callable[[object], object]:
    return _getter(_chosen(cls, lambda field: field.compare if field.hash is None else field.hash))


@cache
def _public(cls: type) -> tuple[str, ...]:
    return _chosen(cls, lambda field: field.repr)


def _chosen(cls: Instance, choice: Callable[[Field[Any]], bool]) -> tuple[str, ...]:
    """Name the fields of which nothing is said, or of which `choice` holds."""
    return tuple(name for name, given in cls.__given__.items() if not isinstance(given, Field) or choice(given))


def _getter(wanted: tuple[str, ...]) -> Callable[[object], object]:
    """Give what takes the fields from an instance as one tuple."""
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
