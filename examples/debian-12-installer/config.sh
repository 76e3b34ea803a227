#!/bin/sh
# Runs inside the image when all packages are there: the place to switch services on and off.
set -e
test -f /.kconfig && . /.kconfig
test -f /.profile && . /.profile

echo "Configure image: [$name]..."
baseService systemd-networkd on
