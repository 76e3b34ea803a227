#!/bin/sh
# Removes the parts of the tree that a boot image does not use. It keeps the drivers that the description names, their
# dependencies, and fsck with its libraries; kiwi adds linuxrc as /init. Every kind of boot image uses this script.
set -e
test -f /.kconfig && . /.kconfig
test -f /.profile && . /.profile

echo "Configure image: [$name]..."
suseStripKernel
rm -f /boot/System.map-* /boot/config-* /boot/xen-*.efi /boot/xen-*.config
# Move the files to keep aside and remove everything else at once.
mkdir -p /keep/usr/sbin /keep/usr/bin /keep/usr/lib
# A live stick needs mkfs for its persistent data, the disk of a machine for its new partitions.
programs="/usr/sbin/e2fsck /usr/sbin/mke2fs /usr/sbin/mkswap /usr/bin/dash"
for program in $programs; do
    cp -a "$program" "/keep$program"
    for library in $(ldd "$program" | grep -o '/[^ ]*'); do
        mkdir -p "/keep$(dirname "$library")"
        cp -L "$library" "/keep$library"
    done
done
mv /usr/lib/modules /keep/usr/lib/modules
if [ -d /keep/lib ] && [ ! -L /keep/lib ]; then
    cp -a /keep/lib/. /keep/usr/lib/
    rm -rf /keep/lib
fi
if [ -d /keep/lib64 ] && [ ! -L /keep/lib64 ]; then
    mkdir -p /keep/usr/lib64
    cp -a /keep/lib64/. /keep/usr/lib64/
    rm -rf /keep/lib64
fi
ln -s dash /keep/usr/bin/sh
# The next line removes the tools that this script uses.
exec /usr/bin/perl -e '
    use File::Path qw(remove_tree);
    remove_tree("/var", "/opt", "/srv", "/home", "/media", "/root", "/etc", "/usr", { safe => 0 });
    mkdir "/etc"; mkdir "/root";
    rename "/keep/usr", "/usr" or die "moving /keep/usr: $!";
    rmdir "/keep";
'
