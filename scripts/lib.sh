# What demo and test share: host programs, and the build.
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

say() {
    printf '\n==> %s\n' "$*"
}

# As root, or through sudo.
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

# install_packages PACKAGE...: those that are missing, from the machine's own Debian archive. Installing one can take
# another away (QEMU's parts come from one source in one version), so it looks twice.
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
            echo "Please install these programs yourself, this is no Debian: ${missing[*]}" >&2
            return 1
        fi
        say "Installing ${missing[*]} (pass $pass)"
        as_root apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "${missing[@]}" \
            >/dev/null
    done
}

# What kiwi itself runs on the host, and a compiler for the libraries it is built with.
KIWI_PACKAGES=(gcc libc6-dev apt dpkg gpgv debian-archive-keyring uidmap e2fsprogs dosfstools mtools grub-common
    grub-pc-bin grub-efi-amd64-bin qemu-utils xfsprogs btrfs-progs squashfs-tools erofs-utils xz-utils tar xorriso isolinux
    syslinux-common)

# Whether `cargo nextest` runs the tests; without it `cargo test` runs the same tests. Installing it from source takes minutes
# (`cargo install --locked cargo-nextest`), so that is left to the user.
has_nextest() {
    cargo nextest --version >/dev/null 2>&1
}

build() {
    say "Building kiwi"
    # The boot program is one unit of code, for one processor; it has a directory and a lock of its own.
    cargo linuxrc --locked &
    cargo build --release --locked
    wait $!
}
