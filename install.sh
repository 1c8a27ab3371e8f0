#!/usr/bin/env bash
# Puts the kiosk on a Raspberry Pi (Raspberry Pi OS 64-bit, Bookworm or Trixie) or on a PC with Debian 12 or 13.
# Safe to run twice: what is there already is left alone, and a file that was changed by hand is never overwritten.
# The steps stand in installer/, by task.
#
# ROOT=/some/folder places the files below that folder instead of the real system (for tests and images).
# shellcheck disable=SC2034  # what is set here is read by the pieces in installer/
set -euo pipefail
umask 022

ROOT=${ROOT:-}
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dry_run=no
start=yes
changed=no # something that runs was replaced: the services are restarted
pip_lgpio=no
action=install
purge=no
offline=''
office=''
server=''
code=''
screen='' # as it is, else 1920x1080
rtc=auto
time_server=''

# File in systemd/, where it goes, mode. Below /usr/local/lib, so that changes of a technician have /etc to themselves;
# apt alone has no such folder.
placed_files=(
  "kiosk.service /usr/local/lib/systemd/system/kiosk.service 644"
  "kiosk-prepare.service /usr/local/lib/systemd/system/kiosk-prepare.service 644"
  "kiosk-sync.service /usr/local/lib/systemd/system/kiosk-sync.service 644"
  "kiosk-console.service /usr/local/lib/systemd/system/kiosk-console.service 644"
  "kiosk-backup.service /usr/local/lib/systemd/system/kiosk-backup.service 644"
  "kiosk-usb@.service /usr/local/lib/systemd/system/kiosk-usb@.service 644"
  "kiosk-usb /usr/local/lib/kiosk/kiosk-usb 755"
  "kiosk-backup.timer /usr/local/lib/systemd/system/kiosk-backup.timer 644"
  "kiosk-synced.service /usr/local/lib/systemd/system/kiosk-synced.service 644"
  "kiosk-update.service /usr/local/lib/systemd/system/kiosk-update.service 644"
  "kiosk-update.timer /usr/local/lib/systemd/system/kiosk-update.timer 644"
  "kiosk-update-install.service /usr/local/lib/systemd/system/kiosk-update-install.service 644"
  "kiosk-healthy.service /usr/local/lib/systemd/system/kiosk-healthy.service 644"
  "kiosk-healthy.timer /usr/local/lib/systemd/system/kiosk-healthy.timer 644"
  "kiosk_trial.py /usr/local/lib/kiosk/kiosk_trial.py 755"
  "kiosk_archive.py /usr/local/lib/kiosk/kiosk_archive.py 755"
  "kiosk_release.py /usr/local/lib/kiosk/kiosk_release.py 755"
  "kiosk_clock.py /usr/local/lib/kiosk/kiosk_clock.py 755"
  "kiosk-firewall.service /usr/local/lib/systemd/system/kiosk-firewall.service 644"
  "kiosk.nft /usr/local/lib/kiosk/firewall.nft 644"
  "kiosk.sysusers /usr/local/lib/sysusers.d/kiosk.conf 644"
  "kiosk.tmpfiles /usr/local/lib/tmpfiles.d/kiosk.conf 644"
  "70-kiosk.rules /usr/local/lib/udev/rules.d/70-kiosk.rules 644"
  "kiosk.journald.conf /usr/local/lib/systemd/journald.conf.d/50-kiosk.conf 644"
  "kiosk.watchdog.conf /usr/local/lib/systemd/system.conf.d/50-kiosk-watchdog.conf 644"
  "kiosk.keys.conf /usr/local/lib/systemd/system.conf.d/50-kiosk-keys.conf 644"
  "kiosk.sysctl.conf /usr/local/lib/sysctl.d/60-kiosk.conf 644"
  "ctrl-alt-del.target /usr/local/lib/systemd/system/ctrl-alt-del.target 644"
  "kiosk.getty.conf /usr/local/lib/systemd/system/getty@tty1.service.d/50-kiosk.conf 644"
  "kiosk.apt-daily.conf /usr/local/lib/systemd/system/apt-daily.timer.d/50-kiosk.conf 644"
  "kiosk.apt-daily-upgrade.conf /usr/local/lib/systemd/system/apt-daily-upgrade.timer.d/50-kiosk.conf 644"
  "kiosk.apt.conf /etc/apt/apt.conf.d/52kiosk 644"
  "kiosk-command /usr/local/bin/kiosk 755"
)
manifest=/usr/local/lib/kiosk/placed.sha256
services=(kiosk.service kiosk-sync.service kiosk-console.service)
enabled_units=("${services[@]}" kiosk-firewall.service kiosk-synced.service kiosk-backup.timer kiosk-update.timer kiosk-healthy.timer)

# shellcheck source=installer/words.sh
source "$source_dir/installer/words.sh"
# shellcheck source=installer/system.sh
source "$source_dir/installer/system.sh"
# shellcheck source=installer/alone.sh
source "$source_dir/installer/alone.sh"
# shellcheck source=installer/packages.sh
source "$source_dir/installer/packages.sh"
# shellcheck source=installer/program.sh
source "$source_dir/installer/program.sh"
# shellcheck source=installer/files.sh
source "$source_dir/installer/files.sh"
# shellcheck source=installer/settings.sh
source "$source_dir/installer/settings.sh"
# shellcheck source=installer/host.sh
source "$source_dir/installer/host.sh"
# shellcheck source=installer/board.sh
source "$source_dir/installer/board.sh"
# shellcheck source=installer/ending.sh
source "$source_dir/installer/ending.sh"
# shellcheck source=installer/removing.sh
source "$source_dir/installer/removing.sh"

