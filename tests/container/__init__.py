"""The appliance in a Debian that systemd boots in a container: `make test-install`, `python -m tests.container`."""
