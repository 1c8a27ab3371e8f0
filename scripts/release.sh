#!/usr/bin/env bash
# A release for machines like this one (same Debian, same architecture), signed: release.sh OUT [--key FILE]
#
# Makes OUT/kiosk-VERSION-SUITE-ARCHITECTURE.tar.gz with its .sig, and OUT/index.json with its .sig, which lists all
# releases that lie in OUT. FILE is the private key (ssh-keygen -t ed25519); docs/update.md. Needs PyPI.
set -euo pipefail
umask 022

tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out='' key=''
while [ $# -gt 0 ]; do
  case $1 in
    --key) key=${2:?--key FILE} && shift ;;
    -*) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
    *) out=$1 ;;
  esac
  shift
done
[ -n "$out" ] || { echo "release.sh OUT [--key FILE]" >&2 && exit 2; }
[ -z "$key" ] || [ -f "$key" ] || { echo "There is no key $key: ssh-keygen -t ed25519 -f $key" >&2 && exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=/dev/null
ROOT='' source "$tree/install.sh"
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$tree/pyproject.toml")
suite=$(os_value VERSION_CODENAME)
architecture=$(dpkg --print-architecture)

copy_sources() {
  local release=$work/release
  mkdir -p "$release/wheels"
  cp -r "$tree"/{kiosk,sync,server,systemd,installer,scripts,requirements,docs,pyproject.toml,README.md,LICENSE,CHANGELOG.md,install.sh} "$release/"
  find "$release" -name __pycache__ -prune -exec rm -rf {} +
}

collect_wheels() {
  local pip=("$work/pip/bin/pip" --disable-pip-version-check -q) wheels=$work/release/wheels
  python3 -m venv "$work/pip"
  lock_without_pygame >"$work/run.txt"
  # Beside the machine's own lgpio: which of the two is used is known where it is installed.
  if [ "$(python_minor)" -le 12 ]; then cat "$tree/requirements/lgpio.txt" >>"$work/run.txt"; fi
  "${pip[@]}" download --no-deps --only-binary :all: --require-hashes -d "$wheels" -r "$work/run.txt"
  "${pip[@]}" install --upgrade --no-index --find-links "$wheels" setuptools
  cp -r "$work/release" "$work/tree" # setuptools leaves a folder behind
  "${pip[@]}" wheel --no-deps --no-build-isolation -w "$wheels" "$work/tree"
}

describe() { # release.json: what the helper holds against the machine
  # shellcheck disable=SC2154  # install.sh names them
  python3 - "$version" "$suite" "$architecture" "$tree" "${base_packages[@]}" >"$work/release/release.json" <<'PYTHON'
import datetime, json, re, sys

version, suite, architecture, tree, *packages = sys.argv[1:]
schema = max(map(int, re.findall(r"^def m(\d{3})_", open(f"{tree}/kiosk/store/schema.py").read(), re.MULTILINE)))
about = {
    "format": 1, "version": version, "suites": [suite], "architectures": [architecture],
    "python": f"3.{sys.version_info.minor}", "packages": packages, "schema": schema,
    "created": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
}
print(json.dumps(about, indent=1))
PYTHON
}

list_releases() { # index.json: what lies in OUT, for kiosks that look there at night
  python3 - "$out" <<'PYTHON'
import hashlib, json, pathlib, sys, tarfile

out, found = pathlib.Path(sys.argv[1]), []
for path in sorted(out.glob("kiosk-*.tar.gz")):
    with tarfile.open(path) as tar:
        about = json.load(tar.extractfile("./release.json"))
    size, sha256 = path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()
    found.append({name: about[name] for name in ("version", "suites", "architectures", "python")}
                 | {"file": path.name, "size": size, "sha256": sha256})
(out / "index.json").write_text(json.dumps({"format": 1, "releases": found}, indent=1) + "\n")
PYTHON
}

sign() { # FILE
  rm -f "$1.sig"
  if [ -n "$key" ]; then
    ssh-keygen -q -Y sign -n kiosk-release -f "$key" "$1"
  else
    echo "$1 is not signed: no kiosk takes it. Sign it with: ssh-keygen -Y sign -n kiosk-release -f KEY $1" >&2
  fi
}

mkdir -p "$out"
file=$out/kiosk-$version-$suite-$architecture.tar.gz
copy_sources
collect_wheels
describe
tar -C "$work/release" --sort=name --owner=0 --group=0 --numeric-owner -cf - . | gzip -n >"$file.part"
mv "$file.part" "$file"
sign "$file"
list_releases
sign "$out/index.json"
du -h "$file"
