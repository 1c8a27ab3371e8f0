# shellcheck shell=bash
# What a Raspberry Pi's firmware reads: words in cmdline.txt and a marked block in config.txt. A PC has neither. The first
# copy of each is kept, what was there before is left alone, and only a real change asks for a reboot. Sourced by install.sh.

boot=/boot/firmware
boot_words=/usr/local/lib/kiosk/boot-words # the words of cmdline.txt that are ours
block_begin='# >>> kiosk: install.sh'
block_end='# <<< kiosk'
reboot_needed=no

is_pi() { [ -f "$ROOT$boot/cmdline.txt" ] && [ -f "$ROOT$boot/config.txt" ]; }

is_a_mode() { [[ $1 =~ ^[0-9]{3,4}x[0-9]{3,4}$ ]]; }

is_pi_5() { grep -qs 'Raspberry Pi \(5\|500\|Compute Module 5\)' "$ROOT/proc/device-tree/model"; }

write_boot_file() { # NAME TEXT: only when it is another one
  local path=$boot/$1
  [ "$(cat "$ROOT$path")" != "$2" ] || return 0
  reboot_needed=yes
  say "$path"
  [ "$dry_run" = no ] || return 0
  [ -e "$ROOT$path.before-kiosk" ] || cp "$ROOT$path" "$ROOT$path.before-kiosk"
  half+=("$ROOT$path.tmp")
  printf '%s\n' "$2" >"$ROOT$path.tmp"
  sync "$ROOT$path.tmp" # a boot partition has no journal
  mv -f "$ROOT$path.tmp" "$ROOT$path"
}

# ---- cmdline.txt ----

kernel_words() { # the words without ours
  local word words
  read -ra words <"$ROOT$boot/cmdline.txt" || true # its one line may have no end
  for word in "${words[@]}"; do
    grep -qsxF -- "$word" "$ROOT$boot_words" || printf '%s\n' "$word"
  done
}

chosen_screen() { # what was asked for, else what the last run has set, else what most screens show
  if [ -n "$screen" ]; then
    echo "$screen"
  elif [ -e "$ROOT$boot_words" ]; then
    sed -n 's/^video=HDMI-A-1:\(.*\)@60D$/\1/p' "$ROOT$boot_words" | grep . || echo auto
  else
    echo 1920x1080
  fi
}

wanted_words() { # MODE
  echo consoleblank=0
  if is_a_mode "$1"; then echo "video=HDMI-A-1:$1@60D"; fi # D: on, whether a screen answers at the boot or not
}

set_kernel_words() {
  local word theirs added=() mode
  mode=$(chosen_screen)
  say "Màn hình không tự tắt; HDMI luôn bật: $mode / no screen blanking; HDMI always on: $mode"
  mapfile -t theirs < <(kernel_words)
  while read -r word; do
    if printf '%s\n' "${theirs[@]}" | grep -q "^${word%%=*}="; then
      say "${word%%=*}=…: giữ nguyên của bạn / yours is left"
    else
      added+=("$word")
    fi
  done < <(wanted_words "$mode")
  if [ "$dry_run" = no ]; then
    mkdir -p "$(dirname "$ROOT$boot_words")"
    # Noted before they are there: interrupted, the next run finds them as ours all the same.
    printf '%s\n' "${added[@]}" >"$ROOT$boot_words"
  fi
  write_boot_file cmdline.txt "$(printf '%s\n' "${theirs[@]}" "${added[@]}" | paste -sd' ')"
}

# ---- config.txt ----

without_block() { sed "\|^$block_begin\$|,\|^$block_end\$|d" "$ROOT$boot/config.txt"; }

has_block() { grep -qxF -- "$block_begin" "$ROOT$boot/config.txt"; }

block_line() { # START: the block's line with it
  sed -n "\|^$block_begin\$|,\|^$block_end\$|p" "$ROOT$boot/config.txt" | grep "^$1" || true
}

chosen_clock() { # the clock module of the block; nothing = none
  if [ "$rtc" != auto ]; then
    [ "$rtc" = none ] || echo "$rtc"
  elif has_block; then
    block_line dtoverlay=i2c-rtc, | cut -d, -f2
  elif ! is_pi_5 && ! without_block | grep -q '^dtoverlay=i2c-rtc' && [ ! -e "$ROOT/dev/rtc0" ]; then
    echo ds3231
  fi
}

chosen_hotplug() {
  if [ -z "$screen" ] && has_block; then
    block_line hdmi_force_hotplug
  elif { [ -z "$screen" ] || is_a_mode "$screen"; } && ! without_block | grep -q '^hdmi_force_hotplug'; then
    echo hdmi_force_hotplug=1
  fi
}

config_block() { # CLOCK
  echo "$block_begin"
  echo '[all]'
  if [ -n "$1" ]; then printf '%s\n' dtparam=i2c_arm=on "dtoverlay=i2c-rtc,$1"; fi
  chosen_hotplug
  echo "$block_end"
}

set_firmware_block() {
  local clock
  clock=$(chosen_clock)
  say "Đồng hồ (RTC): ${clock:-không thêm} / clock module: ${clock:-none added}"
  write_boot_file config.txt "$(without_block)
$(config_block "$clock")"
}

set_up_board() {
  is_pi || return 0
  step "Bo mạch Raspberry Pi" "The Raspberry Pi's board"
  set_kernel_words
  set_firmware_block
}

restore_board() { # for --uninstall
  is_pi || return 0
  write_boot_file cmdline.txt "$(kernel_words | paste -sd' ')"
  write_boot_file config.txt "$(without_block)"
  local name
  for name in cmdline.txt config.txt; do
    if cmp -s "$ROOT$boot/$name" "$ROOT$boot/$name.before-kiosk"; then run rm -f "$ROOT$boot/$name.before-kiosk"; fi
  done
}
