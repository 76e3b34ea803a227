#!/bin/sh
# Runs inside the image after all packages are installed: enable and disable services here.
set -e
test -f /.kconfig && . /.kconfig
test -f /.profile && . /.profile

echo "Configure image: [$name]..."
baseService systemd-networkd on
