"""GitHub's own description of its API (npm @octokit/openapi), asked whether a request or an answer fits it."""

from __future__ import annotations

import copy
import functools
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from tests.support.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FILE = "tests/node_modules/@octokit/openapi/generated/api.github.com.json"
# Parameters in which GitHub takes slashes.
_WITH_SLASHES = frozenset({"ref", "path", "basehead"})
_LONGEST = 300


@dataclass(frozen=True)
class Operation:
    """One method of one path, with what a request's path gave for its parameters."""

    template: str
    described: dict[str, Any]
    arguments: Mapping[str, str]


def operation(method: str, path: str) -> Operation | None:
    """Find the operation a request means; the path with the fewest parameters wins."""
    for template, pattern, methods in _routes():
        match = pattern.fullmatch(path)
        if match and method.lower() in methods:
            return Operation(template, methods[method.lower()], match.groupdict())
    return None


def request_violations(found: Operation, query: Mapping[str, str], body: object) -> list[str]:
    """Say where a request breaks the description: in its path, its query or its body."""
    return [*_parameter_violations(found, query), *_body_violations(found, body)]


def response_violations(found: Operation, status: int, body: object) -> list[str]:
    """Say where an answer breaks the description, so that the fake cannot drift from the real thing."""
    described = _resolved(found.described["responses"].get(str(status)))
    if described is None:
        return [f"{found.template} never answers {status}"]
    content = described.get("content", {}).get("application/json")
    return _violations(content["schema"], body) if content else []


def example(name: str) -> Any:
    """Give the description's own example of that name, to be changed at will."""
    return copy.deepcopy(_description()["components"]["examples"][name]["value"])


@functools.cache
def _description() -> dict[str, Any]:
    described: dict[str, Any] = json.loads(require(_FILE, "GitHub's API; npm ci --prefix tests").read_text())
    return described


@functools.cache
def _routes() -> list[tuple[str, re.Pattern[str], dict[str, Any]]]:
    routes = [(path, _pattern(path), methods) for path, methods in _description()["paths"].items()]
    return sorted(routes, key=lambda route: (route[0].count("{"), -len(route[0])))


def _pattern(template: str) -> re.Pattern[str]:
    def parameter(match: re.Match[str]) -> str:
        return f"(?P<{match[1]}>{'.+' if match[1] in _WITH_SLASHES else '[^/]+'})"

    return re.compile(re.sub(r"\\\{([a-z_]+)\\\}", parameter, re.escape(template)))


def _parameter_violations(found: Operation, query: Mapping[str, str]) -> Iterator[str]:
    parameters = [_resolved(parameter) for parameter in found.described.get("parameters", [])]
    known = {parameter["name"] for parameter in parameters if parameter["in"] == "query"}
    yield from (f"{name} is no parameter of {found.template}" for name in query.keys() - known)
    for parameter in parameters:
        given = (found.arguments if parameter["in"] == "path" else query).get(parameter["name"])
        if given is not None:
            yield from (f"{parameter['name']}: {broken}" for broken in _text_violations(parameter["schema"], given))
        elif parameter.get("required"):
            yield f"{parameter['name']} is missing"


def _body_violations(found: Operation, body: object) -> list[str]:
    described = _resolved(found.described.get("requestBody"))
    if described is None:
        return [] if body is None else [f"{found.template} takes no body"]
    if body is None:
        return ["the body is missing"] if described.get("required") else []
    schema = described["content"]["application/json"]["schema"]
    unknown = body.keys() - schema.get("properties", body).keys() if isinstance(body, dict) else ()
    return [*(f"{name} is no property of {found.template}" for name in unknown), *_violations(_closed(schema), body)]


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """Let the objects within a body have no properties but those described: a typo there is as wrong as at the top."""
    inner = {name: _shut(part) for name, part in schema.get("properties", {}).items()}
    return {**schema, "properties": inner} if inner else schema


def _shut(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    shut = {**part, "items": _shut(part["items"])} if "items" in part else part
    return {"additionalProperties": False, **_closed(shut)} if "properties" in part else shut


def _text_violations(schema: dict[str, Any], given: str) -> list[str]:
    """Hold a word of a path or query to its schema: as what it may stand for, or as the text it is."""
    meant = int(given) if given.isdigit() else {"true": True, "false": False}.get(given, given)
    return [] if not _violations(schema, given) else _violations(schema, meant)


def _resolved(part: Any) -> Any:
    while isinstance(part, dict) and "$ref" in part:
        part = functools.reduce(lambda inside, key: inside[key], part["$ref"].split("/")[1:], _description())
    return part


def _violations(schema: dict[str, Any], instance: object) -> list[str]:
    validator = _validator(json.dumps(schema, sort_keys=True))
    return [
        f"{'/'.join(map(str, error.instance_path))}: {_short(error.message)}"
        for error in validator.iter_errors(instance)
    ]


@functools.cache
def _validator(schema: str) -> jsonschema_rs.Draft4Validator:
    """Compile a schema with the components it reaches, and no others: all of them are 13 MB."""
    parsed = json.loads(schema)
    components: dict[str, Any] = {}
    waiting = [parsed]
    while waiting:
        for reference in _references(waiting.pop()):
            _, _, kind, name = reference.split("/", 3)
            if name not in components.setdefault(kind, {}):
                components[kind][name] = _description()["components"][kind][name]
                waiting.append(components[kind][name])
    return jsonschema_rs.Draft4Validator(_nullable({**parsed, "components": components}))


def _short(message: str) -> str:
    """Keep both ends: the value comes first, and what is wrong with it last."""
    return message if len(message) <= _LONGEST else f"{message[: _LONGEST // 2]} ... {message[-_LONGEST // 2 :]}"


def _references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from _references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def _nullable(part: Any) -> Any:
    """Say OpenAPI 3.0's `nullable` in JSON Schema's words."""
    if isinstance(part, list):
        return [_nullable(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    plain = {key: _nullable(inner) for key, inner in part.items()}
    return {"anyOf": [{"type": "null"}, plain]} if part.get("nullable") is True else plain
