#!/usr/bin/env bash
# Puts the kiosk on a Raspberry Pi (Raspberry Pi OS 64-bit, Bookworm or Trixie) or on a PC with Debian 12 or 13.
# Safe to run twice: what is there already is left alone, and a file that was changed by hand is never overwritten.
#
# ROOT=/some/folder places the files below that folder instead of the real system (for tests and images).
set -euo pipefail
umask 022

ROOT=${ROOT:-}
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dry_run=no
start=yes
changed=no # something that runs was replaced: the services are restarted
pip_lgpio=no
current_step=start

base_packages=(
  python3 python3-venv
  # Debian's pygame and never pip's: only Debian's SDL can draw on a screen without a desktop (KMS/DRM).
  python3-pygame libegl1 libgles2 libgl1 libgbm1 libgl1-mesa-dri
  python3-evdev    # keypads
  alsa-utils espeak-ng  # tones, calls, and sentences read aloud
  libusb-1.0-0     # printers without /dev/usb/lp*
  ca-certificates  # upload over HTTPS
)

# File in systemd/, where it goes, mode. Below /usr/local/lib, so that changes of a technician have /etc to themselves.
placed_files=(
  "kiosk.service /usr/local/lib/systemd/system/kiosk.service 644"
  "kiosk-prepare.service /usr/local/lib/systemd/system/kiosk-prepare.service 644"
  "kiosk-sync.service /usr/local/lib/systemd/system/kiosk-sync.service 644"
  "kiosk-console.service /usr/local/lib/systemd/system/kiosk-console.service 644"
  "kiosk-backup.service /usr/local/lib/systemd/system/kiosk-backup.service 644"
  "kiosk-usb@.service /usr/local/lib/systemd/system/kiosk-usb@.service 644"
  "kiosk-usb /usr/local/lib/kiosk/kiosk-usb 755"
  "kiosk-backup.timer /usr/local/lib/systemd/system/kiosk-backup.timer 644"
  "kiosk-update.service /usr/local/lib/systemd/system/kiosk-update.service 644"
  "kiosk-update.timer /usr/local/lib/systemd/system/kiosk-update.timer 644"
  "kiosk-update-install.service /usr/local/lib/systemd/system/kiosk-update-install.service 644"
  "kiosk-healthy.service /usr/local/lib/systemd/system/kiosk-healthy.service 644"
  "kiosk-healthy.timer /usr/local/lib/systemd/system/kiosk-healthy.timer 644"
  "kiosk_trial.py /usr/local/lib/kiosk/kiosk_trial.py 755"
  "kiosk_archive.py /usr/local/lib/kiosk/kiosk_archive.py 755"
  "kiosk_release.py /usr/local/lib/kiosk/kiosk_release.py 755"
  "kiosk.sysusers /usr/local/lib/sysusers.d/kiosk.conf 644"
  "kiosk.tmpfiles /usr/local/lib/tmpfiles.d/kiosk.conf 644"
  "70-kiosk.rules /usr/local/lib/udev/rules.d/70-kiosk.rules 644"
  "kiosk.journald.conf /usr/local/lib/systemd/journald.conf.d/50-kiosk.conf 644"
  "kiosk.watchdog.conf /usr/local/lib/systemd/system.conf.d/50-kiosk-watchdog.conf 644"
  "kiosk-command /usr/local/bin/kiosk 755"
)
manifest=/usr/local/lib/kiosk/placed.sha256
services=(kiosk.service kiosk-sync.service kiosk-console.service)
enabled_units=("${services[@]}" kiosk-backup.timer kiosk-update.timer)

