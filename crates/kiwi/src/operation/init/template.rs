//! The templates of `kiwi init`: what the new system is for.

use super::distribution::Distribution;
use super::menu::MenuItem;

/// The purpose of the new system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// A virtual machine with SSH.
    Server,
    /// A virtual machine with a web server.
    Appliance,
    /// A virtual machine that a cloud configures.
    Cloud,
    /// A desktop that runs from a CD or a stick.
    LiveDesktop,
    /// A stick with tools for broken machines.
    Rescue,
    /// A machine that shows one web page.
    Kiosk,
    /// A machine that loads its system from the network.
    PxeClient,
}

/// A file of a template: path in the description, and text with `@NAME@` for each value to insert.
pub(super) type File = (&'static str, &'static str);

/// What a template adds to the small system of its distribution.
pub(super) struct Parts {
    /// The image type by default.
    pub(super) image_type: &'static str,
    /// Whether the system runs on machines, not on virtual ones only: it needs drivers for all of them, and its disk an installer.
    pub(super) hardware: bool,
    /// Packages of Debian; those of other distributions are in their descriptions.
    pub(super) packages: &'static [&'static str],
    pub(super) files: &'static [File],
    /// Services that `config.sh` switches on.
    pub(super) services: &'static [&'static str],
    /// A user of the template: name, and hash of the password if there is one.
    pub(super) user: Option<(&'static str, Option<&'static str>)>,
    /// How people get in without an account of their own; `None`: not at all.
    pub(super) login: Option<&'static str>,
}

/// The hash of the password `live`, which is printed on the screen.
const LIVE: &str =
    "$6$kiwilive$2X0yhQlmUqMfSRNKbihoprA23egabSV0E.Oe9OJTgoxSizeoh/XW111CYveR13yx.JGn8t5oALF/Rkkxlg1ry/";

impl MenuItem for Template {
    const ALL: &'static [Self] = &[
        Self::Server,
        Self::Appliance,
        Self::Cloud,
        Self::LiveDesktop,
        Self::Rescue,
        Self::Kiosk,
        Self::PxeClient,
    ];

    fn keyword(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Appliance => "appliance",
            Self::Cloud => "cloud",
            Self::LiveDesktop => "live-desktop",
            Self::Rescue => "rescue",
            Self::Kiosk => "kiosk",
            Self::PxeClient => "pxe-client",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Server => "a small server with SSH, a disk for virtual machines",
            Self::Appliance => "a web server, nginx, on a disk for virtual machines",
            Self::Cloud => "a disk that cloud-init configures",
            Self::LiveDesktop => "the desktop Xfce, live from a CD or a USB stick",
            Self::Rescue => "tools for disks and file systems, live from a USB stick or a CD",
            Self::Kiosk => "a machine that shows one web page",
            Self::PxeClient => "a system that machines load from the network into their memory",
        }
    }
}

impl Template {
    /// Whether the template exists for a distribution.
    pub(super) fn exists_for(self, distribution: Distribution) -> bool {
        distribution.is_debian() || self == Self::Server
    }

    /// Returns what the template adds.
    pub(super) fn parts(self) -> Parts {
        let server = Parts {
            image_type: "oem",
            hardware: false,
            packages: &["openssh-server"],
            files: &[NETWORK],
            services: &["systemd-networkd", "@ssh@"],
            user: None,
            login: None,
        };
        match self {
            Self::Server => server,
            Self::PxeClient => Parts { image_type: "pxe", hardware: true, ..server },
            Self::Appliance => Parts {
                packages: &["nginx", "openssh-server"],
                files: &[
                    NETWORK,
                    ("root/var/www/html/index.html", include_str!("templates/appliance/index.html")),
                ],
                services: &["systemd-networkd", "@ssh@", "nginx"],
                ..server
            },
            Self::Cloud => Parts {
                packages: &["cloud-init", "openssh-server"],
                files: &[],
                login: Some("The cloud gives your SSH key to the user debian"),
                ..server
            },
            Self::LiveDesktop => Parts {
                image_type: "iso",
                hardware: true,
                packages: &[
                    "dbus-x11",
                    "firefox-esr",
                    "lightdm",
                    "lightdm-gtk-greeter",
                    "network-manager",
                    "network-manager-gnome",
                    "xfce4",
                    "xfce4-terminal",
                    "xserver-xorg",
                ],
                files: &[
                    (
                        "root/etc/lightdm/lightdm.conf.d/50-live.conf",
                        include_str!("templates/live-desktop/lightdm.conf"),
                    ),
                    SUDO,
                ],
                services: &["NetworkManager", "lightdm"],
                user: Some(("live", Some(LIVE))),
                login: Some("The desktop opens for the user live, whose password is live"),
            },
            Self::Rescue => Parts {
                image_type: "iso",
                hardware: true,
                packages: &[
                    "btrfs-progs",
                    "cryptsetup-bin",
                    "curl",
                    "dosfstools",
                    "gddrescue",
                    "gdisk",
                    "less",
                    "lvm2",
                    "mdadm",
                    "ntfs-3g",
                    "nvme-cli",
                    "openssh-client",
                    "parted",
                    "pciutils",
                    "rsync",
                    "smartmontools",
                    "testdisk",
                    "usbutils",
                    "vim-tiny",
                    "xfsprogs",
                ],
                files: &[
                    NETWORK,
                    (
                        "root/etc/systemd/system/getty@.service.d/root.conf",
                        include_str!("templates/rescue/getty.conf"),
                    ),
                    (
                        "root/etc/systemd/system/serial-getty@.service.d/root.conf",
                        include_str!("templates/rescue/serial-getty.conf"),
                    ),
                ],
                services: &["systemd-networkd"],
                user: None,
                login: Some("Every console is open for root, without a password"),
            },
            Self::Kiosk => Parts {
                hardware: true,
                packages: &[
                    "cage",
                    "dbus-user-session",
                    "firefox-esr",
                    "fonts-dejavu-core",
                    "libgl1-mesa-dri",
                    "libpam-systemd",
                    "openssh-server",
                ],
                files: &[
                    NETWORK,
                    ("root/etc/kiosk.conf", include_str!("templates/kiosk/kiosk.conf")),
                    ("root/etc/systemd/system/kiosk.service", include_str!("templates/kiosk/kiosk.service")),
                ],
                services: &["systemd-networkd", "@ssh@", "kiosk"],
                user: Some(("kiosk", None)),
                ..server
            },
        }
    }
}

/// Addresses by DHCP on every network card.
const NETWORK: File = ("root/etc/systemd/network/80-dhcp.network", include_str!("templates/80-dhcp.network"));

/// The user of a live system may become root without a password.
const SUDO: File = ("root/etc/sudoers.d/live", include_str!("templates/live-desktop/sudoers"));
