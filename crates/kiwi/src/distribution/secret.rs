//! Kinds of secrets: files that a build creates and that must differ between machines. They were found by comparing two
//! builds and by reading the scripts of packages.

/// Files that must differ between machines.
pub(crate) struct SecretKind {
    /// Their name, for messages.
    pub(crate) what: &'static str,
    /// Their paths; a `*` matches anything within one component.
    pub(crate) files: &'static [&'static str],
    /// How they are created on each machine.
    pub(crate) renew: Renew,
}

/// How a secret that was removed from an image is created again.
pub(crate) enum Renew {
    /// The system creates it if it is missing.
    System,
    /// A unit that kiwi adds creates it.
    Unit(Unit),
    /// It cannot be removed without losing other data, so it is kept; the text tells the author of the description the
    /// remedy.
    Author(&'static str),
}

/// A unit that runs once, if its file is missing.
pub(crate) struct Unit {
    pub(crate) name: &'static str,
    /// The file.
    pub(crate) missing: &'static str,
    /// Units that start after it; if empty, all services do.
    pub(crate) before: &'static str,
    /// Programs that the image must contain.
    pub(crate) programs: &'static [&'static str],
    pub(crate) commands: &'static [&'static str],
}

pub(super) const DBUS_MACHINE_ID: SecretKind =
    SecretKind { what: "machine id of D-Bus", files: &["var/lib/dbus/machine-id"], renew: Renew::System };

pub(super) const RANDOM_SEED: SecretKind = SecretKind {
    what: "random seed",
    files: &["var/lib/systemd/random-seed", "var/lib/urandom/random-seed"],
    renew: Renew::System,
};

pub(super) const SSH_HOST_KEYS: SecretKind = SecretKind {
    what: "ssh host keys",
    files: &["etc/ssh/ssh_host_*_key", "etc/ssh/ssh_host_*_key.pub"],
    renew: Renew::Unit(Unit {
        name: "kiwi-ssh-host-keys.service",
        missing: "etc/ssh/ssh_host_ed25519_key",
        before: "ssh.service sshd.service ssh.socket",
        programs: &["usr/sbin/sshd", "usr/bin/ssh-keygen"],
        commands: &["/usr/bin/ssh-keygen -A"],
    }),
};

pub(super) const BIND_KEY: SecretKind = SecretKind {
    what: "control key of bind",
    files: &["etc/bind/rndc.key"],
    renew: Renew::Unit(Unit {
        name: "kiwi-rndc-key.service",
        missing: "etc/bind/rndc.key",
        before: "named.service",
        programs: &["usr/sbin/rndc-confgen"],
        commands: &["/usr/sbin/rndc-confgen -a -u bind"],
    }),
};

pub(super) const MUNGE_KEY: SecretKind = SecretKind {
    what: "munge key",
    files: &["etc/munge/munge.key"],
    renew: Renew::Unit(Unit {
        name: "kiwi-munge-key.service",
        missing: "etc/munge/munge.key",
        before: "munge.service",
        programs: &["usr/sbin/mungekey"],
        commands: &["/usr/sbin/mungekey --create", "/bin/chown munge:munge /etc/munge/munge.key"],
    }),
};

pub(super) const NVME_HOST: SecretKind = SecretKind {
    what: "identity as an NVMe host",
    files: &["etc/nvme/hostnqn", "etc/nvme/hostid"],
    renew: Renew::Unit(Unit {
        name: "kiwi-nvme-host.service",
        missing: "etc/nvme/hostnqn",
        before: "",
        programs: &["usr/sbin/nvme"],
        // `nvme gen-hostnqn` uses the id of the board, which is all zeros on many boards.
        commands: &[
            "/bin/sh -c 'cat /proc/sys/kernel/random/uuid >/etc/nvme/hostid'",
            "/bin/sh -c 'sed s/^/nqn.2014-08.org.nvmexpress:uuid:/ /etc/nvme/hostid >/etc/nvme/hostnqn'",
        ],
    }),
};

pub(super) const ISCSI_INITIATOR: SecretKind = SecretKind {
    what: "name as an iSCSI initiator",
    files: &["etc/iscsi/initiatorname.iscsi"],
    renew: Renew::Unit(Unit {
        name: "kiwi-iscsi-initiator.service",
        missing: "etc/iscsi/initiatorname.iscsi",
        before: "iscsid.service open-iscsi.service",
        programs: &["usr/sbin/iscsi-iname"],
        commands: &[
            "/bin/sh -c 'umask 077; echo InitiatorName=$(iscsi-iname) >/etc/iscsi/initiatorname.iscsi'",
        ],
    }),
};

pub(super) const NETWORK_MANAGER_KEY: SecretKind = SecretKind {
    what: "secret key of NetworkManager",
    files: &["var/lib/NetworkManager/secret_key"],
    renew: Renew::System,
};

pub(super) const SYSTEMD_CREDENTIALS: SecretKind = SecretKind {
    what: "secret of systemd's credentials",
    files: &["var/lib/systemd/credential.secret"],
    renew: Renew::System,
};

pub(super) const ERLANG_COOKIE: SecretKind = SecretKind {
    what: "cookie of Erlang",
    files: &["var/lib/rabbitmq/.erlang.cookie"],
    renew: Renew::System,
};
