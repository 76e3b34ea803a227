#!/bin/sh
# Takes out of the tree what a boot image never uses. What stays: the kernel's drivers the description names, with what
# they depend on, and fsck with its libraries; kiwi puts linuxrc in as /init. Every kind of boot image uses this script.
set -e
test -f /.kconfig && . /.kconfig
test -f /.profile && . /.profile

echo "Configure image: [$name]..."
suseStripKernel
rm -f /boot/System.map-* /boot/config-*
# From here on only what is kept counts, so it is moved aside and everything else goes at once.
mkdir -p /keep/usr/sbin /keep/usr/bin /keep/usr/lib
# A live stick makes a file system for what it keeps, a machine's disk is divided.
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
# The tools that do the rest of this script disappear with the next line: busybox is not needed for one rm.
exec /usr/bin/perl -e '
    use File::Path qw(remove_tree);
    remove_tree("/var", "/opt", "/srv", "/home", "/media", "/root", "/etc", "/usr", { safe => 0 });
    mkdir "/etc"; mkdir "/root";
    rename "/keep/usr", "/usr" or die "moving /keep/usr: $!";
    rmdir "/keep";
'
