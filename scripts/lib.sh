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

# Installs the programs that read bills of materials to target/sbom-judges, from PyPI: no Debian release has them all. All work
# offline. The second one checks every rule of the model of SPDX 3.0.1; of the third one only the JSON schema of SPDX is used.
install_sbom_judges() {
    local judges="cyclonedx-python-lib[json-validation]==11.12.0 spdx-python-model==0.0.6"
    local schema="lib4sbom==0.10.4"
    if [ -e target/sbom-judges/bin/python3 ] && [ "$(cat target/sbom-judges/installed 2>/dev/null)" = "$judges $schema" ]; then return; fi
    say "Installing the judges of bills of materials"
    mkdir -p target
    rm -rf target/sbom-judges
    python3 -m venv target/sbom-judges
    # shellcheck disable=SC2086
    target/sbom-judges/bin/pip install --quiet --disable-pip-version-check $judges
    target/sbom-judges/bin/pip install --quiet --disable-pip-version-check --no-deps "$schema"
    echo "$judges $schema" >target/sbom-judges/installed
}

# Unpacks the schema of KIWI NG to target/kiwi-ng/kiwi.rng, from its newest source package or, where the mirror has no sources,
# from the package itself, which is not installed. The settings of apt on the machine stay as they are. Without the schema the
# tests of conversions for KIWI NG are skipped, and counted.
unpack_ng_schema() {
    if [ -e target/kiwi-ng/kiwi.rng ]; then return; fi
    say "Unpacking the schema of KIWI NG"
    local mirror
    if ! mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -m 1 '/debian$'); then
        echo "apt has no mirror of Debian." >&2
        return
    fi
    rm -rf target/kiwi-ng
    mkdir -p target/kiwi-ng/lists/partial target/kiwi-ng/cache/archives/partial
    (
        cd target/kiwi-ng || exit
        local key=/usr/share/keyrings/debian-archive-keyring.gpg
        printf "%s [signed-by=$key] $mirror sid main\n" deb deb-src >sources.list
        printf '%s "%s";\n' Dir::Etc::sourcelist "$PWD/sources.list" Dir::Etc::sourceparts - Dir::State::lists "$PWD/lists" \
            Dir::Cache "$PWD/cache" APT::Sandbox::User root >apt.conf
        apt-get -c apt.conf -qq update
        if apt-get -c apt.conf -qq source --download-only kiwi 2>/dev/null; then
            tar -xOf kiwi_*.orig.tar.* --wildcards '*/kiwi/schema/kiwi.rng' >schema
        else
            apt-get -c apt.conf -qq download kiwi
            dpkg-deb --fsys-tarfile kiwi_*.deb | tar -xO --wildcards '*/kiwi/schema/kiwi.rng' >schema
        fi
        rm -rf lists cache kiwi_*
        if [ -s schema ]; then mv schema kiwi.rng; else echo "The package of KIWI NG cannot be fetched." >&2; fi
    ) || true
}

# The servers of the tests of linuxrc's network clients, and what network namespaces need.
SERVER_PACKAGES=(dnsmasq-base tftpd-hpa nginx-light nftables iproute2 util-linux python3)
# What the tests of network boots need besides, with clients that check the servers.
BOOT_SERVER_PACKAGES=(ipxe-qemu pxelinux nbd-server libnbd-bin nfs-ganesha nfs-ganesha-vfs rpcbind libnfs-utils)

# What builds RPM systems, and the programs that make the repositories of the tests.
RPM_PACKAGES=(rpm zypper dnf createrepo-c curl gnupg python3)

# The programs that kiwi runs on the host, and a compiler for the libraries that it is built with.
KIWI_PACKAGES=(gcc libc6-dev apt dpkg gpgv debian-archive-keyring uidmap e2fsprogs dosfstools mtools grub-common
    grub-pc-bin grub-efi-amd64-bin qemu-utils xfsprogs btrfs-progs squashfs-tools erofs-utils xz-utils tar xorriso isolinux
    syslinux-common pxelinux minisign patch binutils)

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