usage() {
  cat <<'TEXT'
sudo ./install.sh [--dry-run] [--no-start]

  Cài ki-ốt lên Raspberry Pi OS 64-bit (Bookworm, Trixie) hoặc Debian 12, 13. Chạy lại nhiều lần đều an toàn.
  Installs the kiosk on Raspberry Pi OS 64-bit (Bookworm, Trixie) or Debian 12, 13. Safe to run again.

  --dry-run    chỉ in các bước, không thay đổi gì    print the steps, change nothing
  --no-start   cài nhưng chưa chạy dịch vụ           install, but do not start the services yet
  --help       in trợ giúp này                       print this help
TEXT
}

# ---- talking ----

step() { # VIETNAMESE ENGLISH
  current_step=$2
  printf '\n== %s / %s\n' "$1" "$2"
}

say() { printf '   %s\n' "$@"; }

warn() { # VIETNAMESE ENGLISH
  printf ' ! %s\n   %s\n' "$1" "$2" >&2
}

refuse() { # VIETNAMESE ENGLISH: the end, except in a dry run, which shows the remaining steps
  warn "$1" "$2"
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
  warn "Dừng ở bước: $current_step. Sửa lỗi ở trên rồi chạy lại: sudo ./install.sh" \
    "Stopped at the step: $current_step. Mend the error above and run again: sudo ./install.sh"
}

systemd_runs() { [ -z "$ROOT" ] && [ -d /run/systemd/system ]; }

# ---- 1. the system ----

check_root() {
  [ "$(id -u)" = 0 ] || refuse "Cần quyền root. Hãy chạy: sudo ./install.sh" "Root is needed. Run: sudo ./install.sh"
}

check_architecture() { # ARCHITECTURE as dpkg names it: a 64-bit kernel may carry a 32-bit system
  case $1 in
    arm64 | amd64) say "$1" ;;
    *) refuse "Hệ điều hành $1 không dùng được: Pillow và pygame không có gói 32-bit. Hãy cài Raspberry Pi OS 64-bit." \
      "This system is $1: there are no 32-bit packages of Pillow and pygame. Install the 64-bit Raspberry Pi OS." ;;
  esac
}

check_release() { # ID and VERSION_CODENAME of os-release
  case "$1 $2" in
    "debian bookworm" | "debian trixie") say "$1 $2" ;;
    *) refuse "Chưa hỗ trợ $1 $2: cần Raspberry Pi OS hoặc Debian, bản bookworm hay trixie." \
      "$1 $2 is not supported: Raspberry Pi OS or Debian is needed, bookworm or trixie." ;;
  esac
}

os_value() { # KEY
  sed -n "s/^$1=\"\\{0,1\\}\\([^\"]*\\)\"\\{0,1\\}\$/\\1/p" /etc/os-release
}

check_system() {
  step "Kiểm tra hệ thống" "Check the system"
  check_root
  check_architecture "$(dpkg --print-architecture 2>/dev/null || uname -m)"
  check_release "$(os_value ID)" "$(os_value VERSION_CODENAME)"
  if systemd_runs && systemctl --quiet is-active display-manager.service; then
    warn "Màn hình đang do giao diện desktop giữ. Sau khi cài: sudo systemctl set-default multi-user.target && sudo reboot" \
      "A desktop holds the screen. After this: sudo systemctl set-default multi-user.target && sudo reboot"
  fi
}

# ---- 2. packages ----

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

install_missing() { # PACKAGE…
  local package missing=()
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  run env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
  changed=yes
}

lists_are_empty() { ! compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; }

all_installed() { # PACKAGE…
  local package
  for package in "$@"; do
    is_installed "$package" || return 1
  done
}

update_lists() { # a second run needs no network
  if lists_are_empty || ! all_installed "${base_packages[@]}"; then run apt-get update -q; fi
}

archive_has_lgpio() {
  local candidate
  candidate=$(LC_ALL=C apt-cache policy python3-lgpio 2>/dev/null | awk '/Candidate:/ {print $2}')
  [ -n "$candidate" ] && [ "$candidate" != "(none)" ] && dpkg --compare-versions "$candidate" ge 0.2.2
}

