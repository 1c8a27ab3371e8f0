#!/usr/bin/env bash
# The installer and the units in a whole Debian with a real systemd, in a container: container.sh [bookworm|trixie]
#
# Needs root, mmdebstrap and systemd-nspawn, Debian's archive and PyPI; 4–8 minutes. A stick is filled from the network, and the kiosk
# is installed from it in a container that has no network; a second one installs from the network. There are no pins, no USB and no
# screen in a container: the kiosk runs without them, which kiosk.toml says. Ends with exit status 1 at the first thing that is not as
# promised.
# shellcheck disable=SC2016  # what stands in single quotes is for the shell in the container
set -euo pipefail

suite=${1:-bookworm}
mirror=${MIRROR:-http://deb.debian.org/debian}
cache=${KIOSK_CACHE:-/var/cache/kiosk-test}
tree=$(cd "$(dirname "$0")/.." && pwd)
machine=kiosk-$suite-$$
root=''
leader=''

said() { printf '%s: %s\n' "$suite" "$*"; }

fail() {
  said "NOT AS PROMISED: $*" >&2
  [ -z "$leader" ] || inside journalctl -u 'kiosk*' -n 60 --no-pager -o cat >&2 || true
  exit 1
}

inside() { # COMMAND…: in the running container
  nsenter -t "$leader" -m -p -C -n -u -i -- env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin HOME=/root LANG=C.UTF-8 \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt "$@"
}

must() { # SENTENCE COMMAND…
  local sentence=$1
  shift
  inside "$@" >"$root.output" 2>&1 || { cat "$root.output" >&2 && fail "$sentence"; }
  said "✓ $sentence"
}

eventually() { # SECONDS SENTENCE COMMAND…
  local end=$((SECONDS + $1)) sentence=$2
  shift 2
  until inside "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || fail "$sentence"
    sleep 0.5
  done
  said "✓ $sentence"
}

value() { inside systemctl show -P "$2" "$1"; }

clean_up() {
  if [ -n "$leader" ]; then inside systemctl poweroff 2>/dev/null || kill "$boot_pid" || true; fi
  if [ -n "${boot_pid:-}" ]; then
    [ -n "$leader" ] || kill "$boot_pid" || true
    wait "$boot_pid" || true
  fi
  if [ -n "$root" ]; then rm -rf --one-file-system "$root" "$root".*; fi
  leader='' boot_pid='' root=''
}

make_base() {
  local base=$cache/$suite.tar
  [ -f "$base" ] && return
  mkdir -p "$cache"
  said "making a base system"
  timeout 600 mmdebstrap -q --variant=minbase --include=systemd,systemd-sysv,udev,dbus,ca-certificates "$suite" "$base.tmp.tar" "$mirror"
  mv "$base.tmp.tar" "$base"
}

unpack() {
  root=$(mktemp -d "/var/tmp/$machine.XXXX")
  tar -C "$root" -xf "$cache/$suite.tar"
  chmod 755 "$root"
  cp --remove-destination -L /etc/resolv.conf "$root/etc/resolv.conf"
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  mkdir -p "$root/usr/src/kiosk"
  tar -C "$tree" --exclude=./.venv --exclude=./.git --exclude=__pycache__ -cf - . | tar -C "$root/usr/src/kiosk" -xf -
}

boot() { # OPTION…
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 timeout 600 systemd-nspawn -q -D "$root" --machine="$machine" --register=no --keep-unit \
    --resolv-conf=off "$@" --boot >"$root.log" 2>&1 </dev/null &
  boot_pid=$!
  local end=$((SECONDS + 60)) nspawn
  # By its name: for a moment systemd-nspawn has another child, which only makes the namespaces.
  until nspawn=$(pgrep -P "$boot_pid" -x systemd-nspawn) && leader=$(pgrep -P "$nspawn" -x systemd); do
    [ $SECONDS -lt $end ] || fail "the container does not boot"
    sleep 0.2
  done
  eventually 60 "the system is up" sh -c 'case $(systemctl is-system-running) in running|degraded) ;; *) exit 1 ;; esac'
}

configure() { # no pins, no screen, no printer in a container
  cat >"$root/etc/kiosk/kiosk.toml" <<'TOML'
office = "/etc/kiosk/office.toml"
[buttons]
factory = "none"
[screen]
enabled = false
[printer]
url = "none"
TOML
}

check_install() { # a network of its own with nobody in it, and a stick that cannot be written to
  must "there is no network" sh -c '! getent hosts deb.debian.org'
  must "install.sh ends well without a network" /usr/src/kiosk/install.sh --yes --offline /mnt/stick --device xa-thu-1 --printer none
  grep -v '^Get:\|^Setting up \|^Unpacking \|^Preparing \|^Selecting \|Reading database' "$root.output"
  must "the options stand in kiosk.toml" sh -c 'kiosk config | grep -q "^device = \"xa-thu-1\""'
  must "nothing of the stick is left in apt" sh -c '! ls /var/lib/apt/lists | grep -q Packages'
  must "the user is in its groups" sh -c 'for g in gpio lp dialout video render input audio; do id -nG kiosk | grep -qw $g || exit 1; done'
  must "its folders are its own" sh -c '[ "$(stat -c %U:%a /var/lib/kiosk)" = kiosk:750 ] && [ "$(stat -c %G:%a /etc/kiosk/kiosk.toml)" = kiosk:640 ]'
  must "all starts at boot" systemctl is-enabled kiosk.service kiosk-sync.service kiosk-console.service kiosk-backup.timer
  must "pygame is Debian's" /opt/kiosk/current/bin/python -I -c 'import pygame; assert pygame.__file__.startswith("/usr/lib"), pygame.__file__'
  must "the clips of calls are there" sh -c 'kiosk voice list | grep -q moi-cong-dan-co-so: && [ -e /var/lib/kiosk/voices/vi/voice.json ]'
  must "a locked package is the locked one" /opt/kiosk/current/bin/python -I -c 'import PIL; assert PIL.__file__.startswith("/opt/kiosk"), PIL.__file__'
}

check_running() {
  must "restart with a configuration for no hardware" systemctl restart kiosk kiosk-sync kiosk-console
  eventually 60 "the kiosk says that it is ready" systemctl is-active kiosk.service
  must "kiosk check looks at every part" sh -c 'kiosk check | grep -E "Mọi thứ đều sẵn sàng|việc cần làm"'
  must "a backup can be made while it runs" systemctl start kiosk-backup.service
  must "root leaves no file of its own in the data" sh -c '[ -z "$(find /var/lib/kiosk -not -user kiosk)" ]'
}

check_second_run() {
  local before
  before=$(value kiosk MainPID)
  must "install.sh a second time ends well" /usr/src/kiosk/install.sh --offline /mnt/stick
  [ "$(value kiosk MainPID)" = "$before" ] || fail "the second run restarted a kiosk that had not changed"
  said "✓ the second run disturbed nobody"
  must "the configuration is still ours" grep -q 'factory = "none"' /etc/kiosk/kiosk.toml
}

check_refused_update() {
  local before
  before=$(value kiosk MainPID)
  echo '# another release' >>"$root/usr/src/kiosk/kiosk/__init__.py"
  cp "$root/etc/kiosk/kiosk.toml" "$root.toml"
  { echo 'papr_mm = 80' && cat "$root.toml"; } >"$root/etc/kiosk/kiosk.toml"
  must "a kiosk.toml that the new release refuses stops the update" sh -c \
    '/usr/src/kiosk/install.sh --offline /mnt/stick 2>&1 | grep -q "the old kiosk goes on"'
  [ "$(value kiosk MainPID)" = "$before" ] || fail "a refused update disturbed the kiosk"
  said "✓ the old kiosk goes on"
  cat "$root.toml" >"$root/etc/kiosk/kiosk.toml"
}

check_old_layout() { # as 0.4 has left it: the release directly in /opt/kiosk
  inside sh -ec 'cd /opt/kiosk && name=$(basename "$(readlink current)") && systemctl stop kiosk kiosk-sync kiosk-console
    grep -rlI "/opt/kiosk/releases/$name" "releases/$name/bin" "releases/$name/pyvenv.cfg" | xargs sed -i "s#/opt/kiosk/releases/$name#/opt/kiosk/$name#g"
    mv "releases/$name" . && ln -sfn "$name" current && systemctl start kiosk kiosk-sync kiosk-console'
  must "an installation of 0.4 is updated" /usr/src/kiosk/install.sh --offline /mnt/stick
  must "its release is the one before, and runs where it lies now" sh -ec \
    'cd /opt/kiosk && ! ls -d ./*+* && set -- releases/*+* && [ $# = 2 ] && for each; do "$each/bin/kiosk" --version; done'
  eventually 60 "the new release runs" sh -c 'systemctl is-active kiosk && tr "\0" " " <"/proc/$(systemctl show -P MainPID kiosk)/cmdline" | grep -q "$(readlink /opt/kiosk/current)"'
}

check_crash() {
  local before prepared
  before=$(value kiosk MainPID)
  prepared=$(value kiosk-prepare ExecMainStartTimestampMonotonic)
  inside sh -c "kill -9 $before"
  eventually 30 "killed, it comes back" sh -c "[ \"\$(systemctl show -P MainPID kiosk)\" != $before ] && systemctl is-active kiosk"
  [ "$(value kiosk-prepare ExecMainStartTimestampMonotonic)" != "$prepared" ] || fail "the database was not prepared again"
  said "✓ the database was prepared again"
  before=$(value kiosk MainPID)
  inside sh -c "kill -STOP $before"
  eventually 60 "hung, the watchdog brings it back" sh -c "[ \"\$(systemctl show -P MainPID kiosk)\" != $before ] && systemctl is-active kiosk"
}

check_failed_preparation() {
  local drop_in=$root/run-kiosk-prepare.conf
  printf '[Service]\nExecStart=\nExecStart=/bin/false\n' >"$drop_in"
  inside mkdir -p /run/systemd/system/kiosk-prepare.service.d
  inside cp "/${drop_in##*/}" /run/systemd/system/kiosk-prepare.service.d/fail.conf
  inside systemctl daemon-reload
  must "a failed preparation does not keep the kiosk from starting" systemctl restart kiosk
  [ "$(value kiosk-prepare Result)" = exit-code ] || fail "the preparation was to fail here"
  inside rm -r /run/systemd/system/kiosk-prepare.service.d
  inside systemctl daemon-reload
}

check_sandbox() {
  local pid
  pid=$(value kiosk MainPID)
  must "it runs as kiosk without capabilities" sh -c "grep -q 'CapEff:.0000000000000000' /proc/$pid/status && [ \$(stat -c %U /proc/$pid) = kiosk ]"
  must "systemd has no complaint about a unit" sh -c '! journalctl -b -q _PID=1 -p warning -o cat | grep -E "kiosk.*(:[0-9]+:|ignoring|Unknown)"'
  must "it runs with no new privileges and a filter" sh -c "grep -q 'NoNewPrivs:.1' /proc/$pid/status && grep -q 'Seccomp:.2' /proc/$pid/status"
}

make_stick() {
  stick=$cache/stick-$suite
  "$tree/installer/bundle.sh" "$stick" --suite "$suite" --arch "$(dpkg --print-architecture)" --mirror "$mirror" >"$root.output" 2>&1 ||
    { cat "$root.output" >&2 && fail "installer/bundle.sh fills a stick"; }
  said "✓ installer/bundle.sh fills a stick"
}

check_host() {
  must "the console's ports are for the LAN alone" sh -c 'nft list table inet kiosk | grep -q "8080, 8443"'
  must "Ctrl+Alt+Del does nothing" sh -c '[ "$(systemctl is-enabled ctrl-alt-del.target)" = masked ]'
  must "tty1 has no login prompt" sh -c 'systemctl start getty@tty1.service; ! systemctl --quiet is-active getty@tty1.service'
  must "upgrades are not made up in the morning" sh -c '[ "$(systemctl show -P Persistent apt-daily-upgrade.timer)" = no ]'
  must "apt takes the settings" sh -c 'apt-config dump | grep -qx "Unattended-Upgrade::Automatic-Reboot \"false\";"'
}

check_removal() {
  must "the installed release removes itself" /opt/kiosk/current/share/kiosk/install.sh --uninstall
  must "data, configuration and user stay" sh -c '[ -e /var/lib/kiosk/kiosk.db ] && [ -e /etc/kiosk/kiosk.toml ] && id kiosk'
  must "the program, its units and its rules are gone" sh -c \
    '[ ! -e /opt/kiosk ] && [ ! -e /usr/local/bin/kiosk ] && ! systemctl cat kiosk && [ -z "$(find /proc -maxdepth 1 -user kiosk)" ] && ! nft list table inet kiosk'
  must "what was settled in the system is as before" sh -c \
    '[ "$(systemctl is-enabled ctrl-alt-del.target)" != masked ] && [ "$(systemctl show -P Persistent apt-daily-upgrade.timer)" = yes ]'
  must "nothing of ours is left in /etc/systemd" sh -c '[ -z "$(find /etc/systemd -name "kiosk*")" ]'
  must "purging deletes the rest" /usr/src/kiosk/install.sh --uninstall --purge
  must "it is gone" sh -c '[ ! -e /var/lib/kiosk ] && [ ! -e /etc/kiosk ] && ! id kiosk'
}

check_online() { # not started: its ports are this machine's own
  must "install.sh ends well with a network" /usr/src/kiosk/install.sh --no-start
  must "the program is whole" /opt/kiosk/current/bin/kiosk --version
}

[ "$(id -u)" = 0 ] || { echo "Root is needed: sudo $0 $suite" >&2 && exit 1; }
"$tree/scripts/need.sh" mmdebstrap systemd-nspawn=systemd-container
trap clean_up EXIT
make_base
unpack
make_stick
boot --private-network --bind-ro="$stick:/mnt/stick"
check_install
configure
check_running
check_sandbox
check_second_run
check_refused_update
check_old_layout
check_crash
check_failed_preparation
check_host
check_removal
clean_up
unpack
boot
check_online
said "all as promised, ${SECONDS} s"
