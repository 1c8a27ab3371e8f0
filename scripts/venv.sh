#!/usr/bin/env bash
# Make or refresh the virtual environment: venv.sh PYTHON VENV LOCK
set -euo pipefail
python=$1 venv=$2 lock=$3
if ! "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; then
  echo "Python 3.11 to 3.13 is needed; $("$python" --version) is here. Try: make PYTHON=python3.12 …" >&2
  exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  if [ "$(id -u)" = 0 ]; then
    apt-get update -q && apt-get install -y -q python3-venv
  else
    echo "Python's venv module is missing. Run: sudo apt-get install python3-venv" >&2
    exit 1
  fi
fi
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r "$lock"