python_minor() { python3 -c 'import sys; print(sys.version_info.minor)'; }

install_gpio_library() {
  if is_installed python3-lgpio || archive_has_lgpio; then
    install_missing python3-lgpio
  elif [ "$(python_minor)" -le 12 ]; then
    pip_lgpio=yes
    say "lgpio: pip (requirements/lgpio.txt)"
  else
    warn "Kho gói này không có python3-lgpio, và pip không có bản cho Python 3.13: phím GPIO không dùng được, phím USB vẫn dùng được. Trên Raspberry Pi hãy cài Raspberry Pi OS." \
      "This archive has no python3-lgpio, and pip has none for Python 3.13: GPIO keys cannot work, USB keypads can. On a Raspberry Pi install Raspberry Pi OS."
  fi
}

install_packages() {
  step "Cài gói hệ thống" "Install system packages"
  update_lists
  install_missing "${base_packages[@]}"
  install_gpio_library
}

# ---- 3. the program, in an environment of its own ----

sources() { # every file that ends up in the environment, NUL-separated
  find "$source_dir"/{kiosk,sync,pyproject.toml,requirements/run.txt,requirements/lgpio.txt} \
    -type f ! -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z
}

release_name() { # version+digest: another content is another folder, so a running program is never changed under its feet
  local version digest
  version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$source_dir/pyproject.toml")
  digest=$({
    sources | xargs -0 sha256sum | sed "s#  $source_dir/#  #"
    python3 --version
    echo "pip_lgpio=$pip_lgpio"
  } | sha256sum | cut -c1-8)
  echo "$version+$digest"
}

lock_without_pygame() { # pip's pygame would hide Debian's, and has no driver for a screen without a desktop
  awk '/^[^ #]/ { skip = /^pygame==/ } !skip' "$source_dir/requirements/run.txt"
}

fill_environment() { # HOME WORK
  local home=$1 work=$2
  # A second environment lends its pip: so the first one holds exactly what the lock names, and nothing of Debian's
  # hides a locked package.
  python3 -m venv --system-site-packages --without-pip "$home"
  python3 -m venv "$work/pip"
  lock_without_pygame >"$work/run.txt"
  if [ "$pip_lgpio" = yes ]; then cat "$source_dir/requirements/lgpio.txt" >>"$work/run.txt"; fi
  "$work/pip/bin/pip" --disable-pip-version-check --python "$home/bin/python" install -q --no-cache-dir \
    --ignore-installed --no-deps --only-binary :all: --require-hashes -r "$work/run.txt"
  # Built from a copy: nothing is left behind in the folder of the technician.
  mkdir "$work/tree"
  cp -r "$source_dir"/{kiosk,sync,server,pyproject.toml,README.md,LICENSE} "$work/tree/"
  "$home/bin/python" -m pip --disable-pip-version-check install -q --no-cache-dir --no-deps --no-build-isolation "$work/tree"
  install -D -m 644 "$source_dir/docs/install.md" "$home/share/install.md"
  PYGAME_HIDE_SUPPORT_PROMPT=1 "$home/bin/python" -I -c 'import evdev, pygame, kiosk, sync'
}

build_environment() {
  step "Cài chương trình" "Install the program"
  local name home work
  name=$(release_name)
  home=$ROOT/opt/kiosk/$name
  if [ -f "$home/.complete" ]; then
    say "/opt/kiosk/$name ✓"
    return 0
  fi
  say "/opt/kiosk/$name"
  run rm -rf "$home" # left by a run that was interrupted
  if [ "$dry_run" = yes ]; then
    say "+ python3 -m venv --system-site-packages; pip install --require-hashes -r requirements/run.txt; pip install ."
    return 0
  fi
  work=$(mktemp -d)
  fill_environment "$home" "$work"
  rm -rf "$work"
  sync # first the files, then the mark: a power cut in between must not leave a mark on half a program
  touch "$home/.complete"
}

