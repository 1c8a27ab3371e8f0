# shellcheck shell=bash
# Files of the system: placed whole, noted, and never laid over what a person has changed. Sourced by install.sh.

console_ports='8080, 8443' # as in systemd/kiosk.nft

placed_ports() { # the ports that the firewall in place guards
  sed -n 's/^define console_ports = { \(.*\) }$/\1/p' "$ROOT/usr/local/lib/kiosk/firewall.nft" 2>/dev/null || true
}

digest_line() { # FILE PATH
  printf '%s  %s\n' "$(sha256sum <"$1" | cut -d' ' -f1)" "$2"
}

placed_by_us() { # PATH: its content is one that this script has once put there
  [ -f "$ROOT$1" ] && digest_line "$ROOT$1" "$1" | grep -qxFf - "$ROOT$manifest" 2>/dev/null
}

write_file() { # SOURCE PATH MODE: complete or not at all
  say "$2"
  [ "$dry_run" = no ] || return 0
  half+=("$ROOT$2.tmp")
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

place_text() { # TEXT PATH MODE: the same for a text that depends on what was asked for
  local file
  file=$(mktemp)
  printf '%s\n' "$1" >"$file"
  place_file "$file" "$2" "$3"
  rm -f "$file"
}

place_firewall() { # PATH MODE: for the ports that kiosk.toml names
  if [ "$console_ports" = '8080, 8443' ]; then
    place_file "$source_dir/systemd/kiosk.nft" "$1" "$2"
  else
    place_text "$(sed "s/^define console_ports = .*/define console_ports = { $console_ports }/" "$source_dir/systemd/kiosk.nft")" "$1" "$2"
  fi
}

place_files() {
  step "Chép tệp hệ thống" "Place system files"
  local entry file path mode
  for entry in "${placed_files[@]}"; do
    read -r file path mode <<<"$entry"
    case $file in
      kiosk.nft) place_firewall "$path" "$mode" ;;
      *) place_file "$source_dir/systemd/$file" "$path" "$mode" ;;
    esac
  done
}

make_users() {
  step "Người dùng, thư mục" "User, groups, folders"
  run systemd-sysusers "$ROOT/usr/local/lib/sysusers.d/kiosk.conf"
  run systemd-tmpfiles --create "$ROOT/usr/local/lib/tmpfiles.d/kiosk.conf"
}
