#!/bin/sh
# Runs inside the root tree after all packages are installed. Enable and disable services here.
set -e
test -f /.kconfig && . /.kconfig
test -f /.profile && . /.profile

echo "Configure image: [$name]..."
