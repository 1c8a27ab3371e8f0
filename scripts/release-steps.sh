#!/usr/bin/env bash
# What a release knows of installing itself, for root's helper, which has verified and unpacked it: release-steps.sh VERB …
#
#   name           its name below /opt/kiosk/releases: version+digest
#   build HOME     make the program in HOME out of the wheels of the release, without a network
#   paths          the system files that `place` may replace, one a line
#   place          place them, make users and folders, enable units; not what judges the release, which outlives it
#   place-helper   place that too, once the release has proved itself
set -euo pipefail
umask 022

tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=/dev/null
source "$tree/install.sh"

# shellcheck disable=SC2034  # write_lock reads it
choose_lgpio() { # as the installer found it: Debian's where that is installed, else pip's where there is one
  if ! is_installed python3-lgpio && [ "$(python_minor)" -le 12 ]; then pip_lgpio=yes; fi
}

is_helper() { # ENTRY of placed_files
  case $1 in kiosk_*.py\ * | kiosk-healthy.*) return 0 ;; *) return 1 ;; esac
}

keep_only() { # helpers|others
  local entry kept=()
  for entry in "${placed_files[@]}"; do
    if is_helper "$entry"; then
      [ "$1" = others ] || kept+=("$entry")
    else
      [ "$1" = helpers ] || kept+=("$entry")
    fi
  done
  placed_files=("${kept[@]}")
}

# shellcheck disable=SC2154  # install.sh names enabled_units
enable_others() { # services are started by the helper, once the release is switched to
  local unit
  systemctl daemon-reload
  for unit in "${enabled_units[@]}"; do
    if is_helper "$unit"; then continue; fi
    systemctl enable --quiet "$unit"
    case $unit in *.timer) systemctl --no-block start "$unit" ;; esac
  done
}

enable_helper() {
  if systemd_runs; then systemctl daemon-reload; fi
  systemctl_here enable --quiet kiosk-healthy.timer
}

build() { # HOME
  local home=$1 work
  work=$(mktemp -d "$tree/build.XXXX")
  python3 -m venv --system-site-packages --without-pip "$home"
  # A second environment lends its pip: the first one holds exactly what the lock names.
  python3 -m venv "$work/pip"
  write_lock "$work/run.txt"
  local pip=("$work/pip/bin/pip" --disable-pip-version-check --python "$home/bin/python" install -q --no-cache-dir --no-index
    --find-links "$tree/wheels" --no-deps --only-binary :all:)
  "${pip[@]}" --ignore-installed --require-hashes -r "$work/run.txt"
  "${pip[@]}" "$tree"/wheels/mot_cua_kiosk-*.whl
  finish_environment "$home"
  rm -rf "$work"
}

case ${1:-} in
  name) choose_lgpio && release_name ;;
  build) choose_lgpio && build "$2" ;;
  paths)
    keep_only others
    printf '%s\n' "${placed_files[@]}" | cut -d' ' -f2
    ;;
  place)
    keep_only others
    guarded=$(placed_ports) # kiosk.toml stays, and so do its ports
    console_ports=${guarded:-$console_ports}
    place_files
    make_users
    enable_others
    ;;
  place-helper)
    keep_only helpers
    place_files
    enable_helper
    ;;
  *)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
