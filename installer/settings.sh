# shellcheck shell=bash
# /etc/kiosk: what was asked for on the command line, judged by the new release before anything is put in place, and
# written only into files that nobody has touched yet. Sourced by install.sh.

kiosk_toml=/etc/kiosk/kiosk.toml
office_toml=/etc/kiosk/office.toml
settings=()          # SECTION|KEY|VALUE, as TOML has it
wanted_kiosk_toml='' # the file that is to become kiosk.toml, where it has to change

ask_for() { # SECTION KEY TEXT: a setting of the command line
  case $3 in
    *[\"\\\|]* | *[[:cntrl:]]*) refuse "Giá trị không dùng được: $3" "This value cannot be used: $3" ;;
    *) settings+=("$1|$2|\"$3\"") ;;
  esac
}

ours_unchanged() { # SAMPLE PATH: nobody has worked on it
  [ ! -e "$ROOT$2" ] || cmp -s "$1" "$ROOT$2" || placed_by_us "$2"
}

with_setting() { # SECTION KEY VALUE: a kiosk.toml on stdin, the same with this key on stdout; SECTION may be empty
  awk -v section="$1" -v key="$2" -v value="$3" '
    function put() { if (!done) print key " = " value; done = 1 }
    BEGIN { here = section == "" }
    /^\[/ { if (here) put(); here = $0 == "[" section "]"; print; next }
    here && $0 ~ "^" key "[ =]" { put(); next }
    { print }
    END { if (!done && !here) print "\n[" section "]"; put() }'
}

tell_setting() { # SECTION KEY VALUE: the technician writes it
  local where=${1:+[$1] }
  warn "$kiosk_toml đã được sửa bằng tay, giữ nguyên. Hãy tự ghi: $where$2 = $3" \
    "$kiosk_toml was changed by hand and is left as it is. Write into it: $where$2 = $3"
}

prepare_settings() { # makes wanted_kiosk_toml
  local sample=$source_dir/systemd/kiosk.toml setting section key value base
  [ ${#settings[@]} -gt 0 ] || return 0
  if ! ours_unchanged "$sample" "$kiosk_toml"; then
    for setting in "${settings[@]}"; do
      IFS='|' read -r section key value <<<"$setting"
      grep -qxF "$key = $value" "$ROOT$kiosk_toml" || tell_setting "$section" "$key" "$value"
    done
    return 0
  fi
  base=$sample
  [ ! -e "$ROOT$kiosk_toml" ] || base=$ROOT$kiosk_toml
  wanted_kiosk_toml=$(mktemp)
  half+=("$wanted_kiosk_toml" "$wanted_kiosk_toml.next")
  cat "$base" >"$wanted_kiosk_toml"
  for setting in "${settings[@]}"; do
    IFS='|' read -r section key value <<<"$setting"
    with_setting "$section" "$key" "$value" <"$wanted_kiosk_toml" >"$wanted_kiosk_toml.next"
    mv "$wanted_kiosk_toml.next" "$wanted_kiosk_toml"
  done
}

judged_kiosk_toml() { # the one that will be in force
  local file
  for file in "$wanted_kiosk_toml" "$ROOT$kiosk_toml" "$source_dir/systemd/kiosk.toml"; do
    if [ -n "$file" ] && [ -e "$file" ]; then echo "$file" && return; fi
  done
}

judged_office_toml() { # nothing: the one in force, applied or named by kiosk.toml
  if [ -n "$office" ]; then
    echo "$office"
  elif [ ! -e "$ROOT$office_toml" ]; then
    echo "$source_dir/kiosk/assets/office.sample.toml"
  elif [ -n "$ROOT" ]; then
    echo "$ROOT$office_toml" # kiosk.toml names it as it will be found, which is not here
  fi
}

judge_documents() { # a release that cannot use what is there is not switched to
  step "Hỏi bản mới có dùng được khai báo này không" "Ask the new release whether it can use these documents"
  prepare_settings
  if [ -n "$office" ] && [ ! -r "$office" ]; then
    refuse "Không đọc được $office" "$office cannot be read"
  fi
  if [ "$dry_run" = yes ]; then
    say "+ installer/ask.py usable $kiosk_toml $office"
    return 0
  fi
  local documents=() readable=() file
  mapfile -t documents < <(judged_kiosk_toml && judged_office_toml)
  for file in "${documents[@]}"; do
    hand_over "$file"
    readable+=("$handed")
  done
  if ! ask_release usable "${readable[@]}" >&2; then
    refuse "Bản mới không dùng được các khai báo trên; chưa có gì thay đổi, ki-ốt cũ vẫn chạy. Sửa các dòng đó rồi chạy lại." \
      "The new release cannot use what is named above. Nothing was changed, the old kiosk goes on. Mend those lines and run again."
  fi
  say "${documents[@]}"
  local ports
  ports=$(ask_release ports "${readable[0]}" | paste -sd, | sed 's/,/, /g')
  console_ports=${ports:-$console_ports}
}

place_sample() { # SAMPLE PATH: only where there is none; from then on it belongs to the technician
  if [ -e "$ROOT$2" ]; then
    say "$2: giữ nguyên / left as it is"
  else
    write_file "$1" "$2" 640
    note_placed "$2"
  fi
}

put_settings() {
  local sample=$source_dir/systemd/kiosk.toml
  if [ -z "$wanted_kiosk_toml" ] || cmp -s "$wanted_kiosk_toml" "$ROOT$kiosk_toml"; then
    place_sample "$sample" "$kiosk_toml"
    return 0
  fi
  write_file "$wanted_kiosk_toml" "$kiosk_toml" 640
  note_placed "$kiosk_toml"
  changed=yes
}

put_office() { # the document and the pictures that it names, which lie beside it
  local sample=$source_dir/kiosk/assets/office.sample.toml name
  if [ -z "$office" ] || cmp -s "$office" "$ROOT$office_toml"; then
    place_sample "$sample" "$office_toml"
    return 0
  fi
  if ! ours_unchanged "$sample" "$office_toml"; then
    warn "$office_toml đã được sửa bằng tay, giữ nguyên. Muốn dùng bản của bạn: sudo kiosk office apply $office" \
      "$office_toml was changed by hand and is left as it is. To use yours: sudo kiosk office apply $office"
    return 0
  fi
  write_file "$office" "$office_toml" 640
  note_placed "$office_toml"
  changed=yes
  [ "$dry_run" = no ] || return 0
  hand_over "$office"
  while read -r name; do put_picture "$name"; done < <(ask_release pictures "$handed")
}

put_picture() { # NAME
  local from
  from=$(dirname "$office")/$1
  if [ -f "$from" ]; then
    # Readable by all, as the pictures that a clerk uploads: they hang in the hall.
    cmp -s "$from" "$ROOT/etc/kiosk/$1" || write_file "$from" "/etc/kiosk/$1" 644
  else
    warn "Không có ảnh $from: ki-ốt vẽ hình thay thế" "There is no picture $from: the kiosk draws one instead"
  fi
}

place_config() {
  step "Cấu hình" "Configuration"
  put_settings
  put_office
}

look_at_office() { # a document that was applied in the console or by the server goes before the file
  [ -n "$office" ] && [ "$dry_run" = no ] || return 0
  "$ROOT/usr/local/bin/kiosk" office show 2>&1 >/dev/null | grep -qF "$office_toml" || warn \
    "Ki-ốt đang dùng bản khai báo đã áp dụng trước đó. Muốn dùng bản này: sudo kiosk office apply $office" \
    "The kiosk uses a document that was applied before. To use this one: sudo kiosk office apply $office"
}

enrol() { # without a network it is done later, by the one command that is said
  [ -n "$server" ] || return 0
  step "Ghép với máy chủ" "Join the server"
  if grep -qsF "server = \"$server\"" "$ROOT/var/lib/kiosk/enrolled.toml"; then
    say "$server ✓"
    return 0
  fi
  run "$ROOT/usr/local/bin/kiosk" enrol "$server" "$code" || warn \
    "Chưa ghép được. Khi có mạng, chạy: sudo kiosk enrol $server $code" \
    "Not joined yet. When the network is there, run: sudo kiosk enrol $server $code"
}
