"""Runs of workflows and their artifacts, which come from another host."""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import TYPE_CHECKING, Any, Final

from tests.support import api_description
from tests.support.github.answers import Answer, Asked, Route, not_found, paged, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.github.fake import FakeGitHub

_ACTIONS = "/repos/{owner}/{repo}/actions"
_RUN = f"{_ACTIONS}/runs/{{run_id}}"
_ARTIFACT = f"{_ACTIONS}/artifacts/{{artifact_id}}"


def upload(
    fake: FakeGitHub, run_id: int, name: str, files: Mapping[str, bytes] | bytes, *, expired: bool = False
) -> dict[str, Any]:
    raw = files if isinstance(files, bytes) else _zipped(files)
    identity = fake.identity()
    here = f"{fake.url}/repos/{fake.repository}/actions/artifacts/{identity}"
    artifact: dict[str, Any] = api_description.example("artifact")
    artifact |= {"id": identity, "node_id": f"AR_{identity}", "name": name, "size_in_bytes": len(raw), "url": here}
    artifact |= {"archive_download_url": f"{here}/zip", "expired": expired, "created_at": fake.now()}
    artifact["digest"] = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    artifact["workflow_run"]["id"] = run_id
    fake.artifacts.insert(0, artifact)
    fake.stored[f"/artifacts/{identity}.zip"] = raw
    return artifact


def _zipped(files: Mapping[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as written:
        for path, content in files.items():
            written.writestr(path, content)
    return archive.getvalue()


def _of_workflow(fake: FakeGitHub, asked: Asked) -> Answer:
    return _listed(fake, asked, {"workflow": asked.arguments["workflow_id"]})


def _all(fake: FakeGitHub, asked: Asked) -> Answer:
    return _listed(fake, asked, {})


def _listed(fake: FakeGitHub, asked: Asked, wanted: Mapping[str, str]) -> Answer:
    query = asked.request.query
    known = {"head_branch": "branch", "event": "event", "head_sha": "head_sha"}
    wanted = {**wanted, **{name: query[asks] for name, asks in known.items() if query.get(asks)}}
    status = query.get("status")
    found = [
        _row(run)
        for run in fake.runs
        if all(run.get(name) == to for name, to in wanted.items())
        and status in (None, run.get("conclusion"), run.get("status", "completed"))
    ]
    return paged(fake, asked, found, "workflow_runs")


def _row(run: Mapping[str, Any]) -> dict[str, Any]:
    like = api_description.example("workflow-run-paginated")["workflow_runs"][0]
    return {**like, **{name: to for name, to in run.items() if name != "workflow"}}


def _run(fake: FakeGitHub, asked: Asked) -> Answer:
    found = next((run for run in fake.runs if str(run.get("id")) == asked.arguments["run_id"]), None)
    return Answer(200, _row(found)) if found else not_found()


def _of_run(fake: FakeGitHub, asked: Asked) -> Answer:
    return _artifacts(fake, asked, asked.arguments["run_id"])


def _every_artifact(fake: FakeGitHub, asked: Asked) -> Answer:
    return _artifacts(fake, asked, "")


def _artifacts(fake: FakeGitHub, asked: Asked, run_id: str) -> Answer:
    name = asked.request.query.get("name")
    found = [
        one for one in fake.artifacts if run_id in ("", str(one["workflow_run"]["id"])) and name in (None, one["name"])
    ]
    return paged(fake, asked, found, "artifacts")


def _artifact(fake: FakeGitHub, asked: Asked) -> Answer:
    found = _found(fake, asked)
    return Answer(200, found) if found else not_found()


def _download(fake: FakeGitHub, asked: Asked) -> Answer:
    found = _found(fake, asked)
    if found is None:
        return not_found()
    if found["expired"]:
        return refusal(410, "Artifact has expired")
    return Answer(302, None, {"Location": f"{fake.storage_url}/artifacts/{found['id']}.zip?sig=once"})


def _found(fake: FakeGitHub, asked: Asked) -> dict[str, Any] | None:
    return next((one for one in fake.artifacts if str(one["id"]) == asked.arguments["artifact_id"]), None)


_READ = "actions=read"
ROUTES: Final[Mapping[tuple[str, str], Route]] = {
    ("GET", f"{_ACTIONS}/workflows/{{workflow_id}}/runs"): Route(_of_workflow, _READ),
    ("GET", f"{_ACTIONS}/runs"): Route(_all, _READ),
    ("GET", _RUN): Route(_run, _READ),
    ("GET", f"{_RUN}/artifacts"): Route(_of_run, _READ),
    ("GET", f"{_ACTIONS}/artifacts"): Route(_every_artifact, _READ),
    ("GET", _ARTIFACT): Route(_artifact, _READ),
    ("GET", f"{_ARTIFACT}/{{archive_format}}"): Route(_download, _READ),
}
