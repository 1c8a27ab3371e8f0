# shellcheck shell=bash
# What the installer says, how it does things only in earnest, and how it ends. Sourced by install.sh.

current_step=start
refused=no # yes: a dry run went on where the installer would have ended
half=() # files and folders that are worth nothing when the installer ends before they are whole

step() { # VIETNAMESE ENGLISH
  current_step=$2
  printf '\n== %s / %s\n' "$1" "$2"
}

say() { printf '   %s\n' "$@"; }

warn() { # VIETNAMESE ENGLISH
  printf ' ! %s\n   %s\n' "$1" "$2" >&2
}

refuse() { # VIETNAMESE ENGLISH: the end, except in a dry run, which shows the remaining steps and fails after them
  warn "$1" "$2"
  # shellcheck disable=SC2034  # install.sh reads it
  refused=yes
  [ "$dry_run" = yes ] || exit 1
}

run() { # COMMAND…: run it, or say what would be run
  if [ "$dry_run" = yes ]; then
    printf '   + %s\n' "$*"
  else
    "$@"
  fi
}

on_error() {
  warn "Dừng ở bước: $current_step. Ki-ốt đang chạy không bị ảnh hưởng. Sửa lỗi ở trên rồi chạy lại: sudo ./install.sh" \
    "Stopped at the step: $current_step. A kiosk that was running goes on. Mend the error above and run again: sudo ./install.sh"
}

leave_nothing_half() { # at every end: of a whole installation nothing is listed any more
  [ ${#half[@]} -eq 0 ] || rm -rf "${half[@]}"
}

systemd_runs() { [ -z "$ROOT" ] && [ -d /run/systemd/system ]; }
