# The action's image: Python, git, and the runner in one virtual environment that no stage sees on its PATH.
# No USER and no WORKDIR: GitHub mounts the workspace and sets both when it starts the container.
#
# The base is the multi-platform index of python:3.13.15-slim-trixie; Dependabot moves it. BASE names another one.
ARG BASE=docker.io/library/python:3.13.15-slim-trixie@sha256:8d9d0b8bcf6506481eae4907c18f5e3e7902e629f5f6d684f9e7c32e85e3ddf0

FROM ${BASE} AS build
# Exactly what the lock says, checked by hash, with the base's own pip: the environment itself has none.
COPY requirements.lock /tmp/requirements.lock
RUN python3 -m venv --without-pip /opt/retrain \
    && python3 -m pip --python /opt/retrain/bin/python install --no-cache-dir --no-compile --only-binary=:all: \
        --require-hashes --requirement /tmp/requirements.lock
# Of the several hundred services botocore describes, the runner speaks to S3 and to what signs in for it.
RUN find "$(/opt/retrain/bin/python -c 'import botocore; print(botocore.__path__[0])')/data" \
        -mindepth 1 -maxdepth 1 -type d ! -name s3 ! -name 'sso*' ! -name sts ! -name signin -exec rm -rf {} +
# What only other programs use of these packages: the asynchronous halves of Azure's and Google's clients, Google's gRPC
# messages, the lexers by which rich would colour source code, and the packages' own tests.
RUN find /opt/retrain/lib -type d \( -path '*/azure/*/aio' -o -path '*/google/cloud/storage/asyncio' \
        -o -path '*/google/cloud/_storage_v2' -o -path '*/google/_async_resumable_media' -o -name tests \) \
        -prune -exec rm -rf {} + \
    && find /opt/retrain/lib -type f -path '*/pygments/lexers/*' \
        ! -name __init__.py ! -name _mapping.py ! -name python.py ! -name special.py -delete
COPY runner /tmp/runner
RUN cp -R /tmp/runner "$(/opt/retrain/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/" \
    && /opt/retrain/bin/python -m compileall -q /opt/retrain

FROM ${BASE}
# GitHub mounts a workspace that belongs to another user than the container's; git refuses such a repository
# unless it is named, here for the runner and for the git commands of stages alike.
# Git for servers and mail is 2 MB a program, and nobody's here: a fifth of what this image adds to its base.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    && for program in git-daemon git-http-backend git-http-push git-imap-send git-shell scalar; do \
        rm -f "/usr/lib/git-core/$program" "/usr/bin/$program"; done \
    && ln -f /usr/bin/git /usr/lib/git-core/git \
    && git config --system --add safe.directory /github/workspace
COPY --from=build /opt/retrain /opt/retrain
# Started as root, it becomes the owner of the checkout: for the files it writes, and for good in the stages' commands.
ENV RETRAIN_AS_OWNER=1
# For a CI that runs a shell in the image, as GitLab does.
RUN printf '#!/bin/sh\nexec /opt/retrain/bin/python -I -m runner "$@"\n' > /usr/local/bin/retrain \
    && chmod 0755 /usr/local/bin/retrain
# Isolated (-I), so that a directory called runner/ in the user's repository is not mistaken for this program.
ENTRYPOINT ["/opt/retrain/bin/python", "-I", "-m", "runner"]