usage() {
  cat <<'TEXT'
sudo ./install.sh [--office FILE] [--device NAME] [--printer URL] [--server URL --code CODE] [...]
sudo ./install.sh --uninstall [--purge]

  Cài ki-ốt lên Raspberry Pi OS 64-bit (Bookworm, Trixie) hoặc Debian 12, 13. Chạy lại nhiều lần đều an toàn.
  Installs the kiosk on Raspberry Pi OS 64-bit (Bookworm, Trixie) or Debian 12, 13. Safe to run again.

  --yes               không hỏi gì (vốn không hỏi)            ask nothing (nothing is asked without it either)
  --dry-run           chỉ in các bước, không thay đổi gì      print the steps, change nothing
  --no-start          cài nhưng chưa chạy dịch vụ             install, but do not start the services yet
  --offline DIR       lấy gói từ thư mục hay USB              packages from a folder or stick (installer/bundle.sh)
  --office FILE       bản khai báo đơn vị, kèm ảnh bên cạnh   the office document, with the pictures beside it
  --device NAME       tên của máy                             name of this device
  --printer URL       máy in, như tcp://192.168.1.50:9100     the printer
  --screen MODE       1920x1080 (mặc định), auto, none        mode of the HDMI screen (default 1920x1080)
  --server URL        máy chủ xã, cùng với --code             the commune server, together with --code
  --code CODE         mã một lần của máy chủ                  the server's one-time code
  --time-server HOST  máy chủ giờ trong mạng                  a time server on the LAN
  --rtc MODULE        ds3231, pcf8523, none                   the clock module on a Raspberry Pi
  --uninstall         gỡ; giữ dữ liệu và cấu hình             remove; data and configuration stay
  --purge             khi gỡ: xóa cả dữ liệu và cấu hình      with --uninstall: delete them too
  --help              in trợ giúp này                         print this help
TEXT
}

misused() { # VIETNAMESE ENGLISH
  warn "$1 Xem: ./install.sh --help" "$2 See: ./install.sh --help"
  exit 2
}

read_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --offline | --office | --device | --printer | --screen | --server | --code | --time-server | --rtc)
        [ -n "${2:-}" ] || misused "Sau $1 thiếu giá trị." "$1 needs a value."
        read_value "$1" "$2"
        shift
        ;;
      --yes) ;;
      --dry-run) dry_run=yes ;;
      --no-start) start=no ;;
      --uninstall) action=uninstall ;;
      --purge) purge=yes ;;
      -h | --help) usage && exit 0 ;;
      *) misused "Không có tùy chọn $1." "There is no option $1." ;;
    esac
    shift
  done
  check_options
}

read_value() { # OPTION VALUE
  case $1 in
    --offline) offline=$2 ;;
    --office) office=$(realpath -m -- "$2") ;;
    --device) ask_for "" device "$2" ;;
    --printer) ask_for printer url "$2" ;;
    --screen) screen=$2 ;;
    --server) server=$2 ;;
    --code) code=$2 ;;
    --time-server) time_server=$2 ;;
    --rtc) rtc=$2 ;;
  esac
}

check_options() { # what does not go together, before anything else
  case $rtc in
    auto | ds3231 | pcf8523 | none) ;;
    *) misused "--rtc không nhận $rtc, chỉ nhận ds3231, pcf8523, none." "--rtc takes ds3231, pcf8523, none, and not $rtc." ;;
  esac
  case $screen in
    none) settings+=("screen|enabled|false") ;;
    '' | auto) ;;
    *) is_a_mode "$screen" || misused "--screen không nhận $screen, chỉ nhận chế độ như 1920x1080, auto, none." \
      "--screen takes a mode as 1920x1080, auto, none, and not $screen." ;;
  esac
  if [ "${server:+x}" != "${code:+x}" ]; then
    misused "--server URL và --code CODE phải đi cùng nhau." "--server URL and --code CODE go together."
  fi
  if [ "$purge" = yes ] && [ "$action" != uninstall ]; then
    misused "--purge chỉ đi cùng --uninstall." "--purge goes with --uninstall only."
  fi
}

install_kiosk() {
  check_system
  install_packages
  build_environment
  judge_documents
  place_files
  place_config
  make_users
  settle_host
  set_up_board
  apply_device_rules
  switch_release
  make_voice
  enable_units
  start_units
  tidy_old_layout
  look_at_office
  enrol
  check_kiosk
  papers
  sync
  closing_words
}

main() {
  read_options "$@"
  trap on_error ERR
  trap leave_nothing_half EXIT
  trap 'exit 130' INT TERM HUP
  set -E
  if [ "$action" = uninstall ]; then uninstall; else install_kiosk; fi
  if [ "$refused" = yes ]; then # only a dry run comes this far
    warn "Lần cài thật sẽ dừng vì các dòng có dấu ! ở trên." "In earnest this would stop at what is marked with ! above."
    exit 1
  fi
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then main "$@"; fi
