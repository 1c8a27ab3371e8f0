# shellcheck shell=bash
# The system around the kiosk. Each setting is a file of its own among placed_files, which --uninstall takes away again;
# here they are put in force. Sourced by install.sh.

systemctl_if_up() { # WORD…: a failure is said and stops nothing; without a running systemd they count from the next boot on
  if [ "$dry_run" = no ] && ! systemd_runs; then return 0; fi
  run systemctl "$@" || warn "Chưa có hiệu lực, sẽ có sau khi khởi động lại: systemctl $*" "Not in force before the next boot: systemctl $*"
}

systemctl_here() { # WORD…: for what needs no running systemd
  run systemctl ${ROOT:+--root="$ROOT"} "$@"
}

guard_keys() {
  say "Ctrl+Alt+Del, SysRq: tắt / off"
  systemctl_if_up restart systemd-sysctl.service
}

guard_screen() {
  say "tty1: không có dấu nhắc đăng nhập, màn hình thuộc về ki-ốt / no login prompt, the screen is the kiosk's"
}

schedule_upgrades() {
  say "Vá bảo mật lúc 12:05, 17:30, 4:10; không tự khởi động lại / security upgrades at 12:05, 17:30, 4:10; no reboot by itself"
  systemctl_if_up try-restart apt-daily.timer apt-daily-upgrade.timer
}

limit_log_and_watch() {
  say "Nhật ký tối đa 64 MB; watchdog 14 giây / log of 64 MB at most; watchdog of 14 s"
  if [ "$changed" = yes ]; then systemctl_if_up try-restart systemd-journald.service; fi
}

set_time_source() {
  local file=/usr/local/lib/systemd/timesyncd.conf.d/50-kiosk.conf
  if [ -z "$time_server" ]; then
    say "Giờ: từ mạng; máy chủ giờ trong mạng: --time-server HOST / time: from the network; a server on the LAN: --time-server HOST"
    return 0
  fi
  case $time_server in
    *[!A-Za-z0-9.:-]*) refuse "Tên máy chủ giờ không hợp lệ: $time_server" "This is no name of a time server: $time_server" ;;
  esac
  say "Giờ từ $time_server / time from $time_server"
  if is_installed chrony; then
    place_text "# Time server of the office's network (install.sh --time-server).
server $time_server iburst" /etc/chrony/sources.d/kiosk.sources 644
    systemctl_if_up try-restart chrony.service
    return 0
  fi
  if any_installed "${time_programs[@]}"; then
    warn "Máy này dùng chương trình giờ khác: hãy ghi $time_server vào cấu hình của nó." \
      "This machine has another time program: write $time_server into its configuration."
    return 0
  fi
  place_text "# Time server of the office's network (install.sh --time-server).
[Time]
NTP=$time_server" "$file" 644
  systemctl_if_up try-restart systemd-timesyncd.service
}

close_ports() {
  say "Cổng $console_ports: chỉ mạng nội bộ / ports $console_ports: the LAN alone"
  # What our own table lets through UFW's may still stop. Its rules are their owner's.
  ufw_is_active || return 0
  local ports=${console_ports//, /,} network=192.168.0.0/16
  warn "UFW đang bật và có thể chặn trang quản lý. Hãy mở cho mạng của cơ quan, ví dụ: sudo ufw allow proto tcp from $network to any port $ports" \
    "UFW is active and may block the console. Open it for the office's network, as: sudo ufw allow proto tcp from $network to any port $ports"
}

ufw_is_active() { # no pipe to grep -q: whoever still writes when it ends has failed, which counts here
  [[ $'\n'"$(LC_ALL=C ufw status 2>/dev/null)"$'\n' = *$'\nStatus: active\n'* ]]
}

lend_reserve() { # GROUP: what ext4 keeps for root on the disk of the data is this group's too, from the next boot on
  local type device
  [ -z "$ROOT" ] || return 0
  read -r type device < <(findmnt -nro FSTYPE,SOURCE -T /var/lib/kiosk) || return 0
  case "$type $device" in
    *'['*) return 0 ;; # a folder of another machine's disk: this is a container
    'ext4 /dev/'*) ;;
    *) return 0 ;;
  esac
  say "Phần đĩa dành riêng: cho nhóm $1 / the disk's reserve: for the group $1"
  run tune2fs -g "$1" "$device" >/dev/null || warn "Không đổi được phần dành riêng của $device." "The reserve of $device could not be changed."
}

settle_host() {
  step "Hệ điều hành" "The system around it"
  if systemd_runs; then run systemctl daemon-reload; fi
  guard_keys
  guard_screen
  schedule_upgrades
  limit_log_and_watch
  set_time_source
  close_ports
  lend_reserve kiosk # else a disk that root has filled gives no numbers
}

apply_device_rules() {
  step "Quyền thiết bị" "Device rights"
  [ "$dry_run" = yes ] || { systemd_runs && systemctl --quiet is-active systemd-udevd.service; } || return 0
  run udevadm control --reload
  run udevadm trigger --action=change --subsystem-match=gpio --subsystem-match=usbmisc --subsystem-match=tty --subsystem-match=input
}
