#!/usr/bin/env bash
# Programs from Debian packages: need.sh COMMAND|FILE[=PACKAGE] … installs what is missing when root, else names them.
set -euo pipefail
missing=()
for want in "$@"; do
  command -v "${want%%=*}" >/dev/null 2>&1 || [ -f "${want%%=*}" ] || missing+=("${want##*=}")
done
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" = 0 ]; then
  apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
else
  echo "Some tests need Debian packages. Run: sudo apt-get install ${missing[*]}" >&2
  exit 1
fi
