# The file /.kconfig: functions for the scripts of an image description, run inside the image while it is built.
#
#   test -f /.kconfig && . /.kconfig
#   test -f /.profile && . /.profile
#
# Plain POSIX shell. What SUSE did through insserv, chkconfig and sysconfig is done on today's systems through systemctl
# (which needs no running systemd to enable or disable a unit), locale-gen, tzdata and console-setup.

Echo() {
    printf '%s\n' "$*"
}

Debug() {
    if [ -n "${debug:-}" ]; then printf 'debug: %s\n' "$*"; fi
}

Rm() {
    rm -rf -- "$@"
}

Rpm() {
    rpm "$@"
}

_kiwi_has() {
    command -v "$1" >/dev/null 2>&1
}

# ---- services -------------------------------------------------------------------------------------------------------

# baseInsertService UNIT: the service starts at boot.
baseInsertService() {
    if _kiwi_has systemctl && systemctl list-unit-files --no-legend "${1%.service}.service" 2>/dev/null | grep -q .; then
        systemctl enable "${1%.service}.service"
    elif _kiwi_has systemctl && systemctl list-unit-files --no-legend "$1" 2>/dev/null | grep -q .; then
        systemctl enable "$1"
    elif [ -x "/etc/init.d/$1" ] && _kiwi_has insserv; then
        insserv "/etc/init.d/$1"
    elif [ -x "/etc/init.d/$1" ] && _kiwi_has update-rc.d; then
        update-rc.d "$1" defaults
    elif _kiwi_has systemctl; then
        systemctl enable "$1"
    else
        Echo "baseInsertService: there is no service $1"
        return 1
    fi
}

# baseRemoveService UNIT: the service does not start at boot.
baseRemoveService() {
    if _kiwi_has systemctl; then
        systemctl disable "$1"
    elif [ -x "/etc/init.d/$1" ] && _kiwi_has insserv; then
        insserv -r "/etc/init.d/$1"
    elif [ -x "/etc/init.d/$1" ] && _kiwi_has update-rc.d; then
        update-rc.d "$1" remove
    fi
}

# baseService UNIT on|off
baseService() {
    case "${2:-}" in
    on) baseInsertService "$1" ;;
    off) baseRemoveService "$1" ;;
    *)
        Echo "baseService: expected on or off after $1"
        return 1
        ;;
    esac
}

# suseInsertService SCRIPT: as baseInsertService, by the path of an init script.
suseInsertService() {
    baseInsertService "${1##*/}"
}

# suseRemoveService NAME
suseRemoveService() {
    baseRemoveService "${1##*/}"
}

# suseService NAME on|off
suseService() {
    if [ -x "/etc/init.d/$1" ] && _kiwi_has chkconfig; then
        chkconfig "$1" "$2"
    else
        baseService "$1" "$2"
    fi
}

# suseActivateServices: every init script of the image starts at boot.
suseActivateServices() {
    for _kiwi_script in /etc/init.d/*; do
        [ -f "$_kiwi_script" ] && [ -x "$_kiwi_script" ] || continue
        case "${_kiwi_script##*/}" in
        *skeleton* | rc | rcS | README | *.rpm* | *.dpkg*) ;;
        *) suseInsertService "$_kiwi_script" ;;
        esac
    done
}

# suseServiceDefaultOn: the base services that are there start at boot.
suseServiceDefaultOn() {
    for _kiwi_name in boot.rootfsck boot.cleanup boot.localfs boot.localnet boot.clock policykitd haldaemon dbus network \
        networking systemd-networkd atd syslog rsyslog cron; do
        if [ -x "/etc/init.d/$_kiwi_name" ]; then
            suseService "$_kiwi_name" on
        elif _kiwi_has systemctl && systemctl cat "$_kiwi_name.service" >/dev/null 2>&1; then
            systemctl enable "$_kiwi_name.service"
        fi
    done
}

# baseSetRunlevel N|TARGET: what the system starts into.
baseSetRunlevel() {
    case "${1:-}" in
    1) _kiwi_target=rescue.target ;;
    2 | 3 | 4) _kiwi_target=multi-user.target ;;
    5) _kiwi_target=graphical.target ;;
    *) _kiwi_target=$1 ;;
    esac
    ln -sf "/usr/lib/systemd/system/$_kiwi_target" /etc/systemd/system/default.target
    if [ -f /etc/inittab ]; then
        sed -i "s/^id:[0-9]:initdefault:/id:$1:initdefault:/" /etc/inittab
    fi
}

# ---- settings -------------------------------------------------------------------------------------------------------

# baseUpdateSysConfig FILE KEY VALUE: sets KEY="VALUE" where the key is known.
baseUpdateSysConfig() {
    [ -f "$1" ] && grep -q "^$2=" "$1" || return 0
    _kiwi_value=$(printf '%s' "$3" | sed 's/[&\\|]/\\&/g')
    sed -i "s|^$2=.*|$2=\"$_kiwi_value\"|" "$1"
}

