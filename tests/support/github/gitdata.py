"""Commits, trees, blobs, refs, contents and branches: git's own, behind the API's words."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from tests.support import api_description
from tests.support.github import pulls, talk
from tests.support.github.answers import Answer, Asked, Route, not_found, paged, refusal
from tests.support.github.bare import NOTHING, Entry, GitSays

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.github.fake import FakeGitHub

_REPOSITORY = "/repos/{owner}/{repo}"
_GIT = f"{_REPOSITORY}/git"
_REF = f"{_GIT}/refs/{{ref}}"
_CONTENTS = f"{_REPOSITORY}/contents/{{path}}"
ACTIVITY = f"{_REPOSITORY}/activity"


def push(
    fake: FakeGitHub, branch: str, files: Mapping[str, bytes | None], login: str, parent: str | None = None
) -> str:
    was = fake.git.tip(branch)
    sha = fake.git.commit(branch, files, parent=parent)
    record_push(fake, f"refs/heads/{branch}", was, sha, login)
    return sha


def record_push(fake: FakeGitHub, ref: str, was: str | None, to: str | None, login: str) -> None:
    """Remember that a ref moved, was made or was deleted, as the activity of the repository shows it."""
    fake.activity.insert(0, {**_moved(fake, ref, was, to), "actor": talk.person(login), "repository": fake.repository})
    if ref.startswith("refs/heads/") and fake.has_commits:
        pulls.branch_moved(fake, ref.removeprefix("refs/heads/"))


def push_to_fork(fake: FakeGitHub, fork: str, branch: str, sha: str, login: str) -> None:
    row = _moved(fake, f"refs/heads/{branch}", NOTHING, sha)
    fake.activity.insert(0, {**row, "actor": talk.person(login), "repository": fork})


def _moved(fake: FakeGitHub, ref: str, was: str | None, to: str | None) -> dict[str, Any]:
    kind = "branch_creation" if was is None else "branch_deletion" if to is None else "push"
    known = fake.has_commits and was and to and fake.git.resolve(was) and fake.git.resolve(to)
    if known and was and to and not fake.git.has_ancestor(was, to):
        kind = "force_push"
    row = {"id": fake.identity(), "node_id": "A_1", "before": was or NOTHING, "after": to or NOTHING, "ref": ref}
    return {**row, "timestamp": fake.now(), "activity_type": kind}


def _activity(fake: FakeGitHub, asked: Asked) -> Answer:
    of = f"{asked.arguments['owner']}/{asked.arguments['repo']}".lower()
    ref = asked.request.query.get("ref", "")
    found = [
        {name: to for name, to in row.items() if name != "repository"}
        for row in fake.activity
        if row["repository"].lower() == of and (not ref or row["ref"] in (ref, f"refs/heads/{ref}"))
    ]
    return paged(fake, asked, found)


def _ref(fake: FakeGitHub, asked: Asked) -> Answer:
    ref = f"refs/{asked.arguments['ref']}"
    found = fake.git.refs(ref).get(ref)
    return Answer(200, _ref_row(fake, ref, found)) if found else not_found()


def _matching_refs(fake: FakeGitHub, asked: Asked) -> Answer:
    found = fake.git.refs(f"refs/{asked.arguments['ref']}")
    return Answer(200, [_ref_row(fake, ref, sha) for ref, sha in found.items()])


def _create_ref(fake: FakeGitHub, asked: Asked) -> Answer:
    ref, sha = asked.body["ref"], asked.body["sha"]
    if not ref.startswith("refs/") or ref.count("/") < 2:
        return refusal(422, "Reference name must start with 'refs/' and contain at least two slashes.")
    if fake.git.resolve(sha) is None:
        return refusal(422, "Object does not exist")
    try:
        fake.git.move(ref, sha, NOTHING)
    except GitSays:
        return refusal(422, "Reference already exists")
    record_push(fake, ref, None, sha, asked.login)
    return Answer(201, _ref_row(fake, ref, sha))


def _update_ref(fake: FakeGitHub, asked: Asked) -> Answer:
    ref, sha = f"refs/{asked.arguments['ref']}", asked.body["sha"]
    was = fake.git.refs(ref).get(ref)
    if was is None:
        return refusal(422, "Reference does not exist")
    if fake.git.resolve(sha) is None:
        return refusal(422, "Object does not exist")
    if not asked.body.get("force") and not fake.git.has_ancestor(was, sha):
        return refusal(422, "Update is not a fast forward")
    fake.git.move(ref, sha, was)
    record_push(fake, ref, was, sha, asked.login)
    return Answer(200, _ref_row(fake, ref, sha))


def _delete_ref(fake: FakeGitHub, asked: Asked) -> Answer:
    ref = f"refs/{asked.arguments['ref']}"
    was = fake.git.refs(ref).get(ref)
    if was is None:
        return refusal(422, "Reference does not exist")
    fake.git.delete(ref)
    record_push(fake, ref, was, None, asked.login)
    return Answer(204)


def _ref_row(fake: FakeGitHub, ref: str, sha: str) -> dict[str, Any]:
    here = f"{fake.url}/repos/{fake.repository}/git"
    target = {"type": "commit", "sha": sha, "url": f"{here}/commits/{sha}"}
    return {"ref": ref, "node_id": f"REF_{ref}", "url": f"{here}/{ref}", "object": target}


def _create_blob(fake: FakeGitHub, asked: Asked) -> Answer:
    content = asked.body["content"]
    raw = base64.b64decode(content) if asked.body.get("encoding") == "base64" else content.encode()
    sha = fake.git.blob(raw)
    return Answer(201, {"url": f"{fake.url}/repos/{fake.repository}/git/blobs/{sha}", "sha": sha})


def _blob(fake: FakeGitHub, asked: Asked) -> Answer:
    sha = fake.git.resolve(asked.arguments["file_sha"], "blob")
    if sha is None:
        return not_found()
    raw = fake.git.raw("cat-file", "blob", sha)
    url = f"{fake.url}/repos/{fake.repository}/git/blobs/{sha}"
    said = {"content": base64.b64encode(raw).decode(), "encoding": "base64", "size": len(raw)}
    return Answer(200, {**said, "sha": sha, "url": url, "node_id": f"B_{sha}"})


def _create_tree(fake: FakeGitHub, asked: Asked) -> Answer:
    entries = [
        Entry(
            one["path"],
            fake.git.blob(one["content"].encode()) if "content" in one else one["sha"],
            one.get("mode", "100644"),
        )
        for one in asked.body["tree"]
    ]
    try:
        sha = fake.git.tree(entries, asked.body.get("base_tree"))
    except GitSays as refused:
        return refusal(422, f"tree.sha is not valid: {refused}")
    return Answer(201, _tree_row(fake, sha, recursive=False))


def _tree(fake: FakeGitHub, asked: Asked) -> Answer:
    sha = fake.git.resolve(asked.arguments["tree_sha"], "tree")
    return Answer(200, _tree_row(fake, sha, recursive="recursive" in asked.request.query)) if sha else not_found()


def _tree_row(fake: FakeGitHub, sha: str, *, recursive: bool) -> dict[str, Any]:
    rows = []
    for line in fake.git.git("ls-tree", "-z", "-l", *(["-r", "-t"] if recursive else []), sha).split("\0"):
        if line:
            about, _, path = line.partition("\t")
            mode, kind, name, size = about.split()
            row = {"path": path, "mode": mode, "type": kind, "sha": name, "url": f"{fake.url}/{name}"}
            rows.append({**row, **({"size": int(size)} if kind == "blob" else {})})
    return {"sha": sha, "url": f"{fake.url}/trees/{sha}", "tree": rows, "truncated": False}


def _create_commit(fake: FakeGitHub, asked: Asked) -> Answer:
    if fake.git.resolve(asked.body["tree"], "tree") is None:
        return refusal(422, "Tree SHA does not exist")
    if any(fake.git.resolve(parent) is None for parent in asked.body.get("parents", [])):
        return refusal(422, "Parent SHA does not exist or is not a commit object")
    who = {
        f"GIT_{role.upper()}_{name.upper()}": str(text)
        for role in ("author", "committer")
        for name, text in asked.body.get(role, asked.body.get("author", {})).items()
    }
    sha = fake.git.record(asked.body["tree"], asked.body.get("parents", []), asked.body["message"], who)
    if asked.login.endswith("[bot]") and not who:
        fake.signed.add(sha)  # as GitHub does for a bot that names nobody
    return Answer(201, commit_row(fake, sha))


def _commit(fake: FakeGitHub, asked: Asked) -> Answer:
    sha = fake.git.resolve(asked.arguments["commit_sha"])
    return Answer(200, commit_row(fake, sha)) if sha else not_found()


def commit_row(fake: FakeGitHub, sha: str) -> dict[str, Any]:
    """Give a commit of git as the API shows it."""
    shape = "%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"
    told = fake.git.git("show", "--no-patch", f"--format={shape}", sha).split("\0")
    tree, parents, name, email, date, by, by_email, when, message = told
    here = f"{fake.url}/repos/{fake.repository}/git"
    web = f"https://github.com/{fake.repository}/commit"
    row: dict[str, Any] = api_description.example("git-commit-2")
    row |= {"sha": sha, "node_id": f"C_{sha}", "url": f"{here}/commits/{sha}", "html_url": f"{web}/{sha}"}
    row |= {"author": {"name": name, "email": email, "date": date}, "message": message.strip()}
    row |= {"committer": {"name": by, "email": by_email, "date": when}}
    row |= {"tree": {"sha": tree, "url": f"{here}/trees/{tree}"}}
    row["parents"] = [
        {"sha": parent, "url": f"{here}/commits/{parent}", "html_url": f"{web}/{parent}"} for parent in parents.split()
    ]
    verified = sha in fake.signed
    row["verification"] |= {"verified": verified, "reason": "valid" if verified else "unsigned"}
    return row


def _of_ref(fake: FakeGitHub, asked: Asked) -> Answer:
    sha = fake.git.resolve(asked.arguments["ref"]) if fake.has_commits else None
    if sha is None:
        return refusal(422, f"No commit found for SHA: {asked.arguments['ref']}")
    return Answer(200, _whole(fake, sha))


def _whole(fake: FakeGitHub, sha: str) -> dict[str, Any]:
    row = commit_row(fake, sha)
    whole: dict[str, Any] = api_description.example("commit")
    whole |= {name: row[name] for name in ("sha", "node_id", "html_url", "parents")}
    whole["files"] = []
    whole["commit"] |= {name: row[name] for name in ("author", "committer", "message", "tree", "verification")}
    return whole


def _branch(fake: FakeGitHub, asked: Asked) -> Answer:
    sha = fake.git.tip(asked.arguments["branch"])
    if sha is None:
        return refusal(404, "Branch not found")
    branch: dict[str, Any] = api_description.example("branch-get")
    return Answer(200, {**branch, "name": asked.arguments["branch"], "commit": _whole(fake, sha)})


def _contents(fake: FakeGitHub, asked: Asked) -> Answer:
    path, revision = unquote(asked.arguments["path"]), asked.request.query.get("ref", fake.default_branch)
    rows = fake.git.git("ls-tree", "-z", "-l", revision, "--", path, f"{path}/") if fake.git.resolve(revision) else ""
    lines = [line for line in rows.split("\0") if line]
    if not lines:
        return not_found()
    shown = [_content_row(fake, line) for line in lines]
    if lines[0].split("\t")[1] != path:
        return Answer(200, shown)
    raw = fake.git.raw("cat-file", "blob", shown[0]["sha"])
    return Answer(200, {**shown[0], "encoding": "base64", "content": base64.encodebytes(raw).decode()})


def _content_row(fake: FakeGitHub, line: str) -> dict[str, Any]:
    about, path = line.split("\t")
    _, kind, sha, size = about.split()
    row: dict[str, Any] = api_description.example("content-file-response-if-content-is-a-file")
    row |= {"type": "file" if kind == "blob" else "dir", "size": int(size) if kind == "blob" else 0, "sha": sha}
    row |= {"path": path, "name": path.rpartition("/")[2], "url": f"{fake.url}/contents/{path}"}
    return {name: to for name, to in row.items() if name not in ("content", "encoding")}


def _put_contents(fake: FakeGitHub, asked: Asked) -> Answer:
    path, branch = unquote(asked.arguments["path"]), asked.body.get("branch", fake.default_branch)
    tip = fake.git.tip(branch)
    if tip is None:
        return refusal(404, f"Branch {branch} not found")
    was = fake.git.resolve(f"{tip}:{path}", "blob")
    if was != asked.body.get("sha"):
        return refusal(409, f"{path} does not match {asked.body.get('sha')}") if was else refusal(422, "sha is wrong")
    blob = fake.git.blob(base64.b64decode(asked.body["content"]))
    sha = fake.git.record(fake.git.tree([Entry(path, blob)], tip), [tip], asked.body["message"])
    fake.git.move(f"refs/heads/{branch}", sha, tip)
    fake.signed.add(sha)
    record_push(fake, f"refs/heads/{branch}", tip, sha, asked.login)
    answer = api_description.example("file-commit-example-for-updating-a-file")
    answer["content"] |= {"path": path, "name": path.rpartition("/")[2], "sha": blob}
    return Answer(200 if was else 201, {**answer, "commit": commit_row(fake, sha)})


def _compare(fake: FakeGitHub, asked: Asked) -> Answer:
    pair = asked.arguments["basehead"]
    base, _, head = (unquote(side).split(":")[-1] for side in pair.partition("..."))
    shas = [fake.git.resolve(side) if fake.has_commits else None for side in (base, head)]
    parted = fake.git.merge_base(shas[0], shas[1]) if shas[0] and shas[1] else None
    sha = fake.merge_bases.get(pair) or parted
    if sha is None:
        return not_found()
    compared: dict[str, Any] = api_description.example("commit-comparison")
    compared["merge_base_commit"]["sha"] = sha
    if shas[0] and shas[1]:
        ahead, behind = (int(fake.git.git("rev-list", "--count", f"{one}..{two}")) for one, two in (shas, shas[::-1]))
        words = {(True, False): "ahead", (False, True): "behind", (True, True): "diverged"}
        status = words.get((bool(ahead), bool(behind)), "identical")
        compared |= {"ahead_by": ahead, "behind_by": behind, "status": status, "total_commits": ahead}
    return Answer(200, compared)


_READ, _WRITE = "contents=read", "contents=write"
ROUTES: Final[Mapping[tuple[str, str], Route]] = {
    ("GET", f"{_GIT}/ref/{{ref}}"): Route(_ref, _READ),
    ("GET", f"{_GIT}/matching-refs/{{ref}}"): Route(_matching_refs, _READ),
    ("POST", f"{_GIT}/refs"): Route(_create_ref, _WRITE),
    ("PATCH", _REF): Route(_update_ref, _WRITE),
    ("DELETE", _REF): Route(_delete_ref, _WRITE),
    ("POST", f"{_GIT}/blobs"): Route(_create_blob, _WRITE),
    ("GET", f"{_GIT}/blobs/{{file_sha}}"): Route(_blob, _READ),
    ("POST", f"{_GIT}/trees"): Route(_create_tree, _WRITE),
    ("GET", f"{_GIT}/trees/{{tree_sha}}"): Route(_tree, _READ),
    ("POST", f"{_GIT}/commits"): Route(_create_commit, _WRITE),
    ("GET", f"{_GIT}/commits/{{commit_sha}}"): Route(_commit, _READ),
    ("GET", f"{_REPOSITORY}/commits/{{ref}}"): Route(_of_ref, _READ),
    ("GET", f"{_REPOSITORY}/branches/{{branch}}"): Route(_branch, _READ),
    ("GET", _CONTENTS): Route(_contents, _READ),
    ("PUT", _CONTENTS): Route(_put_contents, _WRITE),
    ("GET", f"{_REPOSITORY}/compare/{{basehead}}"): Route(_compare, _READ),
    ("GET", ACTIVITY): Route(_activity, _READ),
}
