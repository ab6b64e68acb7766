#!/bin/bash
# One step of a job, on the host: puts the runner into an environment of its own, once a job, and becomes it.
#
# The environment lies in the job's temporary folder, which GitHub empties: what one job's stages may have done to it
# no other job sees. It is not on PATH, so stages have the job's own Python, conda environment and GPU, and no more.
set -euo pipefail

source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
command=${INPUT_COMMAND:-run}

fail() {
  printf '::error::%s\n' "$1" >&2
  exit 2
}

# An interpreter for the runner alone; stages never see it. Settings for pip's own user must not reach the environment.
fits() {
  [ -n "$1" ] && command -v "$1" >/dev/null &&
    "$1" -I -c 'import sys, venv, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

choose() {
  if [ -n "${RETRAIN_PYTHON:-}" ]; then
    fits "$RETRAIN_PYTHON" || fail "python: '$RETRAIN_PYTHON' is no Python 3.11 or later with venv and pip"
    printf '%s' "$RETRAIN_PYTHON"
    return
  fi
  for name in python3.14 python3.13 python3.12 python3.11 python3 python /usr/bin/python3; do
    if fits "$name"; then
      printf '%s' "$name"
      return
    fi
  done
  fail 'no Python 3.11 or later with venv and pip on this machine: add actions/setup-python, or name one in the input python'
}

install() {
  "$python" -I -m venv --without-pip "$1"
  env -u PIP_TARGET -u PIP_PREFIX -u PIP_USER -u PIP_REQUIRE_VIRTUALENV \
    "$python" -I -m pip --python "$1/bin/python" install --quiet --disable-pip-version-check --no-compile \
    --only-binary=:all: --require-hashes --requirement "$source/requirements.lock"
  cp -R "$source/runner" "$("$1/bin/python" -I -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/"
}

[ "$(uname -s)" = Linux ] || fail "Retrain runs on Linux, and this is $(uname -s)"
python=$(choose)
written=$(cd "$source" && find requirements.lock runner -type f ! -name '*.pyc' -print0 | sort -z | xargs -0 cat | sha256sum | cut -c 1-16)
environment=${RUNNER_TEMP:-/tmp}/retrain-$written
if [ ! -e "$environment/ready" ]; then
  printf '::group::Install Retrain beside the job, with %s\n' "$("$python" -I -V)" >&2
  rm -rf "$environment"
  install "$environment"
  touch "$environment/ready"
  printf '::endgroup::\n' >&2
fi
# Isolated, so that a directory called runner/ in the user's repository is not mistaken for this program.
exec "$environment/bin/python" -I -m runner "$command"
