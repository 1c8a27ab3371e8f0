# shellcheck shell=bash
# install.sh --uninstall: what the installer has placed, and nothing else. Numbers, ratings and the configuration stay
# unless --purge says otherwise. Sourced by install.sh.

placed_paths() { # each once
  [ ! -f "$ROOT$manifest" ] || sed 's/^[0-9a-f]*  //' "$ROOT$manifest" | sort -u
}

placed_units() { placed_paths | sed -n 's#^/usr/local/lib/systemd/system/\([^/]*\.\(service\|timer\)\)$#\1#p'; }

stop_units() {
  step "Dừng dịch vụ" "Stop the services"
  local units
  mapfile -t units < <(placed_units)
  [ ${#units[@]} -gt 0 ] || return 0
  systemctl_if_up stop "${units[@]}"
  systemctl_here disable --quiet "${units[@]}" || true # some have nothing to disable
}

remove_placed() {
  step "Gỡ tệp hệ thống" "Remove system files"
  local path
  while read -r path; do
    case $path in /etc/kiosk/*) continue ;; esac # the technician's, whoever wrote it first
    if placed_by_us "$path"; then
      say "$path"
      run rm -f "$ROOT$path"
    elif [ -e "$ROOT$path" ]; then
      warn "$path đã được sửa bằng tay: để lại" "$path was changed by hand: it stays"
    fi
    run rm -f "$ROOT$path.new"
  done < <(placed_paths)
  remove_empty_folders
}

remove_empty_folders() { # those below /usr/local/lib that only we have filled
  local path
  while read -r path; do
    case $path in
      /usr/local/lib/*/*) (cd "$ROOT/usr/local/lib" && run rmdir --ignore-fail-on-non-empty -p "$(dirname "${path#/usr/local/lib/}")" 2>/dev/null) || true ;;
    esac
  done < <(placed_paths)
}

remove_program() {
  step "Gỡ chương trình" "Remove the program"
  run rm -rf "$ROOT/opt/kiosk"
  forget_trial
  run rm -f "$ROOT$manifest" "$ROOT$boot_words"
  run rmdir --ignore-fail-on-non-empty "$ROOT${manifest%/*}" 2>/dev/null || true
}

purge_data() { # all that was counted, and who may sign in
  step "Xóa dữ liệu, cấu hình, người dùng" "Delete data, configuration, user"
  run rm -rf "$ROOT/var/lib/kiosk" "$ROOT/var/lib/kiosk-release" "$ROOT/etc/kiosk" "$ROOT/var/cache/kiosk" "$ROOT/run/kiosk"
  [ -z "$ROOT" ] && id kiosk >/dev/null 2>&1 || return 0
  run userdel kiosk
}

settle_after_removal() {
  if systemd_runs; then
    run systemctl daemon-reload
    # What no other file of sysctl.d names stays as it is: Ctrl+Alt+Del is back at once, SysRq is not.
    systemctl_if_up restart systemd-sysctl.service systemd-journald.service
    say "SysRq: có lại từ lần khởi động sau / back with the next start of the machine"
    systemctl_if_up try-restart chrony.service
    systemctl_if_up try-restart apt-daily.timer apt-daily-upgrade.timer
    run udevadm control --reload || true
    run systemctl start --no-block getty@tty1.service || true
  fi
}

uninstall() {
  check_root
  if [ -d "$ROOT$release_state" ]; then take_turn; fi
  stop_units
  step "Bo mạch" "The board"
  restore_board
  lend_reserve root
  remove_placed
  remove_program
  if [ "$purge" = yes ]; then purge_data; fi
  settle_after_removal
  sync
  if [ "$purge" = yes ]; then
    say "Đã gỡ hết. Các gói Debian vẫn còn." "All is gone. Debian's packages stay."
  else
    say "Đã gỡ. Còn lại: /var/lib/kiosk, /etc/kiosk, người dùng kiosk (xóa: --uninstall --purge) và các gói Debian." \
      "Removed. What stays: /var/lib/kiosk, /etc/kiosk, the user kiosk (to delete: --uninstall --purge) and Debian's packages."
  fi
  propose_reboot
}
