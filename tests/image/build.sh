#!/bin/sh
# Builds the action's image with buildah, as the code host would with its own builder.
#
# usage: build.sh TAG [CONTEXT]
#
# The Dockerfile's base is pinned by digest and comes from a registry. Where that registry cannot be
# reached (RETRAIN_BASE unset and the pull fails), a stand-in with this machine's Debian and its Python is
# made once by mmdebstrap and kept under localhost/. RETRAIN_BASE names any other base to build on.
set -eu

tag=$1
context=${2:-$(cd "$(dirname "$0")/../.." && pwd)}
stand_in=localhost/retrain-test-base:1
CONTAINERS_CONF=$(cd "$(dirname "$0")" && pwd)/containers.conf
export CONTAINERS_CONF

make_stand_in() {
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
    "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$work/base.tar"
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
buildah bud --quiet --isolation chroot --pull=missing --build-arg "BASE=$base" --tag "$tag" "$context"
