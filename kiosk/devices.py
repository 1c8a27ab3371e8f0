"""Whether a device is there, and whether the kiosk's user may use it. Looks only: it opens no device."""

import grp
import os
import pwd
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kiosk.vitals import ROOT

SERVICE_USER = "kiosk"


@dataclass(frozen=True, slots=True)
class User:
    """Whose rights count: ids of the user and of its groups. `own`: they are those of this process."""

    name: str
    uid: int
    groups: frozenset[int]
    own: bool = True


@dataclass(frozen=True, slots=True)
class Reach:
    """A device: its path, whether it is there, whether it may be read and written.

    `group` is the one whose members may, and that the user is not in; "" when no group would help.
    """

    path: str
    there: bool = False
    allowed: bool = False
    group: str = ""


def user(service: str = SERVICE_USER) -> User:
    """This process's user; for root, who may everything, the one that the services run as, where there is one."""
    if os.geteuid() == 0:
        try:
            entry = pwd.getpwnam(service)
        except KeyError:
            pass
        else:
            return User(service, entry.pw_uid, frozenset(os.getgrouplist(service, entry.pw_gid)), own=False)
    return User(_user_name(os.geteuid()), os.geteuid(), frozenset({*os.getgroups(), os.getegid()}))


def reach(path: Path, who: User, shown: str = "") -> Reach:
    """How a device file can be used; `shown` is how it is called, where that is not its path."""
    name = shown or str(path)
    try:
        found = path.stat()
    except PermissionError:
        return Reach(name, there=True)
    except OSError:
        return Reach(name)
    if _may(path, found, who):
        return Reach(name, there=True, allowed=True)
    # A device of the group root is one that no rule was applied to: nobody is put into that group.
    missing = found.st_mode & 0o060 == 0o060 and found.st_gid not in {0, *who.groups}
    return Reach(name, there=True, group=_group_name(found.st_gid) if missing else "")


def best(found: Iterable[Reach]) -> Reach | None:
    """Of several devices of a kind the one that can be used, else the first; None when there is none."""
    listed = list(found)
    return next((one for one in listed if one.allowed), listed[0] if listed else None)


def printer(url: str, who: User, root: Path = ROOT) -> Reach | None:
    """The device of a printer's address (see kiosk.toml); None for one that is no device of this machine."""
    kind, _, rest = url.partition(":")
    if kind in ("file", "serial"):
        return reach(root / rest.lstrip("/"), who, rest)
    if kind == "usb":
        return _usb(rest.lower(), who, root)
    return None


def _usb(ids: str, who: User, root: Path) -> Reach:
    for device in sorted((root / "sys/bus/usb/devices").glob("*")):
        try:
            own = [(device / name).read_text().strip() for name in ("idVendor", "idProduct", "busnum", "devnum")]
        except OSError:
            continue
        if ":".join(own[:2]).lower() == ids:
            place = f"dev/bus/usb/{int(own[2]):03}/{int(own[3]):03}"
            return reach(root / place, who, f"usb:{ids}")
    return Reach(f"usb:{ids}")


def _may(path: Path, found: os.stat_result, who: User) -> bool:
    """The kernel's own answer where it is about this process, else by the mode."""
    if who.own:
        return os.access(path, os.R_OK | os.W_OK)
    mode = stat.S_IMODE(found.st_mode)
    if found.st_uid == who.uid:
        return mode & 0o600 == 0o600
    wanted = 0o060 if found.st_gid in who.groups else 0o006
    return mode & wanted == wanted


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
