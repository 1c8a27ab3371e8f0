"""install.sh as an ordinary user can prove it: its steps, what it refuses, that it never overwrites a person's work.

Packages, users and services are not touched here; tests/container.sh does that in a whole system.
"""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent.parent
SCRIPT = HERE / "install.sh"
GUIDE = HERE / "docs/install.md"
SKIPPED = {".venv", ".git", "build", "dist", "node_modules", "__pycache__", "var"}
UNIT = "usr/local/lib/systemd/system/kiosk.service"


def bash(code: str, source: Path = HERE, **env: str) -> subprocess.CompletedProcess[str]:
    """Run shell code that knows the installer's functions, without starting the installer."""
    command = ["bash", "-c", f"source '{source}/install.sh'; {code}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=os.environ | env)


def install(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the installer itself."""
    return subprocess.run([SCRIPT, *words], capture_output=True, text=True, timeout=60, check=False)


def place(root: Path, source: Path = HERE) -> str:
    """Place all files below a root; returns what was said."""
    answer = bash("place_files; place_config", source, ROOT=str(root))
    assert answer.returncode == 0, answer.stderr
    return answer.stdout + answer.stderr


def contents(root: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file below a folder with its mode, time of change and content."""
    files = [path for path in root.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(root)): (path.stat().st_mode & 0o777, path.stat().st_mtime_ns, path.read_bytes())
        for path in files
    }


def all_options() -> list[str]:
    """Every option that the installer reads."""
    lines = re.findall(r"^ +(--[a-z-]+(?: \| --[a-z-]+)*)\)", SCRIPT.read_text(), re.MULTILINE)
    return sorted({option for line in lines for option in line.split(" | ")})


def shell_scripts() -> list[Path]:
    """Every file of the project that a shell runs."""
    found = []
    for folder, folders, names in os.walk(HERE):
        folders[:] = [name for name in folders if name not in SKIPPED and (name == ".ci" or name[0] != ".")]
        found += [Path(folder, name) for name in names]
    return sorted(path for path in found if re.match(rb"#!.*[ /](ba|da)?sh\b", path.read_bytes()[:40]))


@pytest.fixture
def release(tmp_path):
    """A copy of what the installer installs, to be changed like the next version would."""
    copy = tmp_path / "release"
    for name in ("systemd", "kiosk", "sync", "server", "installer", "requirements", "docs"):
        shutil.copytree(HERE / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("install.sh", "pyproject.toml"):
        shutil.copy(HERE / name, copy / name)
    return copy


def test_shellcheck_finds_nothing_in_any_script():
    scripts = shell_scripts()
    assert {"install.sh", "kiosk-command", "wheel-test.sh"} <= {path.name for path in scripts}
    answer = subprocess.run(["shellcheck", "-a", *scripts], capture_output=True, text=True, timeout=60, check=False)
    assert (answer.returncode, answer.stdout) == (0, "")


def test_a_dry_run_shows_all_steps_in_order():
    answer = install("--dry-run")
    assert answer.returncode == 0
    assert re.findall(r"^== .* / (.*)$", answer.stdout, re.MULTILINE) == [
        "Check the system",
        "Install system packages",
        "Install the program",
        "Ask the new release whether it can use these documents",
        "Place system files",
        "Configuration",
        "User, groups, folders",
        "The system around it",
        "Device rights",
        "Switch to the new release",
        "Voice for calls",
        "Enable the services",
        "Start the services",
        "Check the device",
    ]


def test_a_dry_run_changes_nothing(tmp_path):
    answer = bash("dry_run=yes; place_files; place_config; build_environment; switch_release", ROOT=str(tmp_path))
    assert answer.returncode == 0, answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_start_no_service_is_started():
    answer = install("--dry-run", "--no-start")
    assert "+ systemctl enable" in answer.stdout
    assert "+ systemctl start" not in answer.stdout
    assert "they start at the next boot" in answer.stdout


def test_help_names_every_option():
    options = all_options()
    assert {"--dry-run", "--offline", "--uninstall", "--rtc"} <= set(options)
    told = install("--help").stdout
    assert [option for option in [*options, "--help"] if f"\n  {option} " not in told] == []


def test_an_unknown_option_is_named_with_the_place_of_the_help_and_nothing_else():
    answer = install("--frobnicate")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "There is no option --frobnicate. See: ./install.sh --help" in answer.stderr
    assert len(answer.stderr.splitlines()) == 2


def test_a_dry_run_of_what_would_stop_shows_all_steps_and_fails(tmp_path):
    answer = install("--dry-run", "--office", str(tmp_path / "nofile"))
    assert answer.returncode == 1
    assert "nofile cannot be read" in answer.stderr
    assert "In earnest this would stop" in answer.stderr
    assert "== Kiểm tra thiết bị / Check the device" in answer.stdout


def test_a_dry_run_needs_no_root():
    answer = bash("id() { echo 1000; }; dry_run=yes; check_root; echo $refused")
    assert (answer.stdout, answer.stderr) == ("no\n", "")


def test_an_ordinary_user_is_told_to_use_sudo():
    answer = bash("id() { echo 1000; }; check_root; echo went on")
    assert answer.returncode == 1
    assert "sudo ./install.sh" in answer.stderr
    assert answer.stdout == ""


@pytest.mark.parametrize("architecture", ["armhf", "armv7l", "i386"])
def test_a_32_bit_system_is_refused_with_the_reason(architecture):
    answer = bash(f"check_architecture {architecture}; echo went on")
    assert answer.returncode == 1
    assert "no 32-bit packages of Pillow and pygame" in answer.stderr
    assert "không có gói 32-bit" in answer.stderr


@pytest.mark.parametrize(
    ("system", "accepted"),
    [
        ("debian bookworm", True),
        ("debian trixie", True),
        ("debian bullseye", False),
        ("ubuntu noble", False),
        ("raspbian bookworm", False),
    ],
)
def test_only_systems_that_were_tried_are_accepted(system, accepted):
    assert (bash(f"check_release {system}").returncode == 0) == accepted


def test_a_step_that_fails_is_named_and_nothing_after_it_is_done():
    steps = "check_system() { :; }; install_packages() { step Hai Two; false; }"
    steps += "; build_environment() { echo went on; exit; }"
    answer = bash(f"{steps}; main")
    assert answer.returncode != 0
    assert "Stopped at the step: Two" in answer.stderr
    assert "went on" not in answer.stdout


def test_running_twice_changes_nothing(tmp_path):
    place(tmp_path)
    before = contents(tmp_path)
    assert UNIT in before
    place(tmp_path)
    assert contents(tmp_path) == before


def test_a_second_run_does_not_ask_for_a_restart(tmp_path):
    code = 'place_files >&2; echo "changed=$changed"'
    assert bash(code, ROOT=str(tmp_path)).stdout == "changed=yes\n"
    assert bash(code, ROOT=str(tmp_path)).stdout == "changed=no\n"


def test_every_file_of_the_folder_is_placed(tmp_path):
    place(tmp_path)
    placed = {content for _, _, content in contents(tmp_path).values()}
    assert [
        path.name for path in (HERE / "systemd").glob("*") if path.is_file() and path.read_bytes() not in placed
    ] == []


def test_only_the_command_can_be_executed_and_only_root_reads_the_configuration(tmp_path):
    place(tmp_path)
    modes = {name: mode for name, (mode, _, _) in contents(tmp_path).items()}
    assert modes.pop("usr/local/bin/kiosk") == 0o755
    for helper in ("kiosk_trial.py", "kiosk_archive.py", "kiosk_release.py", "kiosk_clock.py", "kiosk-usb"):
        assert modes.pop(f"usr/local/lib/kiosk/{helper}") == 0o755
    assert modes.pop("etc/kiosk/kiosk.toml") == modes.pop("etc/kiosk/office.toml") == 0o640
    assert set(modes.values()) == {0o644}


def test_a_new_version_replaces_what_the_old_one_placed(tmp_path, release):
    root = tmp_path / "root"
    place(root, release)
    (release / "systemd/kiosk.service").write_text("# second version\n")
    place(root, release)
    assert (root / UNIT).read_text() == "# second version\n"
    assert not (root / f"{UNIT}.new").exists()


def test_a_file_changed_by_hand_is_kept_and_the_new_one_lies_beside_it(tmp_path, release):
    root = tmp_path / "root"
    place(root, release)
    (root / UNIT).write_text("# mended on site\n")
    (release / "systemd/kiosk.service").write_text("# second version\n")
    said = place(root, release)
    assert (root / UNIT).read_text() == "# mended on site\n"
    assert (root / f"{UNIT}.new").read_text() == "# second version\n"
    assert "was changed by hand" in said


def test_a_file_that_was_there_before_us_is_kept(tmp_path):
    command = tmp_path / "usr/local/bin/kiosk"
    command.parent.mkdir(parents=True)
    command.write_text("somebody else's\n")
    place(tmp_path)
    assert command.read_text() == "somebody else's\n"


@pytest.mark.parametrize("name", ["kiosk.toml", "office.toml"])
def test_the_configuration_belongs_to_the_technician(tmp_path, name):
    place(tmp_path)
    mine = tmp_path / "etc/kiosk" / name
    mine.write_text("# mine\n")
    said = place(tmp_path)
    assert mine.read_text() == "# mine\n"
    assert f"/etc/kiosk/{name}: giữ nguyên / left as it is" in said


def test_pips_pygame_is_left_out_and_nothing_else(tmp_path):
    lock = (HERE / "requirements/run.txt").read_text()
    kept = bash("lock_without_pygame").stdout
    names = re.compile(r"^([A-Za-z0-9_.-]+)==", re.MULTILINE)
    assert set(names.findall(lock)) - set(names.findall(kept)) == {"pygame"}
    assert kept.count("--hash=") == lock.count("--hash=") - re.search(
        r"^pygame==(?:.*\n)(?: .*\n)*", lock, re.MULTILINE
    )[0].count("--hash=")


def test_the_empty_lgpio_can_not_be_taken():
    lock = (HERE / "requirements/lgpio.txt").read_text()
    version = re.search(r"^lgpio==([\d.]+) ", lock, re.MULTILINE)[1]
    assert tuple(map(int, version.split("."))) >= (0, 2, 2)
    assert lock.count("--hash=sha256:") == 4  # Python 3.11 and 3.12, each for a Raspberry Pi and for a PC


def name_of(release: Path) -> str:
    """Folder that this content would be installed into."""
    return bash("release_name", release).stdout.strip()


@pytest.mark.parametrize("file", ["kiosk/__init__.py", "server/__init__.py", "systemd/kiosk.service", "install.sh"])
def test_another_content_is_another_folder(release, file):
    first = name_of(release)
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\+[0-9a-f]{8}", first)
    with (release / file).open("a") as changed:
        changed.write("# changed\n")
    assert name_of(release) != first


def test_what_is_not_installed_does_not_make_another_folder(release):
    first = name_of(release)
    (release / "kiosk/__pycache__").mkdir()
    (release / "kiosk/__pycache__/x.pyc").write_text("compiled")
    (release / "requirements/dev.txt").write_text("")
    assert name_of(release) == first


def test_an_update_keeps_the_last_version_and_removes_older_ones(tmp_path, release):
    programs = tmp_path / "root/opt/kiosk"
    releases = programs / "releases"
    names = []
    for text in ("# 1\n", "# 2\n", "# 3\n"):
        (release / "kiosk/__init__.py").write_text(text)
        names.append(name_of(release))
        (releases / names[-1]).mkdir(parents=True)
        answer = bash("switch_release", release, ROOT=str(tmp_path / "root"))
        assert answer.returncode == 0, answer.stderr
        assert (programs / "current").readlink() == Path("releases", names[-1])
    assert {path.name for path in releases.iterdir()} == set(names[1:])


def test_every_package_and_every_file_of_it_is_in_the_wheel():
    setuptools = tomllib.loads((HERE / "pyproject.toml").read_text())["tool"]["setuptools"]
    data = {
        Path(package.replace(".", "/"), pattern)
        for package, patterns in setuptools["package-data"].items()
        for pattern in patterns
    }
    files = [path.relative_to(HERE) for top in ("kiosk", "sync") for path in (HERE / top).rglob("*") if path.is_file()]
    missing = [
        str(file)
        for file in files
        if "__pycache__" not in file.parts
        and not (file.suffix == ".py" and ".".join(file.parent.parts) in setuptools["packages"])
        and not any(file.match(str(pattern)) for pattern in data)
    ]
    assert missing == []


def test_the_guide_names_every_option_and_every_file():
    guide = GUIDE.read_text()
    words = all_options()
    words += re.findall(r'^  "\S+ (/\S+) \d+"$', SCRIPT.read_text(), re.MULTILINE)
    words += ["/etc/kiosk/kiosk.toml", "/etc/kiosk/office.toml", "/opt/kiosk", "/var/lib/kiosk"]
    assert [word for word in words if word not in guide] == []
