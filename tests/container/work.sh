# What a kiosk is for, in the container: from a key to paper and to a commune server on this machine. Sourced by container.sh.
# shellcheck shell=bash disable=SC2016  # what stands in single quotes is for the shell in the container
# shellcheck disable=SC2154  # tree, root, machine and leader are container.sh's

here=10.213.7.1
there=10.213.7.2
server_url=http://$here:8800
server_pid=''
given=0

connect() { # a line between this machine and the container, with nobody else on it
  ip link add "kt$$" type veth peer name kiosk0 netns "$leader"
  ip addr add "$here/30" dev "kt$$"
  ip link set "kt$$" up
  nsenter -t "$leader" -n ip addr add "$there/30" dev kiosk0
  nsenter -t "$leader" -n ip link set kiosk0 up
}

server() { # WORD…: the commune server's own command
  (cd "$tree" && exec .venv/bin/python -m server --config "$root.server/server.toml" "$@")
}

start_server() {
  mkdir -p "$root.server"
  printf 'data_dir = "."\nurl = "%s"\nlisten = "%s"\nport = 8800\n' "$server_url" "$here" >"$root.server/server.toml"
  server setup --code 12345 --name 'xã Mẫu' >"$root.setup" || fail "a commune server is set up"
  server run >"$root.server/log" 2>&1 &
  server_pid=$!
  code=$(sed -n 's/.*kiosk enrol [^ ]* \([^ ]*\).*/\1/p' "$root.setup" | head -n 1)
  [ -n "$code" ] || { cat "$root.setup" >&2 && fail "the server tells a code"; }
}

stop_server() {
  if [ -n "$server_pid" ]; then
    kill "$server_pid" 2>/dev/null || true
    wait "$server_pid" || true
  fi
  server_pid=''
}

configure_work() { # keys on mock pins, a printer on a serial line, a server nearby
  cat >"$root/etc/kiosk/kiosk.toml" <<TOML
office = "/etc/kiosk/office.toml"
[buttons]
factory = "mock"
[screen]
enabled = false
[printer]
url = "serial:/run/paper"
[sync]
allow_plain_http = true
[public]
url = "$server_url"
TOML
  mkdir -p "$root/etc/systemd/system/kiosk.service.d"
  cat >"$root/etc/systemd/system/kiosk.service.d/container.conf" <<'UNIT'
[Service]
ExecStart=
ExecStart=/opt/kiosk/current/bin/python -I /usr/src/kiosk/tests/container/fingers.py
Environment=GPIOZERO_PIN_FACTORY=mock
DeviceAllow=char-pts rw
UNIT
  inside systemctl daemon-reload
}

start_printer() {
  inside systemd-run -q --unit=paper -p StandardInput=null /opt/kiosk/current/bin/python -I -m kiosk.simulator.printer \
    --port 0 --pty /run/paper --dir /var/tmp/slips
  eventually 20 "there is a printer on a serial line" sh -c '[ -e /run/paper ] && chgrp kiosk "$(readlink -f /run/paper)" && chmod 660 "$(readlink -f /run/paper)"'
}

press() { # ACTION…: keys, one after the other
  local action
  for action; do
    inside sh -c "echo $action >/run/kiosk/fingers"
    given=$((given + 1))
  done
}

books_agree() { # SENTENCE
  local end=$((SECONDS + 60))
  until (cd "$tree" && PYTHONPATH=. .venv/bin/python tests/container/books.py compare "$root" "$root.server" "$given") >"$root.output" 2>&1; do
    [ $SECONDS -lt $end ] || { tail -n 3 "$root.output" >&2 && fail "$1"; }
    sleep 1
  done
  said "✓ $1 ($given numbers)"
}

check_work() {
  connect
  start_server
  configure_work
  start_printer
  (cd "$tree" && PYTHONPATH=. .venv/bin/python tests/container/books.py office) >"$root/var/tmp/office.json"
  must "the office document is put in force" kiosk office apply /var/tmp/office.json
  must "the kiosk joins the server with its code" kiosk enrol "$server_url" "$code"
  must "restart with keys, printer and server" systemctl restart kiosk kiosk-sync kiosk-console
  eventually 60 "the kiosk is open" sh -c 'systemctl is-active kiosk && [ -p /run/kiosk/fingers ]'
  press take:ho-tich take:chung-thuc take:ho-tich
  books_agree "keys give numbers, each is on paper with a code that can be read, and the server has them"
  local before
  before=$(value kiosk MainPID)
  inside sh -c "kill -9 $before \$(systemctl show -P MainPID kiosk-sync)"
  eventually 60 "killed, both come back" sh -c "[ \"\$(systemctl show -P MainPID kiosk)\" != $before ] && systemctl is-active kiosk kiosk-sync"
  press take:dat-dai take:ho-tich
  books_agree "numbers go on after a kill -9"
  stop_server
  press take:chung-thuc
  server run >>"$root.server/log" 2>&1 &
  server_pid=$!
  books_agree "what was given while the server was away arrives"
  stop_server
  rm -r "$root/etc/systemd/system/kiosk.service.d"
  configure
  must "the kiosk goes on without keys" sh -c 'systemctl daemon-reload && systemctl restart kiosk kiosk-sync && systemctl stop paper'
}