# suseConfig: keyboard, language and time zone of the description take effect.
suseConfig() {
    if [ -n "${keytable:-}" ]; then
        baseUpdateSysConfig /etc/sysconfig/keyboard KEYTABLE "$keytable.map.gz"
        printf 'KEYMAP=%s\n' "$keytable" >/etc/vconsole.conf
        if [ -f /etc/default/keyboard ]; then
            sed -i "s/^XKBLAYOUT=.*/XKBLAYOUT=\"${keytable%%-*}\"/" /etc/default/keyboard
        fi
    fi
    _kiwi_locale=${locale:-${language:-}}
    _kiwi_locale=${_kiwi_locale%%,*}
    if [ -n "$_kiwi_locale" ]; then
        case "$_kiwi_locale" in
        *.* | C | POSIX) ;;
        *) _kiwi_locale=$_kiwi_locale.UTF-8 ;;
        esac
        baseUpdateSysConfig /etc/sysconfig/language RC_LANG "$_kiwi_locale"
        printf 'LANG=%s\n' "$_kiwi_locale" >/etc/locale.conf
        if [ -d /etc/default ]; then printf 'LANG=%s\n' "$_kiwi_locale" >/etc/default/locale; fi
        if [ -f /etc/locale.gen ] && _kiwi_has locale-gen && ! grep -q "^$_kiwi_locale " /etc/locale.gen; then
            printf '%s UTF-8\n' "$_kiwi_locale" >>/etc/locale.gen
            locale-gen
        fi
    fi
    if [ -n "${timezone:-}" ] && [ -f "/usr/share/zoneinfo/$timezone" ]; then
        ln -sf "/usr/share/zoneinfo/$timezone" /etc/localtime
        printf '%s\n' "$timezone" >/etc/timezone
        baseUpdateSysConfig /etc/sysconfig/clock TIMEZONE "$timezone"
    fi
    if _kiwi_has SuSEconfig; then SuSEconfig; fi
    return 0
}

# baseSetupUserPermissions: what lies in the homes of ordinary users belongs to them.
baseSetupUserPermissions() {
    while IFS=: read -r _kiwi_name _ _kiwi_uid _kiwi_gid _ _kiwi_home _; do
        if [ "$_kiwi_uid" -gt 200 ] && [ "$_kiwi_name" != nobody ] && [ -d "$_kiwi_home" ] && [ "$_kiwi_home" != / ]; then
            chown -R "$_kiwi_uid:$_kiwi_gid" "$_kiwi_home"
        fi
    done </etc/passwd
}

# ---- boot images ----------------------------------------------------------------------------------------------------

# baseSetupBoot: the boot program becomes /init.
baseSetupBoot() {
    if [ -f /linuxrc ] && [ ! -e /init ]; then cp /linuxrc /init; fi
    exit 0
}

# baseCleanMount: nothing stays mounted. The build runs in namespaces of its own, so this can only fail harmlessly.
baseCleanMount() {
    umount /proc/sys/fs/binfmt_misc /proc /dev/pts /sys 2>/dev/null || true
}

# baseSetupBusyBox [-f]: busybox stands in for missing tools; with -f for all.
baseSetupBusyBox() {
    _kiwi_has busybox || return 0
    for _kiwi_path in $(busybox --list-full); do
        if [ "${1:-}" = -f ] || [ ! -e "/$_kiwi_path" ]; then
            case "$_kiwi_path" in */busybox) continue ;; esac
            ln -sf "$(command -v busybox)" "/$_kiwi_path"
        fi
    done
}

# ---- making images smaller ------------------------------------------------------------------------------------------

# baseStripLocales "LOCALE...": translations of all other languages go.
baseStripLocales() {
    for _kiwi_folder in /usr/share/locale /usr/lib/locale /opt/gnome/share/locale /opt/kde3/share/locale; do
        [ -d "$_kiwi_folder" ] || continue
        for _kiwi_entry in "$_kiwi_folder"/*; do
            [ -d "$_kiwi_entry" ] || continue
            _kiwi_keep=no
            for _kiwi_locale in $1; do
                case "${_kiwi_entry##*/}" in "$_kiwi_locale"*) _kiwi_keep=yes ;; esac
            done
            case "${_kiwi_entry##*/}" in C.* | locale-archive) _kiwi_keep=yes ;; esac
            if [ "$_kiwi_keep" = no ]; then rm -rf -- "$_kiwi_entry"; fi
        done
    done
}

