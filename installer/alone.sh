# shellcheck shell=bash
# One at a time: root's helper for updates (systemd/kiosk_trial.py) exchanges the same files, and takes the release that it
# tries back again. Sourced by install.sh.

release_state=/var/lib/kiosk-release
turn=      # the lock's descriptor
turn_wait=30 # seconds; the helper itself holds the lock for moments, an update while it builds

take_turn() { # the lock ends with this script, however it ends
  [ "$dry_run" = no ] || return 0
  mkdir -p "$ROOT$release_state"
  exec {turn}>>"$ROOT$release_state/lock"
  flock -w "$turn_wait" "$turn" || refuse "Một lần cập nhật đang chạy: hãy đợi nó xong (sudo kiosk update --status) rồi chạy lại." \
    "An update is under way: wait for it (sudo kiosk update --status), then run again."
}

check_trial() { # laid over a trial, this release would be taken back in its place
  [ -e "$ROOT$release_state/trial.json" ] || return 0
  refuse "Bản vừa cài còn đang chạy thử: đợi 10 phút, hoặc quay lại bản trước (sudo kiosk update --rollback), rồi chạy lại." \
    "The last release is still being tried: wait ten minutes, or go back (sudo kiosk update --rollback), then run again."
}

forget_trial() { # else the next installation would be taken for the release that was tried, and undone
  local path
  for path in "$ROOT$release_state"/{trial.json,tree,incoming} "$ROOT$release_state"/before-*; do
    [ ! -e "$path" ] || run rm -rf "$path"
  done
}
