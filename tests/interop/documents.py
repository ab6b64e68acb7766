"""Random params files as text, valid and broken: Python modules, and TOML as people write it."""

from __future__ import annotations

from hypothesis import strategies as st

_NAMES = st.sampled_from(["a", "b", "lr", "self", "C", "ü"])

# What may stand right of a `=`; what is no literal is passed over, what cannot be built is an error.
_PYTHON_SCALARS = st.one_of(
    st.integers().map(repr),
    st.floats(allow_nan=False).map(repr),  # "inf" is a name, so no literal
    st.text(max_size=5).map(repr),
    st.binary(max_size=3).map(repr),
    st.sampled_from(
        ["True", "None", "...", "-1", "+2", "-True", "1 + 2j", "1 - 2", "0x1F", "1_000", "'a' 'b'", "set()", "r'\\d'"]
    ),
    st.sampled_from(["f()", "a.b", "x", "f'{a}'", "[*a]", "{**a}", "(1 if a else 2)", "lambda: 1"]),
)


def _python_containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    parts = st.lists(inner, max_size=3)
    return st.one_of(
        parts.map(lambda values: f"[{', '.join(values)}]"),
        parts.map(lambda values: f"({''.join(f'{value}, ' for value in values)})" if values else "()"),
        parts.map(lambda values: "{" + (", ".join(values) or "1") + "}"),
        st.lists(st.tuples(inner, inner), max_size=3).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
        ),
    )


PYTHON_VALUES = st.recursive(_PYTHON_SCALARS, _python_containers, max_leaves=6)
_TARGETS = st.one_of(
    _NAMES,
    st.sampled_from(["self.x", "self.y", "cls.x", "self.a.b", "a[0]", "(a, b)", "a = b", "self.x = b", "[c]", "*a, b"]),
)
_SIMPLE = st.one_of(
    st.builds("{} = {}".format, _TARGETS, PYTHON_VALUES),
    st.builds("{}: int = {}".format, _TARGETS, PYTHON_VALUES),
    st.builds("{}: 'float'".format, _NAMES),
    st.builds("{} += {}".format, _NAMES, PYTHON_VALUES),
    st.sampled_from(["pass", "import os", "print(1)", "'a remark'", "del a", "# nothing", "a = (", "a ="]),
)
_HEADS = st.sampled_from(
    ["class C:", "class D(B):", "def __init__(self):", "def other(self):", "async def __init__(self):", "if a:"]
)


def _block(head: str, body: list[str]) -> str:
    lines = [line for part in [*body, "pass"] for line in part.split("\n")]
    return "\n".join([head, *(f"    {line}" for line in lines)])


_STATEMENTS = st.recursive(
    _SIMPLE, lambda inner: st.builds(_block, _HEADS, st.lists(inner, max_size=4)) | _SIMPLE, max_leaves=8
)
PYTHON = st.lists(_STATEMENTS, max_size=6).map("\n".join)

_TOML_KEYS = st.sampled_from(["a", "b", "lr", "1", "-", "a_b", '"a.b"', "'ü x'", "a.b", "b . a", '""'])
_TOML_SCALARS = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["true", "false", "inf", "-inf", "nan", "0x1F", "0o17", "0b11", "1_000", "1e3", "6.6e-1", "+1"]),
    st.sampled_from(["1979-05-27", "1979-05-27T07:32:00Z", "07:32:00", "1979-05-27 07:32:00.5"]),
    st.sampled_from(['"x"', "'C:\\x'", '"\\u00e9\\n"', '"""a\n  b"""', "'''\nraw\\'''", '"""a \\\n   b"""', '""']),
    st.sampled_from(["017", "1.", ".5", "True", "x", "", "[", "{a = 1", '"x', "1__0", "0xg", "1979-13-01"]),
)


def _toml_containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.lists(inner, max_size=3).map(lambda values: f"[{', '.join(values)}]"),
        st.lists(inner, max_size=3).map(
            lambda values: "[\n" + "".join(f"  {value}, # why\n" for value in values) + "]"
        ),
        st.lists(st.tuples(_TOML_KEYS, inner), max_size=2, unique_by=lambda pair: pair[0]).map(
            lambda pairs: "{ " + ", ".join(f"{key} = {value}" for key, value in pairs) + " }"
        ),
    )


TOML_VALUES = st.recursive(_TOML_SCALARS, _toml_containers, max_leaves=4)
_TOML_LINES = st.one_of(
    st.builds("{} = {}".format, _TOML_KEYS, TOML_VALUES),
    st.builds("[{}]".format, _TOML_KEYS),
    st.builds("[[{}]]".format, _TOML_KEYS),
    st.sampled_from(["# remark", "", "  "]),
)
TOML = st.lists(_TOML_LINES, max_size=8).map("\n".join)