# baseStripTools FOLDER "NAME...": every other file of the folder goes.
baseStripTools() {
    for _kiwi_file in "$1"/*; do
        _kiwi_keep=no
        for _kiwi_name in $2; do
            if [ "${_kiwi_file##*/}" = "$_kiwi_name" ]; then _kiwi_keep=yes; fi
        done
        if [ "$_kiwi_keep" = no ] && [ ! -d "$_kiwi_file" ]; then rm -f -- "$_kiwi_file"; fi
    done
}

# baseStripDocs, baseStripMans "NAME...", baseStripInfos: documentation goes; named pages stay.
baseStripDocs() {
    find /usr/share/doc -mindepth 1 ! -type d ! -name copyright -delete 2>/dev/null || true
    rm -rf /usr/share/doc/packages
}

baseStripMans() {
    for _kiwi_page in $(find /usr/share/man -type f -o -type l 2>/dev/null); do
        _kiwi_keep=no
        for _kiwi_name in ${1:-}; do
            case "${_kiwi_page##*/}" in "$_kiwi_name".*) _kiwi_keep=yes ;; esac
        done
        if [ "$_kiwi_keep" = no ]; then rm -f -- "$_kiwi_page"; fi
    done
}

baseStripInfos() {
    rm -rf /usr/share/info/*
}

baseStripDocuments() {
    baseStripDocs
    baseStripMans
    baseStripInfos
}

# suseStripInitrd: what a boot image never runs goes: documentation, package databases, interpreters, kernels, and the
# drivers no boot needs.
suseStripInitrd() {
    rm -rf /usr/share/doc /usr/share/man /usr/share/info /usr/share/locale /usr/share/zoneinfo /usr/share/i18n \
        /var/lib/rpm /var/lib/dpkg /var/lib/apt /var/cache/* /usr/lib/python* /usr/lib/perl* /usr/share/perl* \
        /usr/lib/*/perl* /opt/* /usr/include /usr/src /etc/init.d /etc/sysconfig
    for _kiwi_tree in /lib/modules/*/kernel; do
        rm -rf "$_kiwi_tree"/drivers/net/wireless "$_kiwi_tree"/drivers/pcmcia "$_kiwi_tree"/drivers/tokenring \
            "$_kiwi_tree"/drivers/net/bonding "$_kiwi_tree"/drivers/net/hamradio "$_kiwi_tree"/sound
    done
    _kiwi_tools="bash sh dash cat cp mv rm ls ln mkdir mknod mount umount chmod chown chroot dd df du echo sleep sync \
        true false test expr head tail grep egrep sed awk gawk mawk cut sort tr wc find xargs basename dirname date uname \
        hostname ps kill killall env tty stty clear id tar gzip gunzip zcat bzip2 xz zstd cpio md5sum sha256sum ip \
        ifconfig route ping dhclient dhcpcd busybox insmod rmmod modprobe modinfo lsmod depmod kmod udevadm blkid losetup \
        swapon swapoff mkswap sfdisk fdisk parted partprobe e2fsck fsck fsck.ext2 fsck.ext3 fsck.ext4 resize2fs tune2fs \
        mke2fs mkfs.ext2 mkfs.ext3 mkfs.ext4 xfs_growfs xfs_repair btrfs mkfs.xfs mkfs.btrfs nbd-client mount.nfs \
        portmap rpcbind tftp atftp wget curl hwinfo reboot halt poweroff init ldconfig switch_root pivot_root getopt"
    for _kiwi_folder in /usr/bin /usr/sbin; do
        baseStripTools "$_kiwi_folder" "$_kiwi_tools"
    done
    for _kiwi_folder in /bin /sbin; do
        if [ ! -L "$_kiwi_folder" ]; then baseStripTools "$_kiwi_folder" "$_kiwi_tools"; fi
    done
}

