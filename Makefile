# `make demo` and `make test` set up all they need: a virtual environment in .venv from the hashed locks.
PYTHON ?= python3
VENV := .venv
# The screens are tested on a real X server with displays in memory.
XSERVER := /usr/lib/xorg/Xorg=xserver-xorg-core /usr/lib/xorg/modules/drivers/dummy_drv.so=xserver-xorg-video-dummy \
	xrandr=x11-xserver-utils xdotool
PY := $(VENV)/bin/python
# A test that hangs says where, and ends the run.
UNSTUCK := -o faulthandler_timeout=240 -o faulthandler_exit_on_timeout=true
# Tests start hundreds of programs, each of which would compile itself anew.
unexport PYTHONDONTWRITEBYTECODE
# Twice as many as there are processors: many tests wait for programs, browsers and disks.
WORKERS ?= $(shell expr $$(nproc) \* 2)
ARGS ?=

.PHONY: demo server test test-slow test-install test-appliance bench check container-test locks release wheel-test clean
.DELETE_ON_ERROR:

$(VENV)/.run: requirements/server.txt
	scripts/venv.sh "$(PYTHON)" $(VENV) requirements/server.txt
	touch $@

$(VENV)/.dev: requirements/dev.txt
	scripts/venv.sh "$(PYTHON)" $(VENV) requirements/dev.txt
	touch $@ $(VENV)/.run

demo: $(VENV)/.run  ## the whole appliance in a browser, with no hardware: make demo ARGS="--per-hour 40"
	$(PY) -m kiosk demo $(ARGS)

CONFIG ?= build/server/server.toml
build/server/server.toml:
	mkdir -p $(@D)
	echo 'data_dir = "."' >$@

server: $(VENV)/.run $(CONFIG)  ## the commune server: make server CONFIG=server.toml
	$(PY) -m server --config $(CONFIG) $(or $(ARGS),run)

test: $(VENV)/.dev
	scripts/need.sh shellcheck systemd-analyze=systemd strace espeak-ng chromium openssl /usr/sbin/nft=nftables ssh-keygen=openssh-client \
		pg_ctlcluster=postgresql $(XSERVER)
	$(PY) -m pytest -m "not slow" -n $(WORKERS) --dist worksteal $(UNSTUCK) $(ARGS)

test-slow: $(VENV)/.dev
	scripts/need.sh strace chromium openssl pg_ctlcluster=postgresql
	$(PY) -m pytest -m slow $(ARGS)
	$(if $(ARGS),,KIOSK_TEST_LITE=postgresql $(PY) -m pytest -m "not slow" tests/server)

test-install: $(VENV)/.dev  ## an appliance from a bare Debian to its removal, in a container that systemd boots; needs root
	scripts/need.sh mmdebstrap systemd-nspawn=systemd-container ip=iproute2 ssh-keygen=openssh-client
	$(PY) -m tests.container

bench: $(VENV)/.dev  ## what kiosk (--of kiosk: four minutes) and server (--of server: twenty) cost
	$(if $(findstring --of kiosk,$(ARGS)),,scripts/need.sh pg_ctlcluster=postgresql)
	$(PY) -m tests.bench $(ARGS)

check: $(VENV)/.dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	MYPYPATH=systemd $(PY) -m mypy systemd/kiosk_trial.py systemd/kiosk_release.py systemd/kiosk_archive.py systemd/kiosk_clock.py
	$(PY) -m mypy installer/ask.py
	$(PY) -m pytest tests/test_imports.py

OUT ?= dist
release:  ## a signed release for machines like this one: make release OUT=dist ARGS="--key FILE"
	scripts/release.sh $(OUT) $(ARGS)

wheel-test: $(VENV)/.dev  ## the wheel alone, outside the tree, with only its run-time packages
	scripts/wheel-test.sh "$(PYTHON)"

container-test:  ## installer and units in a whole Debian with a real systemd; needs root
	tests/container.sh bookworm
	tests/container.sh trixie

test-appliance: $(VENV)/.dev  ## the whole kiosk in a virtual machine that poses as a Raspberry Pi; and a Debian trixie in a container; needs root, hours
	scripts/need.sh qemu-system-aarch64=qemu-system-arm qemu-img=qemu-utils /usr/libexec/qemu-binfmt/aarch64-binfmt-P=qemu-user-static \
		mmdebstrap arch-test systemd-nspawn=systemd-container fdtput=device-tree-compiler mke2fs=e2fsprogs cpio xz=xz-utils swig \
		aarch64-linux-gnu-gcc=gcc-aarch64-linux-gnu /usr/aarch64-linux-gnu/include/stdio.h=libc6-dev-arm64-cross \
		ip=iproute2 ssh-keygen=openssh-client mkfs.vfat=dosfstools mcopy=mtools
	$(if $(ARGS),,$(MAKE) container-test)
	$(if $(ARGS),,$(PY) -m tests.container trixie)
	$(PY) -m pytest -o faulthandler_timeout=0 -s $(or $(ARGS),tests/appliance/test_*.py)

COMPILE := -m piptools compile -q --strip-extras --allow-unsafe --generate-hashes --no-header --no-emit-index-url \
	--no-emit-find-links --no-emit-trusted-host
locks:  ## write the hashed locks again; needs pip-tools in the environment
	$(PY) $(COMPILE) -o requirements/run.txt pyproject.toml
	$(PY) $(COMPILE) --extra server -c requirements/run.txt -o requirements/server.txt pyproject.toml
	$(PY) $(COMPILE) --extra server --extra test -c requirements/server.txt -o requirements/dev.txt pyproject.toml

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
