#!/usr/bin/env bash
# The wheel alone: built from a copy, installed outside the tree with only its run-time packages, and used from another
# folder. Shows that no file is missing in the wheel and that nothing needs the tests' packages. wheel-test.sh PYTHON
set -euo pipefail
python=${1:-python3}
tree=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SDL_VIDEODRIVER=dummy GPIOZERO_PIN_FACTORY=mock
unset PYTHONPATH KIOSK_CONFIG

said() { printf 'wheel-test: %s\n' "$*"; }

must_say() { # STATUSES TEXT OPTION…: kiosk ends with one of these exit statuses, and its output holds the text
  local statuses=$1 text=$2 status=0
  shift 2
  "$work/venv/bin/kiosk" "$@" >"$work/output" 2>&1 || status=$?
  if [[ " $statuses " != *" $status "* ]] || ! grep -qE -- "$text" "$work/output"; then
    cat "$work/output" >&2
    said "kiosk $*: exit status $status, \"$text\" was expected" >&2
    exit 1
  fi
  said "✓ kiosk $*"
}

mkdir "$work/tree" "$work/elsewhere"
cp -r "$tree"/{kiosk,sync,server,pyproject.toml,README.md,LICENSE} "$work/tree/"
find "$work/tree" -name __pycache__ -prune -exec rm -rf {} +

"$python" -m venv "$work/venv"
pip=("$work/venv/bin/python" -m pip --disable-pip-version-check)
"${pip[@]}" install -q --require-hashes -r "$tree/requirements/run.txt"
"${pip[@]}" wheel -q --no-deps --no-build-isolation -w "$work/dist" "$work/tree"
rm -rf "$work/tree"
"${pip[@]}" install -q --no-deps "$work"/dist/*.whl
"${pip[@]}" check >/dev/null
said "$(basename "$work"/dist/*.whl), $(du -k "$work"/dist/*.whl | cut -f1) KiB"

cd "$work/elsewhere"
cat >kiosk.toml <<TOML
data_dir = "$work/data"
language = "en"
[buttons]
factory = "none"
[screen]
enabled = false
[printer]
url = "none"
TOML
mkdir "$work/data"
must_say 0 "print-test" --help
must_say 0 "data_dir" config --config kiosk.toml
# 1: something is left to do, such as a clock that nobody has vouched for on this machine.
must_say "0 1" "Everything is ready|things to do" check --config kiosk.toml
must_say 0 '"lost"' demo --headless --seconds 5 --per-hour 3600 --seed 1 --dir "$work/demo"
tail -n 1 "$work/output"

# The commune server out of the same wheel, with its own packages.
"${pip[@]}" install -q --require-hashes -r "$tree/requirements/server.txt"
printf 'data_dir = "server"\n' >server.toml
export KIOSK_SERVER_CONFIG=$PWD/server.toml DJANGO_SETTINGS_MODULE=server.settings
"$work/venv/bin/kiosk-server" prepare
"$work/venv/bin/python" - <<'PYTHON'
import django

django.setup()

from django.test import Client

for address in ("/sign-in", "/static/server.css", "/static/console/console.css", "/api/v1/openapi.json", "/T/0000000000000000"):
    answer = Client().get(address, headers={"host": "localhost"})
    assert answer.status_code in (200, 404) and (address.startswith("/T/") or answer.status_code == 200), (address, answer)
PYTHON
said "✓ kiosk-server prepare, its pages and its style"
