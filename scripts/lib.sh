# Shared by the scripts: installs host programs, builds kiwi.
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

say() {
    printf '\n==> %s\n' "$*"
}

# Runs a command as root, through sudo if necessary.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "This step needs root and there is no sudo: $*" >&2
        return 1
    fi
}

# install_packages PACKAGE...: installs missing packages from the machine's own Debian archive. Installing one can remove
# another one (QEMU's parts come from one source in one version), so there are two passes.
install_packages() {
    local missing pass
    for pass in 1 2; do
        missing=()
        for package in "$@"; do
            dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
                missing+=("$package")
        done
        if [ "${#missing[@]}" -eq 0 ]; then return; fi
        if ! command -v apt-get >/dev/null; then
            echo "This system is not Debian; please install these programs yourself: ${missing[*]}" >&2
            return 1
        fi
        say "Installing ${missing[*]} (pass $pass)"
        as_root apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "${missing[@]}" \
            >/dev/null
    done
}

# install_servers PACKAGE...: installs packages with servers and does not start them. The tests start their own.
install_servers() {
    local policy=/usr/sbin/policy-rc.d made=
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
        made=1
    fi
    install_packages "$@" || { [ -z "$made" ] || as_root rm "$policy"; return 1; }
    if [ -n "$made" ]; then as_root rm "$policy"; fi
}

# unpack_package PACKAGE FILE: unpacks a package that conflicts with an installed one to target/unpacked, unless FILE is there.
unpack_package() {
    if [ -e "target/unpacked/$2" ]; then return; fi
    say "Unpacking $1"
    mkdir -p target/unpacked
    (
        cd target/unpacked || exit
        apt-get download -qq "$1" || { as_root apt-get update -qq && apt-get download -qq "$1"; }
        dpkg -x "$1"_*.deb . && rm "$1"_*.deb
    )
}

# The servers of the tests of linuxrc's network clients, and what network namespaces need.
SERVER_PACKAGES=(dnsmasq-base tftpd-hpa nginx-light nftables iproute2 util-linux python3)
# What the tests of network boots need besides, with clients that check the servers.
BOOT_SERVER_PACKAGES=(ipxe-qemu pxelinux nbd-server libnbd-bin nfs-ganesha nfs-ganesha-vfs rpcbind libnfs-utils)

# The programs that kiwi runs on the host, and a compiler for the libraries that it is built with.
KIWI_PACKAGES=(gcc libc6-dev apt dpkg gpgv debian-archive-keyring uidmap e2fsprogs dosfstools mtools grub-common
    grub-pc-bin grub-efi-amd64-bin qemu-utils xfsprogs btrfs-progs squashfs-tools erofs-utils xz-utils tar xorriso isolinux
    syslinux-common pxelinux minisign)

# Whether `cargo nextest` runs the tests; without it `cargo test` runs the same tests. Installing it from source takes minutes
# (`cargo install --locked cargo-nextest`), so that is left to the user.
has_nextest() {
    cargo nextest --version >/dev/null 2>&1
}

build() {
    say "Building kiwi"
    # linuxrc is one codegen unit, compiled by one processor; it has its own target directory and lock.
    cargo linuxrc --locked &
    cargo build --release --locked
    wait $!
}