switch_release() { # in one rename: there is a complete program at every moment
  local name link=$ROOT/opt/kiosk/current previous
  name=$(release_name)
  previous=$(readlink "$link" || true)
  [ "$previous" != "$name" ] || return 0
  run ln -sfn "$name" "$link.new"
  run mv -T "$link.new" "$link"
  changed=yes
  remove_old_releases "$name" "$previous"
}

remove_old_releases() { # KEEP KEEP: the newest two stay, all others go: cards are small
  local folder
  for folder in "$ROOT"/opt/kiosk/*+*; do
    case ${folder##*/} in
      "$1" | "$2" | '*+*') ;;
      *) run rm -rf "$folder" ;;
    esac
  done
}

# ---- 4. files ----

digest_line() { # FILE PATH
  printf '%s  %s\n' "$(sha256sum <"$1" | cut -d' ' -f1)" "$2"
}

placed_by_us() { # PATH: its content is one that this script has once put there
  digest_line "$ROOT$1" "$1" | grep -qxFf - "$ROOT$manifest" 2>/dev/null
}

write_file() { # SOURCE PATH MODE: complete or not at all
  say "$2"
  [ "$dry_run" = no ] || return 0
  install -D -m "$3" "$1" "$ROOT$2.tmp"
  mv -f "$ROOT$2.tmp" "$ROOT$2"
}

note_placed() { # PATH
  [ "$dry_run" = no ] || return 0
  placed_by_us "$1" && return 0
  mkdir -p "$(dirname "$ROOT$manifest")"
  digest_line "$ROOT$1" "$1" >>"$ROOT$manifest"
}

place_file() { # SOURCE PATH MODE
  local new=$1 path=$2 mode=$3
  if cmp -s "$new" "$ROOT$path"; then
    note_placed "$path"
  elif [ -e "$ROOT$path" ] && ! placed_by_us "$path"; then
    cmp -s "$new" "$ROOT$path.new" || write_file "$new" "$path.new" "$mode"
    warn "$path đã được sửa bằng tay: giữ nguyên; bản mới ở $path.new" \
      "$path was changed by hand: left as it is; the new one is $path.new"
  else
    write_file "$new" "$path" "$mode"
    note_placed "$path"
    changed=yes
  fi
}

place_files() {
  step "Chép tệp hệ thống" "Place system files"
  local entry file path mode
  for entry in "${placed_files[@]}"; do
    read -r file path mode <<<"$entry"
    place_file "$source_dir/systemd/$file" "$path" "$mode"
  done
}

place_config_file() { # SOURCE PATH: only where there is none; from then on it belongs to the technician
  if [ -e "$ROOT$2" ]; then
    say "$2: giữ nguyên / left as it is"
  else
    write_file "$1" "$2" 640
  fi
}

place_config() {
  step "Cấu hình mẫu" "Sample configuration"
  place_config_file "$source_dir/systemd/kiosk.toml" /etc/kiosk/kiosk.toml
  place_config_file "$source_dir/kiosk/assets/office.sample.toml" /etc/kiosk/office.toml
}

# ---- 5. users, devices, services ----

make_users() {
  step "Người dùng, thư mục" "User, groups, folders"
  run systemd-sysusers "$ROOT/usr/local/lib/sysusers.d/kiosk.conf"
  run systemd-tmpfiles --create "$ROOT/usr/local/lib/tmpfiles.d/kiosk.conf"
}

make_voice() { # the clips of calls; recordings that are there already stay
  step "Giọng gọi số" "Voice for calls"
  run "$ROOT/usr/local/bin/kiosk" voice make || warn \
    "Chưa tạo được giọng gọi số; ki-ốt tự tạo khi chạy. Xem: sudo kiosk voice list, docs/voice.md." \
    "The voice for calls could not be made; the kiosk makes it when it runs. See: sudo kiosk voice list, docs/voice.md."
}

