"""A tree of the kernel's files, as a Raspberry Pi 4 with its data on the card shows them, for tests to break."""

from pathlib import Path

MOUNTINFO = """\
21 1 179:2 / / {options} shared:1 - ext4 /dev/root {options}
25 21 0:22 / /run rw,nosuid shared:5 - tmpfs tmpfs rw,size=190000k
30 21 179:1 / /boot/firmware rw,relatime shared:9 - vfat /dev/mmcblk0p1 rw
31 21 8:1 / /media/usb\\040stick ro,relatime shared:10 - vfat /dev/sda1 ro
"""
KERNEL = """\
Booting Linux on physical CPU 0x0000000000 [0x410fd083]
Kernel command line: console=tty1 root=PARTUUID=1234 rootfstype=ext4 fsck.repair=yes
mmc0: new ultra high speed DDR50 SDHC card at address aaaa
mmcblk0: mmc0:aaaa SL32G 29.7 GiB
 mmcblk0: p1 p2
EXT4-fs (mmcblk0p2): mounted filesystem with ordered data mode. Opts: errors=remount-ro
mmc1: new high speed SDIO card at address 0001
""".splitlines()


def board(root: Path, options: str = "rw,noatime") -> Path:
    """Everything in order; returns `root`."""
    put(root, "proc/self/mountinfo", MOUNTINFO.format(options=options))
    put(root, "proc/meminfo", "MemTotal:        1893548 kB\nMemFree:  90000 kB\nMemAvailable:    1200000 kB\n")
    put(root, "proc/uptime", "7200.50 14000.00")
    put(root, "sys/devices/platform/soc/soc:firmware/get_throttled", "0")
    put(root, "sys/class/thermal/thermal_zone0/temp", "51234")
    put(root, "sys/fs/ext4/mmcblk0p2/errors_count", "0")
    disk = "sys/devices/platform/mmc0/mmc0:aaaa/block/mmcblk0"
    put(root, f"{disk}/mmcblk0p2/partition", "2")
    link(root, "sys/dev/block/179:2", f"{disk}/mmcblk0p2")
    link(root, "sys/block/mmcblk0", disk)
    link(root, f"{disk}/device", "sys/devices/platform/mmc0/mmc0:aaaa")
    (root / "sys/class/rtc/rtc0").mkdir(parents=True)
    return root


def put(root: Path, name: str, text: str) -> None:
    """Give a file of the tree another content."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")


def link(root: Path, name: str, target: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(root / target)
