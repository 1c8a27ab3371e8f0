"""What install.sh writes for its options: kiosk.toml, the office document with its pictures, the server's code."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.test_install import HERE, bash, contents, place

SAMPLE = HERE / "kiosk/assets/office.sample.toml"
# The new release's program is the one of this tree.
ASK = f"ask_release() {{ '{sys.executable}' '{HERE}/installer/ask.py' \"$@\"; }}"
OUTSIDE = {"PYTHONPATH": str(HERE)}


def settled(root: Path, *words: str, then: str = "") -> subprocess.CompletedProcess[str]:
    """Judge and place the configuration for such a command line."""
    quoted = " ".join(f"'{word}'" for word in words)
    code = f"{ASK}; read_options {quoted}; judge_documents; place_config; {then}"
    return bash(code, ROOT=str(root), **OUTSIDE)


def test_options_are_written_into_a_new_kiosk_toml(tmp_path):
    words = ("--device", "xa-hoa-binh-1", "--printer", "tcp://192.0.2.7:9100", "--screen", "none")
    answer = settled(tmp_path, *words)
    assert answer.returncode == 0, answer.stderr
    written = tomllib.loads((tmp_path / "etc/kiosk/kiosk.toml").read_text())
    assert written["device"] == "xa-hoa-binh-1"
    assert written["printer"] == {"url": "tcp://192.0.2.7:9100"}
    assert written["screen"] == {"enabled": False}
    assert written["office"] == "/etc/kiosk/office.toml"


def test_a_second_run_may_change_what_the_first_has_written(tmp_path):
    settled(tmp_path, "--printer", "tcp://192.0.2.7:9100")
    settled(tmp_path, "--device", "xa-hoa-binh-2", "--printer", "none")
    text = (tmp_path / "etc/kiosk/kiosk.toml").read_text()
    assert tomllib.loads(text)["printer"] == {"url": "none"}
    assert tomllib.loads(text)["device"] == "xa-hoa-binh-2"
    assert text.count("[printer]\n") == 2, "the sample's comment and one table"


def test_a_run_without_options_leaves_them_written(tmp_path):
    settled(tmp_path, "--device", "xa-hoa-binh-2")
    before = contents(tmp_path)
    answer = settled(tmp_path, then='echo "changed=$changed"')
    assert "changed=no" in answer.stdout
    assert contents(tmp_path) == before


def test_a_run_with_the_same_options_changes_nothing(tmp_path):
    settled(tmp_path, "--device", "xa-hoa-binh-2")
    before = contents(tmp_path)
    answer = settled(tmp_path, "--device", "xa-hoa-binh-2", then='echo "changed=$changed"')
    assert "changed=no" in answer.stdout
    assert contents(tmp_path) == before


def test_a_kiosk_toml_of_the_technician_is_left_and_the_line_is_said(tmp_path):
    place(tmp_path)
    mine = tmp_path / "etc/kiosk/kiosk.toml"
    mine.write_text('# mine\ndevice = "xa-hoa-binh-1"\n')
    answer = settled(tmp_path, "--device", "xa-hoa-binh-1", "--printer", "none", "--office", str(SAMPLE))
    assert answer.returncode == 0, answer.stderr
    assert mine.read_text() == '# mine\ndevice = "xa-hoa-binh-1"\n'
    assert 'Write into it: [printer] url = "none"' in answer.stderr
    assert "Write into it: device" not in answer.stderr, "it stands there already"


def test_a_value_that_the_release_refuses_is_said_and_nothing_is_placed(tmp_path):
    answer = settled(tmp_path, "--printer", "lpt1")
    assert answer.returncode == 1
    assert "[printer] url" in answer.stderr
    assert not (tmp_path / "etc").exists()


@pytest.mark.parametrize("value", ['a"b', "a\\b", "a|b"])
def test_a_value_that_could_end_a_text_is_refused(value):
    answer = bash(f"read_options --device '{value}'; echo went on")
    assert answer.returncode == 1
    assert answer.stdout == ""


def test_a_kiosk_toml_that_the_new_release_refuses_keeps_the_old_kiosk(tmp_path):
    place(tmp_path)
    (tmp_path / "etc/kiosk/kiosk.toml").write_text("paper = 80\n")
    steps = "check_system() { :; }; install_packages() { :; }; build_environment() { :; }"
    steps += "; place_files() { echo went on; exit; }"
    answer = bash(f"{ASK}; {steps}; main", ROOT=str(tmp_path), **OUTSIDE)
    assert answer.returncode == 1
    assert "paper: unknown option" in answer.stderr
    assert "the old kiosk goes on" in answer.stderr
    assert "went on" not in answer.stdout


def office_with_pictures(folder: Path) -> Path:
    """An office document with an emblem that is there and a photo that is not."""
    folder.mkdir()
    text = SAMPLE.read_text()
    text = re.sub(r"^\[unit\]$", '[unit]\nemblem = "huy-hieu.png"', text, count=1, flags=re.MULTILINE)
    (folder / "office.toml").write_text(text)
    (folder / "huy-hieu.png").write_bytes(b"picture")
    return folder / "office.toml"


def test_the_office_document_comes_with_its_pictures(tmp_path):
    document = office_with_pictures(tmp_path / "stick")
    answer = settled(tmp_path / "root", "--office", str(document))
    assert answer.returncode == 0, answer.stderr
    placed = contents(tmp_path / "root/etc/kiosk")
    assert placed["office.toml"][0] == 0o640
    assert placed["office.toml"][2] == document.read_bytes()
    assert placed["huy-hieu.png"][2] == b"picture"


def test_a_picture_that_is_not_there_is_said(tmp_path):
    document = office_with_pictures(tmp_path / "stick")
    (tmp_path / "stick/huy-hieu.png").unlink()
    answer = settled(tmp_path / "root", "--office", str(document))
    assert answer.returncode == 0
    assert "There is no picture" in answer.stderr


def test_an_office_document_with_a_mistake_is_refused_before_anything_is_placed(tmp_path):
    document = tmp_path / "office.toml"
    document.write_text(SAMPLE.read_text() + "\n[unti]\nname = 1\n")
    answer = settled(tmp_path / "root", "--office", str(document))
    assert answer.returncode == 1
    assert "unti" in answer.stderr
    assert not (tmp_path / "root").exists()


def test_an_office_document_of_the_technician_is_left_and_the_command_is_said(tmp_path):
    place(tmp_path / "root")
    mine = tmp_path / "root/etc/kiosk/office.toml"
    mine.write_text(SAMPLE.read_text() + "# mine\n")
    document = office_with_pictures(tmp_path / "stick")
    answer = settled(tmp_path / "root", "--office", str(document))
    assert mine.read_text().endswith("# mine\n")
    assert f"sudo kiosk office apply {document}" in answer.stderr


def command(root: Path, code: str) -> None:
    """The installed command as a stand-in."""
    place(root)
    (root / "usr/local/bin/kiosk").write_text(f"#!/bin/bash\n{code}\n")


def test_a_server_that_cannot_be_reached_is_no_end(tmp_path):
    command(tmp_path, "exit 1")
    code = "read_options --server https://may-chu.example --code ABCD-EFGH; enrol; echo went on"
    answer = bash(code, ROOT=str(tmp_path))
    assert answer.stdout.endswith("went on\n")
    assert "run: sudo kiosk enrol https://may-chu.example ABCD-EFGH" in answer.stderr


def test_a_server_that_was_joined_is_not_asked_again(tmp_path):
    command(tmp_path, "echo asked")
    (tmp_path / "var/lib/kiosk").mkdir(parents=True)
    (tmp_path / "var/lib/kiosk/enrolled.toml").write_text('[sync]\nserver = "https://may-chu.example"\n')
    code = "read_options --server https://may-chu.example --code ABCD-EFGH; enrol"
    assert "asked" not in bash(code, ROOT=str(tmp_path)).stdout


def test_the_papers_of_the_hand_over_are_made_where_the_program_can(tmp_path):
    command(tmp_path, 'case "$*" in "handover --help") echo --out ;; *--help) ;; *) echo "did $*" ;; esac')
    assert "did handover --out" in bash("changed=yes; papers", ROOT=str(tmp_path)).stdout
    assert bash("changed=no; papers", ROOT=str(tmp_path)).stdout == "", "nothing was handed over anew"
    command(tmp_path, 'case "$*" in *--help) echo usage ;; *) echo "did $*" ;; esac')
    assert "did" not in bash("changed=yes; papers", ROOT=str(tmp_path)).stdout
