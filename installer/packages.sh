# shellcheck shell=bash
# Debian's packages, from the network or from a folder. Sourced by install.sh and bundle.sh.

base_packages=(
  python3 python3-venv
  # Debian's pygame and never pip's: only Debian's SDL can draw on a screen without a desktop (KMS/DRM).
  python3-pygame libegl1 libgles2 libgl1 libgbm1 libgl1-mesa-dri
  python3-evdev       # keypads
  alsa-utils espeak-ng # tones, calls, and sentences read aloud
  libusb-1.0-0        # printers without /dev/usb/lp*
  ca-certificates     # upload over HTTPS
  nftables            # the console is for the LAN
  unattended-upgrades # security upgrades without anybody
  openssh-client      # signatures of releases
)
time_package=systemd-timesyncd
time_programs=(chrony ntpsec ntp openntpd) # whoever has one of these keeps it

apt_options=()
apt_wait=300 # seconds that another program may hold apt: at a first boot it is the upgrade of the day
apt_pause=5
apt_full='' # /var, when apt or dpkg has just found no room there

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

all_installed() { # PACKAGE…
  local package
  for package in "$@"; do
    is_installed "$package" || return 1
  done
}

any_installed() { # PACKAGE…
  local package
  for package in "$@"; do
    ! is_installed "$package" || return 0
  done
  return 1
}

apt_locked() { # FILE with what apt-get or dpkg said
  grep -qE 'Could not get lock|Unable to (acquire|lock)|(lock was|is) locked by another process' "$1"
}

apt_get() { # WORD…
  if [ "$dry_run" = yes ]; then
    run apt-get "$@"
  else
    # apt's own waiting is for dpkg's lock, and not for the one of the lists.
    patiently apt-get -q -o DPkg::Lock::Timeout="$apt_pause" "${apt_options[@]}" "$@"
  fi
}

patiently() { # COMMAND…: of apt or dpkg, again and again as long as another program holds their locks
  local said=no end=$((SECONDS + apt_wait)) answer log
  log=$(mktemp)
  apt_full=''
  while true; do
    answer=0
    # Without the lock of our turn: what a package leaves running would keep it.
    (
      [ -z "${turn:-}" ] || exec {turn}>&-
      exec env LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"
    ) 2>"$log" || answer=$?
    if [ $answer -eq 0 ] || ! apt_locked "$log" || [ $SECONDS -ge $end ]; then break; fi
    [ $said = yes ] || say "apt đang bận, chờ tối đa $apt_wait giây / apt is busy, waiting for up to $apt_wait seconds"
    said=yes
    sleep "$apt_pause"
  done
  cat "$log" >&2
  if [ $answer -ne 0 ] && grep -qE "No space left on device|have enough free space" "$log"; then apt_full=/var; fi
  if [ $answer -ne 0 ] && apt_locked "$log"; then
    rm -f "$log"
    refuse "apt vẫn bận sau $apt_wait giây. Hãy đợi nó xong (ps -C apt-get,dpkg,unattended-upgr) rồi chạy lại: sudo ./install.sh" \
      "apt is still busy after $apt_wait seconds. Let it end (ps -C apt-get,dpkg,unattended-upgr), then run again: sudo ./install.sh"
  fi
  rm -f "$log"
  return $answer
}

not_fetched() { # [FOLDER]: apt or pip failed, for want of room in this folder if they said so
  local full=${1:-}
  [ -n "$full" ] || full=$(full_folder)
  if [ -n "$full" ]; then
    no_room "$full"
    return 0
  fi
  refuse "Không tải được. Máy có mạng không (ping -c1 deb.debian.org)? Không có mạng: tạo thư mục trên máy khác bằng installer/bundle.sh DIR rồi chạy sudo ./install.sh --offline DIR" \
    "This could not be fetched. Is there a network (ping -c1 deb.debian.org)? Without one: make a folder elsewhere with installer/bundle.sh DIR, then run sudo ./install.sh --offline DIR"
}

install_missing() { # PACKAGE…
  local package missing=()
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  apt_get install -y --no-install-recommends "${missing[@]}" || not_fetched "$apt_full"
  changed=yes
}

lists_are_empty() { ! compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; }

update_lists() { # a second run needs no network
  if [ -n "$offline" ] || lists_are_empty || ! all_installed "${base_packages[@]}"; then
    apt_get update || warn "Không cập nhật được danh sách gói; dùng danh sách cũ." "The package lists could not be fetched; the old ones are used."
  fi
}

mend_dpkg() { # a power cut in the middle of an upgrade
  [ -n "$(dpkg --audit 2>/dev/null)" ] || return 0
  say "dpkg --configure -a: hoàn tất lần cài bị đứt / finishes what was interrupted"
  if [ "$dry_run" = yes ]; then run dpkg --configure -a; else patiently dpkg --configure -a; fi
}

package_index() { # FOLDER: its .deb files as apt reads them, as if they lay in debs/
  local deb
  for deb in "$1"/*.deb; do
    [ -e "$deb" ] || continue
    dpkg-deb -f "$deb"
    printf 'Filename: debs/%s\nSize: %s\nSHA256: %s\n\n' "${deb##*/}" "$(stat -Lc %s "$deb")" "$(sha256sum <"$deb" | cut -d' ' -f1)"
  done
}

use_offline_debs() { # apt sees this folder alone, and its own lists stay as they are
  if [ -z "$offline" ] || [ "$dry_run" = yes ]; then return 0; fi
  local place
  place=$(mktemp -d) # a name without spaces, which a stick's may have; and a stick may be write-protected
  half+=("$place")
  chmod 755 "$place"
  mkdir -p "$place/lists/partial" "$offline/debs" 2>/dev/null || true
  ln -s "$offline/debs" "$place/debs"
  package_index "$offline/debs" >"$place/Packages"
  # Trusted: whoever holds the stick is root here a moment later anyway.
  printf 'deb [trusted=yes] file:%s ./\n' "$place" >"$place/sources.list"
  apt_options=(-o Dir::Etc::sourcelist="$place/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o Dir::State::lists="$place/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o Acquire::Languages=none)
}

archive_has_lgpio() {
  local candidate
  candidate=$(LC_ALL=C apt-cache "${apt_options[@]}" policy python3-lgpio 2>/dev/null | awk '/Candidate:/ {print $2}')
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

install_time_program() {
  any_installed "${time_programs[@]}" || install_missing "$time_package"
}

install_packages() {
  step "Cài gói hệ thống" "Install system packages"
  use_offline_debs
  mend_dpkg
  update_lists
  install_missing "${base_packages[@]}"
  install_time_program
  install_gpio_library
}
