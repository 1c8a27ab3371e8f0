"""A whole kiosk without a Raspberry Pi: a virtual machine that poses as a Pi 4, run by `make test-appliance`.

`image` puts the kiosk on a disk with the real install.sh, `machine` runs it, `printer` is the other side of its USB
printer, `guest/` is what the machine needs inside to be watched. The rest are the proofs.
"""