apply_device_rules() {
  step "Quyền thiết bị" "Device rights"
  [ "$dry_run" = yes ] || { systemd_runs && systemctl --quiet is-active systemd-udevd.service; } || return 0
  run udevadm control --reload
  run udevadm trigger --action=change --subsystem-match=gpio --subsystem-match=usbmisc --subsystem-match=input
}

enable_units() {
  step "Bật dịch vụ" "Enable the services"
  if systemd_runs; then run systemctl daemon-reload; fi
  run systemctl enable --quiet "${enabled_units[@]}"
}

start_units() {
  step "Chạy dịch vụ" "Start the services"
  if [ "$start" = no ]; then
    say "--no-start: sẽ chạy khi khởi động lại / they start at the next boot"
    return 0
  fi
  systemd_runs || [ "$dry_run" = yes ] || return 0
  if [ "$changed" = yes ]; then
    run systemctl try-restart systemd-journald.service
    # Both stop before either starts: the preparation in between needs the database for itself.
    run systemctl stop "${services[@]}"
  fi
  run systemctl start kiosk-backup.timer "${services[@]}" || warn \
    "Dịch vụ chưa chạy được. Xem: journalctl -u kiosk -u kiosk-prepare -n 30; nó tự thử lại." \
    "A service did not start. See: journalctl -u kiosk -u kiosk-prepare -n 30; it goes on trying by itself."
}

# ---- 6. the end ----

check_kiosk() {
  step "Kiểm tra thiết bị" "Check the device"
  run "$ROOT/usr/local/bin/kiosk" check || warn \
    "Có mục chưa đạt: sửa theo lời nhắc ở trên rồi chạy: sudo kiosk check" \
    "Something is not right yet: do what is said above, then run: sudo kiosk check"
}

closing_words() {
  [ -e /dev/rtc ] || [ -e /dev/rtc0 ] || warn \
    "Không thấy mô-đun đồng hồ (RTC): mất điện là sai giờ. Xem docs/hardware.md." \
    "No clock module (RTC) found: the time is lost with the power. See docs/hardware.md."
  cat <<'TEXT'

Xong. Việc tiếp theo:
  1. Khai báo phím, máy in, màn hình:  sudo nano /etc/kiosk/kiosk.toml
     Khai báo lĩnh vực, quầy, giờ:     sudo nano /etc/kiosk/office.toml
  2. Áp dụng và kiểm tra:              sudo systemctl restart kiosk kiosk-sync kiosk-console && sudo kiosk check
  3. In thử:                           sudo systemctl stop kiosk; sudo kiosk print-test; sudo systemctl start kiosk
  4. Xem nhật ký:                      journalctl -u kiosk -f
  5. Rút điện, cắm lại một lần: ki-ốt phải tự chạy lại.

Done. What to do next:
  1. Keys, printer, screen:     sudo nano /etc/kiosk/kiosk.toml
     Services, counters, hours: sudo nano /etc/kiosk/office.toml
  2. Apply and check:           sudo systemctl restart kiosk kiosk-sync kiosk-console && sudo kiosk check
  3. Print a test sheet:        sudo systemctl stop kiosk; sudo kiosk print-test; sudo systemctl start kiosk
  4. Read the log:              journalctl -u kiosk -f
  5. Pull the plug once and put it back: the kiosk must come up by itself.
TEXT
}

read_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --dry-run) dry_run=yes ;;
      --no-start) start=no ;;
      -h | --help) usage && exit 0 ;;
      *) printf '%s: ?\n' "$1" >&2 && usage >&2 && exit 2 ;;
    esac
    shift
  done
}

main() {
  read_options "$@"
  trap on_error ERR
  set -E
  check_system
  install_packages
  build_environment
  place_files
  place_config
  make_users
  apply_device_rules
  switch_release
  make_voice
  enable_units
  start_units
  check_kiosk
  sync
  closing_words
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then main "$@"; fi
