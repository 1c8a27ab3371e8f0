# shellcheck shell=bash
# Voice, services, and the last words. Sourced by install.sh.

make_voice() { # the clips of calls; recordings that are there already stay
  step "Giọng gọi số" "Voice for calls"
  run "$ROOT/usr/local/bin/kiosk" voice make || warn \
    "Chưa tạo được giọng gọi số; ki-ốt tự tạo khi chạy. Xem: sudo kiosk voice list, docs/voice.md." \
    "The voice for calls could not be made; the kiosk makes it when it runs. See: sudo kiosk voice list, docs/voice.md."
}

enable_units() {
  step "Bật dịch vụ" "Enable the services"
  if systemd_runs; then run systemctl daemon-reload; fi
  systemctl_here enable --quiet "${enabled_units[@]}"
}

start_units() {
  step "Chạy dịch vụ" "Start the services"
  if [ "$start" = no ]; then
    say "--no-start: sẽ chạy khi khởi động lại / they start at the next boot"
    return 0
  fi
  systemd_runs || [ "$dry_run" = yes ] || return 0
  # Both stop before either starts: the preparation in between needs the database for itself. A line that drops in between
  # leaves no kiosk that is stopped.
  trap '' INT HUP
  if [ "$changed" = yes ]; then run systemctl stop "${services[@]}" kiosk-firewall.service; fi
  run systemctl start kiosk-firewall.service || warn \
    "Tường lửa của ki-ốt chưa chạy được: xem journalctl -u kiosk-firewall. Cổng của bảng điều khiển đang mở cho mọi mạng." \
    "The kiosk's firewall did not start: see journalctl -u kiosk-firewall. The console's ports are open to every network."
  run systemctl start kiosk-backup.timer kiosk-update.timer kiosk-synced.service "${services[@]}" || warn \
    "Dịch vụ chưa chạy được. Xem: journalctl -u kiosk -u kiosk-prepare -n 30; nó tự thử lại." \
    "A service did not start. See: journalctl -u kiosk -u kiosk-prepare -n 30; it goes on trying by itself."
  trap 'exit 130' INT HUP
}

check_kiosk() {
  step "Kiểm tra thiết bị" "Check the device"
  run "$ROOT/usr/local/bin/kiosk" check || warn \
    "Có mục chưa đạt: sửa theo lời nhắc ở trên rồi chạy: sudo kiosk check" \
    "Something is not right yet: do what is said above, then run: sudo kiosk check"
}

knows() { # COMMAND OPTION: whether the installed program has it
  "$ROOT/usr/local/bin/kiosk" "$1" --help 2>/dev/null | grep -q -- "$2"
}

papers() { # after a change: a slip with the console's address, and the record of the hand-over
  [ "$changed" = yes ] && [ "$dry_run" = no ] || return 0
  local record=/var/lib/kiosk/ban-giao.html
  if systemd_runs && [ "$start" = yes ] && knows print-test --console; then
    step "Phiếu có địa chỉ trang quản lý" "A slip with the console's address"
    run "$ROOT/usr/local/bin/kiosk" print-test --console || warn "Chưa in được: sudo kiosk print-test --console" "Not printed: sudo kiosk print-test --console"
  fi
  if knows handover --out; then
    step "Biên bản bàn giao" "Hand-over record"
    say "$record"
    run "$ROOT/usr/local/bin/kiosk" handover --out "$record" || warn "Chưa ghi được: sudo kiosk handover --out $record" "Not written: sudo kiosk handover --out $record"
  fi
}

propose_reboot() {
  [ "$reboot_needed" = no ] || warn "Cài đặt của bo mạch có thay đổi: hãy khởi động lại một lần: sudo reboot" \
    "Settings of the board have changed: restart it once: sudo reboot"
}

closing_words() {
  [ -e /dev/rtc ] || [ -e /dev/rtc0 ] || [ "$reboot_needed" = yes ] || warn \
    "Không thấy mô-đun đồng hồ (RTC): mất điện là sai giờ. Xem docs/hardware.md." \
    "No clock module (RTC) found: the time is lost with the power. See docs/hardware.md."
  propose_reboot
  cat <<'TEXT'

Xong. Việc tiếp theo:
  1. Khai báo đơn vị trong trình duyệt: mở địa chỉ trên phiếu vừa in (https://KIOSK:8443) và nhập mã đang hiện trên màn hình
     (không có màn hình: sudo kiosk setup-code). Đã có sẵn bản khai báo (người dùng kiosk
     không đọc được thư mục riêng của bạn): install -m 644 office.toml /tmp/ && sudo kiosk office apply /tmp/office.toml
  2. Phím, máy in, màn hình khác mặc định: sudo nano /etc/kiosk/kiosk.toml
     rồi áp dụng và kiểm tra:              sudo systemctl restart kiosk kiosk-sync kiosk-console && sudo kiosk check
  3. In thử:                               sudo kiosk print-test
  4. Xem nhật ký:                          journalctl -u kiosk -f
  5. Rút điện, cắm lại một lần: ki-ốt phải tự chạy lại.
  Hướng dẫn (docs/…):                      /opt/kiosk/current/share/kiosk/docs

Done. What to do next:
  1. Describe the office in a browser: open the address on the slip that was printed (https://KIOSK:8443) and enter the code
     that the screen shows (without a screen: sudo kiosk setup-code). With a document at hand (the user
     kiosk may not read your home): install -m 644 office.toml /tmp/ && sudo kiosk office apply /tmp/office.toml
  2. Keys, printer, screen that differ: sudo nano /etc/kiosk/kiosk.toml
     then apply and check:             sudo systemctl restart kiosk kiosk-sync kiosk-console && sudo kiosk check
  3. Print a test sheet:               sudo kiosk print-test
  4. Read the log:                     journalctl -u kiosk -f
  5. Pull the plug once and put it back: the kiosk must come up by itself.
  The guides (docs/…):                 /opt/kiosk/current/share/kiosk/docs
TEXT
}
