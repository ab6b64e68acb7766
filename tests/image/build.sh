#!/bin/sh
# Builds the action's image with buildah, as the code host builds it with its own tool, and starts it once.
#
# usage: build.sh [TAG [CONTEXT]]
#
# RETRAIN_BASE names the image to build on, for example the one the Dockerfile pins. Without it, a stand-in is made
# once from this machine's Debian by mmdebstrap, needs no registry, and is kept as localhost/retrain-test-base.
set -eu

tag=${1:-localhost/retrain:test}
context=${2:-$(cd "$(dirname "$0")/../.." && pwd)}
stand_in=localhost/retrain-test-base:1
CONTAINERS_CONF=$(cd "$(dirname "$0")" && pwd)/containers.conf
export CONTAINERS_CONF

make_stand_in() {
  # shellcheck source=/dev/null
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  # The expressions are mmdebstrap's to expand, not ours.
  # shellcheck disable=SC2016
  mmdebstrap --quiet --variant=minbase --include=python3,python3-pip,python3-venv,ca-certificates \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED' \
    --customize-hook='ln -sf python3 "$1"/usr/bin/python' \
    --customize-hook='cp /etc/ssl/certs/ca-certificates.crt "$1"/etc/ssl/certs/ca-certificates.crt' \
    "$release" "$work/base.tar"
  podman import --quiet \
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'ENV LANG=C.UTF-8' \
    --change 'CMD ["python3"]' \
    "$work/base.tar" "$stand_in" >/dev/null
}

base=${RETRAIN_BASE:-}
if [ -z "$base" ]; then
  podman image exists "$stand_in" || make_stand_in
  base=$stand_in
fi
buildah bud --quiet --isolation chroot --build-arg "BASE=$base" --tag "$tag" "$context"
podman run --rm --network none "$tag" --version
