# shellcheck shell=bash
# Whether this machine can carry a kiosk, and nothing else is at it; nothing is changed here. Sourced by install.sh.

program_mb=350  # one release: its environment, and its build beside it
packages_mb=700 # Debian's packages, unpacked and as files
full_mb=100     # below this a failure of apt or pip is the disk's: they end as they do without a network

check_root() {
  [ "$dry_run" = yes ] || [ "$(id -u)" = 0 ] || refuse "Cần quyền root. Hãy chạy: sudo ./install.sh" "Root is needed. Run: sudo ./install.sh"
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

check_tree() { # an installed release carries the installer along, for --uninstall; the program itself is not beside it
  [ -d "$source_dir/kiosk" ] || refuse "Ở đây chỉ gỡ được ($source_dir --uninstall): hãy chạy install.sh trong thư mục của bản phát hành." \
    "Only --uninstall works from here ($source_dir): run install.sh in the folder of a release."
}

free_mb() { # FOLDER, which need not be there yet
  local folder=$1
  until [ -d "$folder" ]; do folder=$(dirname "$folder"); done
  df -Pm "$folder" | awk 'NR == 2 { print $4 }'
}

needed_mb() {
  if all_installed "${base_packages[@]}"; then echo $program_mb; else echo $((program_mb + packages_mb)); fi
}

no_room() { # FOLDER
  local free needed
  free=$(free_mb "$ROOT$1")
  needed=$(needed_mb)
  refuse "Đĩa còn $free MB ($1), cần $needed MB. Hãy dọn bớt (sudo apt-get clean; sudo journalctl --vacuum-size=50M) hoặc dùng thẻ lớn hơn." \
    "$free MB are free ($1), $needed MB are needed. Make room (sudo apt-get clean; sudo journalctl --vacuum-size=50M) or take a larger card."
}

check_space() { # before anything is written: a card that fills up half-way is the worst of ends
  local free
  free=$(free_mb "$ROOT/opt/kiosk/releases")
  if [ "$free" -ge "$(needed_mb)" ]; then say "$free MB trống / free"; else no_room /opt; fi
}

full_folder() { # the first of these on a disk where next to nothing is free, or nothing
  local folder
  for folder in / /var /opt; do
    if [ "$(free_mb "$ROOT$folder")" -lt "$full_mb" ]; then echo "$folder" && return 0; fi
  done
}

check_offline() { # the folder of --offline: there, whole, and for something
  [ -n "$offline" ] || return 0
  if [ ! -d "$offline/wheels" ]; then
    refuse "$offline không có thư mục wheels. Trên máy có mạng, hãy tạo: installer/bundle.sh $offline" \
      "$offline has no folder wheels. On a machine with a network make it: installer/bundle.sh $offline"
    return 0
  fi
  offline=$(cd "$offline" && pwd)
  [ -f "$offline/SHA256SUMS" ] || return 0
  (cd "$offline" && sha256sum --check --quiet --strict SHA256SUMS >&2) || refuse \
    "$offline bị hỏng: các tệp ở trên khác lúc tạo. Hãy tạo lại bằng installer/bundle.sh." \
    "$offline is damaged: the files above are not what they were. Make it again with installer/bundle.sh."
}

check_system() {
  step "Kiểm tra hệ thống" "Check the system"
  check_root
  check_architecture "$(dpkg --print-architecture 2>/dev/null || uname -m)"
  check_release "$(os_value ID)" "$(os_value VERSION_CODENAME)"
  check_tree
  check_space
  check_offline
  take_turn
  check_trial
  if systemd_runs && systemctl --quiet is-active display-manager.service; then
    warn "Màn hình đang do giao diện desktop giữ. Sau khi cài: sudo systemctl set-default multi-user.target && sudo reboot" \
      "A desktop holds the screen. After this: sudo systemctl set-default multi-user.target && sudo reboot"
  fi
}
