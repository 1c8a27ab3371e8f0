# shellcheck shell=bash
# The program: built aside in an environment of its own, judged, and switched to in one rename. Sourced by install.sh.

sources() { # every file that ends up in a release, NUL-separated
  find "$source_dir"/{kiosk,sync,server,installer,systemd,docs,install.sh,pyproject.toml,requirements/run.txt,requirements/lgpio.txt} \
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

release_home() { echo "$ROOT/opt/kiosk/releases/$(release_name)"; }

lock_without_pygame() { # pip's pygame would hide Debian's, and has no driver for a screen without a desktop
  awk '/^[^ #]/ { skip = /^pygame==/ } !skip' "$source_dir/requirements/run.txt"
}

write_lock() { # FILE: all that pip installs
  lock_without_pygame >"$1"
  if [ "$pip_lgpio" = yes ]; then cat "$source_dir/requirements/lgpio.txt" >>"$1"; fi
}

pip_install() { # PYTHON-WITH-PIP WORD…
  local python=$1 from=()
  shift
  [ -z "$offline" ] || from=(--no-index --find-links "$offline/wheels")
  # Not in /tmp, which may be memory; and no cache, which nobody would clean.
  env TMPDIR="$ROOT/opt/kiosk/.work" "$python" -m pip --disable-pip-version-check "$@" "${from[@]}"
}

fill_environment() { # HOME WORK
  local home=$1 work=$2
  # A second environment lends its pip: so the first one holds exactly what the lock names, and nothing of Debian's
  # hides a locked package.
  python3 -m venv --system-site-packages --without-pip "$home"
  python3 -m venv "$work/pip"
  write_lock "$work/run.txt"
  pip_install "$work/pip/bin/python" --python "$home/bin/python" install -q --no-cache-dir --ignore-installed --no-deps \
    --only-binary :all: --require-hashes -r "$work/run.txt" || not_fetched
  # Built from a copy: nothing is left behind in the folder of the technician.
  mkdir "$work/tree"
  cp -r "$source_dir"/{kiosk,sync,server,pyproject.toml,README.md,LICENSE} "$work/tree/"
  pip_install "$home/bin/python" install -q --no-cache-dir --no-deps --no-build-isolation "$work/tree"
  finish_environment "$home"
}

finish_environment() { # HOME: what lies beside the program, and whether it starts at all
  mkdir -p "$1/share/kiosk" # for --uninstall, and to read, when the folder of the technician is long gone
  cp -r "$source_dir"/{install.sh,installer,systemd,docs} "$1/share/kiosk/"
  PYGAME_HIDE_SUPPORT_PROMPT=1 "$1/bin/python" -I -c 'import evdev, pygame, kiosk, sync'
}

build_environment() {
  step "Cài chương trình" "Install the program"
  local home work=$ROOT/opt/kiosk/.work
  home=$(release_home)
  if [ -f "$home/.complete" ]; then
    say "${home#"$ROOT"} ✓"
    return 0
  fi
  say "${home#"$ROOT"}"
  run rm -rf "$home" "$work" # left by a run that lost its power
  if [ "$dry_run" = yes ]; then
    say "+ python3 -m venv --system-site-packages; pip install --require-hashes -r requirements/run.txt; pip install ."
    return 0
  fi
  half+=("$work" "$home")
  mkdir -p "$work"
  fill_environment "$home" "$work"
  rm -rf "$work"
  sync # first the files, then the mark: a power cut in between must not leave a mark on half a program
  touch "$home/.complete"
  keep_whole "$home"
}

keep_whole() { # PATH: it is worth keeping now
  local path rest=()
  for path in "${half[@]}"; do
    [ "$path" = "$1" ] || rest+=("$path")
  done
  half=("${rest[@]}")
}

ask_release() { # WORD…: a question to the new program (installer/ask.py)
  local program
  program=$(release_home)
  as_kiosk env PYGAME_HIDE_SUPPORT_PROMPT=1 "$program/bin/python" -I "$program/share/kiosk/installer/ask.py" "$@"
}

as_kiosk() { # WORD…: as the kiosk's user once there is one: what lies in its folders is not for root to read and to trust.
  # In a session of its own, so that nothing can be typed into root's terminal (TIOCSTI).
  if kiosk_lives_here; then
    # shellcheck disable=SC2016  # the inner shell's words
    runuser -s /bin/sh -c 'exec "$0" "$@"' -- kiosk "$@" </dev/null
  else
    "$@"
  fi
}

kiosk_lives_here() { [ -z "$ROOT" ] && [ "$(id -u)" = 0 ] && id kiosk >/dev/null 2>&1; }

hand_over() { # FILE: `handed` is the file where the kiosk's user can read it, else a copy of the same name for that user
  handed=$1
  if as_kiosk test -r "$1"; then return 0; fi
  local folder
  folder=$(mktemp -d)
  half+=("$folder")
  chgrp kiosk "$folder"
  chmod 750 "$folder"
  install -g kiosk -m 640 "$1" "$folder/"
  # shellcheck disable=SC2034  # settings.sh reads it
  handed=$folder/${1##*/}
}

switch_release() { # in one rename: there is a complete program at every moment
  step "Chuyển sang bản mới" "Switch to the new release"
  local name link=$ROOT/opt/kiosk/current previous
  name=releases/$(release_name)
  previous=$(readlink "$link" || true)
  say "/opt/kiosk/current → $name"
  [ "$previous" != "$name" ] || return 0
  run ln -sfn "$name" "$link.new"
  run mv -T "$link.new" "$link"
  # shellcheck disable=SC2034  # ending.sh reads it
  changed=yes
  remove_old_releases "${name##*/}" "${previous##*/}"
}

remove_old_releases() { # KEEP KEEP: the newest two stay, all others go: cards are small
  local folder
  for folder in "$ROOT"/opt/kiosk/releases/*+*; do
    case ${folder##*/} in
      "$1" | "$2" | '*+*') ;;
      *) run rm -rf "$folder" ;;
    esac
  done
}

# ---- releases of 0.4 and before lay directly in /opt/kiosk ----

carry_over() { # FOLDER: among the releases, under the new path, which its programs name in their first lines
  local old=$1 new=$ROOT/opt/kiosk/releases/${1##*/}
  # First the texts, then the move: interrupted, it is simply done again.
  grep -rlIZ -F "$old" "$old/bin" "$old/pyvenv.cfg" | xargs -0 -r sed -i "s#$old/#$new/#g"
  mkdir -p "$ROOT/opt/kiosk/releases"
  mv -T "$old" "$new"
}

tidy_old_layout() { # once nothing runs from there any more: the last one becomes the release before, the others go
  local folder link kept
  link=$(readlink "$ROOT/opt/kiosk/current" || true)
  case $link in releases/*) ;; *) return 0 ;; esac
  [ "$start" = yes ] || return 0
  kept=$(find "$ROOT/opt/kiosk/releases" -mindepth 1 -maxdepth 1 -name '*+*' | wc -l)
  for folder in $(newest_first "$ROOT"/opt/kiosk/*+*); do
    if [ "$kept" -lt 2 ] && [ -f "$folder/.complete" ]; then
      run carry_over "$folder"
      kept=$((kept + 1))
    else
      run rm -rf "$folder"
    fi
  done
}

newest_first() { # FOLDER…: those that are there, by the time of their mark; their names hold no spaces
  local folder
  for folder in "$@"; do
    [ ! -d "$folder" ] || echo "$(stat -c %Y "$folder/.complete" 2>/dev/null || echo 0) $folder"
  done | sort -rn | cut -d' ' -f2-
}