# suseStripKernel: only the drivers the description names stay, with what they depend on.
suseStripKernel() {
    for _kiwi_tree in /lib/modules/*; do
        [ -d "$_kiwi_tree/kernel" ] || continue
        _kiwi_keep=$(mktemp)
        for _kiwi_pair in ":${drivers:-}" "drivers/net/:${netdrivers:-}" "drivers/usb/:${usbdrivers:-}" \
            "drivers/scsi/:${scsidrivers:-}"; do
            _kiwi_prefix=${_kiwi_pair%%:*}
            for _kiwi_name in $(printf '%s' "${_kiwi_pair#*:}" | tr ',' ' '); do
                case "$_kiwi_name" in
                */* | *.ko) ;;
                *)
                    # The name of a module; its file may have hyphens in place of underscores.
                    _kiwi_name=$(printf '%s' "$_kiwi_name" | sed 's/[-_]/[-_]/g')
                    find "$_kiwi_tree/kernel" -type f \( -name "$_kiwi_name.ko" -o -name "$_kiwi_name.ko.*" \)
                    continue
                    ;;
                esac
                for _kiwi_base in "$_kiwi_prefix" drivers/; do
                    _kiwi_path=$_kiwi_tree/kernel/$_kiwi_base$_kiwi_name
                    case "$_kiwi_path" in
                    */\*) find "${_kiwi_path%/\*}" -type f -name '*.ko*' 2>/dev/null || true ;;
                    *) ls "$_kiwi_path" "$_kiwi_path".* 2>/dev/null || true ;;
                    esac
                done
            done
        done | sed "s|^$_kiwi_tree/||" | sort -u >"$_kiwi_keep"
        # A module stays when it is named or when a module that stays depends on it.
        awk -F: 'NR == FNR { keep[$1]; next }
            $1 in keep { print $1; n = split($2, needed, " "); for (i = 1; i <= n; i++) print needed[i] }' \
            "$_kiwi_keep" "$_kiwi_tree/modules.dep" | sort -u >"$_kiwi_keep.all"
        find "$_kiwi_tree/kernel" -type f -name '*.ko*' | sed "s|^$_kiwi_tree/||" | sort |
            comm -23 - "$_kiwi_keep.all" | sed "s|^|$_kiwi_tree/|" | xargs rm -f
        rm -f "$_kiwi_keep" "$_kiwi_keep.all"
        find "$_kiwi_tree/kernel" -type d -empty -delete
        if _kiwi_has depmod; then depmod "${_kiwi_tree##*/}"; fi
    done
}

# suseGFXBoot THEME LOADER: a graphical boot menu, where the theme's tools are in the image.
suseGFXBoot() {
    mkdir -p /image/loader
    case "${2:-}" in
    isolinux)
        for _kiwi_file in /usr/share/syslinux/isolinux.bin /usr/lib/ISOLINUX/isolinux.bin; do
            if [ -f "$_kiwi_file" ]; then cp "$_kiwi_file" /image/loader/; fi
        done
        for _kiwi_file in /boot/memtest.bin /boot/memtest86+.bin /boot/memtest86+x64.bin; do
            if [ -f "$_kiwi_file" ]; then cp "$_kiwi_file" /image/loader/memtest; fi
        done
        printf 'livecd=1\n' >/image/loader/gfxboot.cfg
        ;;
    grub) ;;
    *)
        Echo "suseGFXBoot: expected isolinux or grub after the theme ${1:-}"
        return 1
        ;;
    esac
    for _kiwi_theme in "/etc/bootsplash/themes/$1/bootloader" "/usr/share/gfxboot/themes/$1"; do
        if [ -d "$_kiwi_theme" ]; then cp -R "$_kiwi_theme"/. /image/loader/; fi
    done
    for _kiwi_splash in 08000600 10240768 12801024 14001050 16001200; do
        for _kiwi_file in "/etc/bootsplash/themes/$1/images/$_kiwi_splash.spl" "/image/loader/$_kiwi_splash.spl"; do
            if [ -f "$_kiwi_file" ] && [ ! -f "/image/loader/$_kiwi_splash.spl" ]; then cp "$_kiwi_file" /image/loader/; fi
        done
    done
    return 0
}

# ---- what was asked for ---------------------------------------------------------------------------------------------

# baseGetPackagesForDeletion: the names of the delete sections.
baseGetPackagesForDeletion() {
    Echo "${delete:-}"
}

# baseGetProfilesUsed: the active profiles.
baseGetProfilesUsed() {
    Echo "${profiles:-}"
}

# baseSetupInPlaceGITRepository FOLDER...: changes to these folders can be followed from now on.
baseSetupInPlaceGITRepository() {
    _kiwi_has git || return 0
    for _kiwi_folder in "$@"; do
        (cd "$_kiwi_folder" && git init -q && chmod 700 .git && git add -A &&
            git -c user.name=kiwi -c user.email=kiwi@localhost commit -qm "State of the image")
    done
}

# baseSetupInPlaceSVNRepository FOLDER...: the same with subversion.
baseSetupInPlaceSVNRepository() {
    _kiwi_has svn && _kiwi_has svnadmin || return 0
    _kiwi_store=/var/adm/etc-repos
    mkdir -p "$_kiwi_store" && chmod 700 "$_kiwi_store"
    svnadmin create "$_kiwi_store"
    for _kiwi_folder in "$@"; do
        svn mkdir -q --parents -m "Folder of the image" "file://$_kiwi_store/trunk$_kiwi_folder"
        (cd "$_kiwi_folder" && svn checkout -q "file://$_kiwi_store/trunk$_kiwi_folder" . && chmod 700 .svn &&
            svn add -q --force . && svn commit -q -m "State of the image")
    done
}

# suseSetupProductInformation: on systems with zypper the product is what its packages say; nothing to be done.
suseSetupProductInformation() {
    return 0
}

suseSetupProduct() {
    return 0
}
