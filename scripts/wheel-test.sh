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

must_say() { # TEXT COMMAND…: the command succeeds and its output holds the text
  local text=$1
  shift
  "$@" >"$work/output" 2>&1 || { cat "$work/output" >&2 && said "failed: $*" >&2 && exit 1; }
  grep -qF -- "$text" "$work/output" || { cat "$work/output" >&2 && said "no \"$text\" from: $*" >&2 && exit 1; }
  said "$* ✓"
}

mkdir "$work/tree" "$work/elsewhere"
cp -r "$tree"/{kiosk,sync,pyproject.toml,README.md,LICENSE} "$work/tree/"
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
kiosk=$work/venv/bin/kiosk
must_say "run" "$kiosk" --help
must_say "office" "$kiosk" config
must_say '"lost"' "$kiosk" demo --headless --seconds 5 --per-hour 3600 --seed 1 --dir "$work/demo"
tail -n 1 "$work/output"
