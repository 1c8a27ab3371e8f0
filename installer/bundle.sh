#!/usr/bin/env bash
# Fills a folder or stick for `install.sh --offline DIR`, on a Debian machine with a network: bundle.sh DIR [OPTION…]
#
# DIR/wheels are the Python packages of the lock with their hashes, DIR/debs Debian's packages with all that they need,
# DIR/SHA256SUMS tells a damaged stick. Nothing of the machine that runs it is changed, and it needs no root.
set -euo pipefail
umask 022

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
suite=bookworm
arch=arm64
mirror=http://deb.debian.org/debian
security=http://security.debian.org/debian-security
raspberry=''
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
status=''
# What install.sh has and the pieces below ask for.
# shellcheck disable=SC2034
{
  dry_run=no
  offline=''
  ROOT=''
  pip_lgpio=no
  start=yes
  changed=no
}
# shellcheck source=installer/words.sh
source "$source_dir/installer/words.sh"
# shellcheck source=installer/packages.sh
source "$source_dir/installer/packages.sh"
# shellcheck source=installer/program.sh
source "$source_dir/installer/program.sh"

usage() {
  cat <<'TEXT'
installer/bundle.sh DIR [--suite bookworm|trixie] [--arch arm64|amd64] [--status FILE] [--raspberry KEYRING]

  --suite      Debian của ki-ốt                          Debian of the kiosk (bookworm)
  --arch       arm64: Raspberry Pi; amd64: PC            arm64: Raspberry Pi; amd64: PC (arm64)
  --status     /var/lib/dpkg/status của ki-ốt: chỉ lấy   the kiosk's /var/lib/dpkg/status: fetch only what
               gói còn thiếu                             it does not have yet
  --raspberry  lấy thêm từ archive.raspberrypi.com       fetch from archive.raspberrypi.com too, with its
               (raspberrypi-archive-keyring.gpg)         key (raspberrypi-archive-keyring.gpg)
  --mirror, --security URL                               Debian's archives
TEXT
}

read_words() {
  [ $# -gt 0 ] || { usage >&2 && exit 2; }
  case $1 in -h | --help) usage && exit 0 ;; esac
  folder=$1
  shift
  while [ $# -gt 1 ]; do
    case $1 in
      --suite) suite=$2 ;;
      --arch) arch=$2 ;;
      --status) status=$2 ;;
      --raspberry) raspberry=$2 ;;
      --mirror) mirror=$2 ;;
      --security) security=$2 ;;
      *) usage >&2 && exit 2 ;;
    esac
    shift 2
  done
  [ $# -eq 0 ] || { usage >&2 && exit 2; }
}

python_of_suite() {
  case $suite in
    bookworm) echo 3.11 ;;
    trixie) echo 3.13 ;;
    *) echo "$suite: bookworm, trixie" >&2 && exit 2 ;;
  esac
}

machine_of_arch() {
  case $arch in
    arm64) echo aarch64 ;;
    amd64) echo x86_64 ;;
    *) echo "$arch: arm64, amd64" >&2 && exit 2 ;;
  esac
}

# ---- Debian's packages ----

archive_lines() {
  local by="[arch=$arch signed-by=$keyring]"
  echo "deb $by $mirror $suite main"
  echo "deb $by $mirror $suite-updates main"
  echo "deb $by $security $suite-security main"
  [ -z "$raspberry" ] || echo "deb [arch=$arch signed-by=$(realpath "$raspberry")] http://archive.raspberrypi.com/debian $suite main"
}

prepare_apt() { # an apt of its own, which knows nothing of this machine
  mkdir -p "$work"/apt/{lists/partial,archives/partial,etc}
  archive_lines >"$work/apt/sources.list"
  : >"$work/apt/status"
  [ -z "$status" ] || cp "$status" "$work/apt/status"
  apt_options=(-o APT::Architecture="$arch" -o APT::Architectures::="$arch" -o Dir::State="$work/apt" -o Dir::State::status="$work/apt/status"
    -o Dir::State::lists="$work/apt/lists" -o Dir::Cache="$work/apt" -o Dir::Etc::sourcelist="$work/apt/sources.list"
    -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null -o Dir::Etc::trustedparts=/dev/null
    -o Debug::NoLocking=1 -o APT::Sandbox::User= -o Acquire::Languages=none)
}

fetch_debs() {
  local wanted=("${base_packages[@]}" "$time_package")
  prepare_apt
  apt_get update
  if archive_has_lgpio; then wanted+=(python3-lgpio); else pip_lgpio=yes; fi
  # Without --status all comes along, down to the C library; the installer takes what its system lacks.
  apt_get install -y --download-only --no-install-recommends "${wanted[@]}"
  mkdir -p "$folder/debs"
  rm -f "$folder"/debs/*.deb
  mv "$work"/apt/archives/*.deb "$folder/debs/"
}

# ---- Python's packages ----

platforms() { # what pip calls the machine, the newest C library first
  local machine
  machine=$(machine_of_arch)
  case $suite in trixie) printf -- '--platform\nmanylinux_2_41_%s\n' "$machine" ;; esac
  printf -- '--platform\nmanylinux_%s_'"$machine"'\n' 2_36 2_35 2_34 2_31 2_28 2_27 2_26 2_24 2_17 2_12 2_5
  printf -- '--platform\n%s\n' "manylinux2014_$machine" "manylinux2010_$machine" "manylinux1_$machine"
}

fetch_wheels() {
  local words version
  version=$(python_of_suite)
  mapfile -t words < <(platforms)
  python3 -m venv "$work/pip"
  # Python 3.13 has no lgpio that could be fetched; install.sh says the same.
  [ "${version#3.}" -le 12 ] || pip_lgpio=no
  write_lock "$work/run.txt"
  rm -rf "$folder/wheels"
  "$work/pip/bin/python" -m pip --disable-pip-version-check download -q --no-cache-dir --require-hashes --only-binary :all: --no-deps \
    --implementation cp --python-version "$version" --abi "cp${version/./}" --abi abi3 --abi none "${words[@]}" \
    --dest "$folder/wheels" -r "$work/run.txt"
}

sum_up() {
  (cd "$folder" && find debs wheels -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum >SHA256SUMS)
  say "$suite $arch: $(find "$folder/debs" -type f | wc -l) debs, $(find "$folder/wheels" -type f | wc -l) wheels, $(du -sm "$folder" | cut -f1) MB" \
    "sudo ./install.sh --offline $folder"
}

bundle() {
  read_words "$@"
  python_of_suite >/dev/null
  machine_of_arch >/dev/null
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$folder"
  step "Gói Debian" "Debian's packages"
  fetch_debs
  step "Gói Python" "Python's packages"
  fetch_wheels
  step "Xong" "Done"
  sum_up
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then bundle "$@"; fi
