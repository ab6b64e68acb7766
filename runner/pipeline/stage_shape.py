"""The fixed shape of dvc.yaml: what a stage may hold as it is written, and what once its templates are filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from runner.pipeline import shape, spellings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.pipeline.shape import Page, Shape, Where

TOP: Final[Shape] = {
    "stages": shape.MAPPING,
    "vars": shape.LIST,
    "params": shape.LIST,
    "metrics": shape.LIST,
    "plots": shape.LIST,
    "artifacts": shape.MAPPING,
    "datasets": shape.LIST,
}
STAGE: Final[Shape] = {
    "cmd": shape.COMMAND,
    "wdir": shape.STRING,
    "deps": shape.STRINGS,
    "params": shape.LIST,
    "outs": shape.LIST,
    "metrics": shape.LIST,
    "plots": shape.LIST,
    "frozen": shape.BOOL,
    "always_changed": shape.BOOL,
    "desc": shape.STRING,
    "meta": shape.ANYTHING,
    "vars": shape.LIST,
    "matrix": shape.MAPPING,
}
_FLAGS: Final[Shape] = {
    "cache": shape.BOOL,
    "persist": shape.BOOL,
    "checkpoint": shape.BOOL,
    "remote": shape.STRING,
    "push": shape.BOOL,
    "desc": shape.STRING,
    "type": shape.STRING,
    "labels": shape.STRINGS,
    "meta": shape.ANYTHING,
}
_WORDS: Final = ("template", "x", "y", "x_label", "y_label", "title")
STYLE: Final = (*_WORDS, "header")
"""What says how a plot is drawn."""
_PLOT_FLAGS: Final[Shape] = {**_FLAGS, **dict.fromkeys(_WORDS, shape.STRING), "header": shape.BOOL}
OUT_SECTIONS: Final = {"outs": _FLAGS, "metrics": _FLAGS, "plots": _PLOT_FLAGS}
FOREACH: Final[Shape] = {"foreach": shape.ITERABLE, "do": shape.MAPPING}
FILLED: Final[Shape] = {
    **STAGE,
    "cmd": shape.NULLABLE_COMMAND,
    "wdir": shape.NULLABLE_STRING,
    "desc": shape.ANYTHING,
    "matrix": shape.ANYTHING,  # inside `do` it is passed over (DVC's rule)
}
TYPED: Final = "one ${...} alone keeps the type of its value: put a text beside it, or quotes round the value"


def _filled(flags: Shape) -> Shape:
    """Give the flags as DVC takes them from a template: what is only shown to people may be of any kind."""
    shown = {shape.STRING, shape.STRINGS}
    return {flag: shape.ANYTHING if kind in shown and flag != "remote" else kind for flag, kind in flags.items()}


FILLED_SECTIONS: Final = {section: _filled(flags) for section, flags in OUT_SECTIONS.items()}


def checked(page: Page, spec: object, at: Where) -> dict[str, Any]:
    """Check a stage as written, before anything is filled in (DVC's rule); give what is sound of it."""
    page.fits(spec, STAGE, at, required="cmd")
    if not isinstance(spec, dict):
        return {}
    sound = shape.sound(spec, STAGE)
    for section, flags in OUT_SECTIONS.items():
        for _ in flagged(page, flags, sound.get(section, ()), (*at, section)):
            pass  # looking is checking
    for number, written in enumerate(sound.get("params", ())):
        page.holds(written, shape.STRING_OR_MAPPING, (*at, "params", number))
    axes = [page.holds(axis, shape.AXIS, (*at, "matrix", name)) for name, axis in sound.get("matrix", {}).items()]
    if not all(axes):
        del sound["matrix"]
    if "vars" in sound and not are_vars(page, sound["vars"], (*at, "vars")):
        del sound["vars"]
    return sound


def are_vars(page: Page, entries: Sequence[Any], at: Where) -> bool:
    """Whether all of it can be `vars`; every entry is checked, also after a mistake."""
    held = [page.holds(entry, shape.STRING_OR_MAPPING, (*at, number)) for number, entry in enumerate(entries)]
    return all(held)


def flagged(page: Page, known: Shape, outs: Sequence[Any], at: Where) -> Iterator[tuple[str, dict[str, Any], Where]]:
    """Yield the paths of a section of outs with their flags and places; what is neither is noted."""
    for number, written in enumerate(outs):
        if isinstance(written, str):
            yield written, {}, (*at, number)
        elif page.holds(written, shape.MAPPING, (*at, number)) and not _is_misspelled(
            page, known, written, (*at, number)
        ):
            for spelled, flags in written.items():
                place = (*at, number, spelled)
                is_path = page.holds(spelled, shape.STRING, place)
                if page.fits(flags, known, place) and is_path:
                    yield spelled, flags, place


def _is_misspelled(page: Page, known: Shape, written: dict[Any, Any], at: Where) -> bool:
    """Whether an out is written as in a dvc.lock, or with its flags beside instead of below it: noted once."""
    if right := spellings.of_path(written):
        page.wrong(at, "an out is written as its path, without `path:`", right, kind="wrong-value")
        return True
    beside = [key for key in written if key in known]
    bare = [spelled for spelled, flags in written.items() if flags is None]
    if beside and len(bare) == 1 and len(written) > 1:
        hint = f"indent {', '.join(beside)} by two more blanks"
        page.wrong((*at, beside[0]), f"the flags of {bare[0]!r} do not stand below it", hint, kind="wrong-value")
        return True
    return False
