//! The kinds of secrets that are known: found by building twice, and in the scripts of Debian's packages.

/// Something that must differ between machines.
pub(super) struct Kind {
    pub(super) what: &'static str,
    /// Files; a `*` stands for anything within one name.
    pub(super) files: &'static [&'static str],
    pub(super) again: Again,
}

/// How it comes back.
pub(super) enum Again {
    /// The system makes it when it is missing.
    System,
    /// A unit of ours does.
    Unit(Unit),
    /// Nothing can without losing what else is there, so it stays; this is what the author of the description can do.
    Author(&'static str),
}

/// A unit that runs once, when its file is missing.
pub(super) struct Unit {
    pub(super) name: &'static str,
    pub(super) missing: &'static str,
    /// Units that wait for it; none: all services do.
    pub(super) before: &'static str,
    /// What the image must have for it.
    pub(super) programs: &'static [&'static str],
    pub(super) commands: &'static [&'static str],
}

pub(super) const KINDS: [Kind; 13] = [
    Kind { what: "machine id of D-Bus", files: &["var/lib/dbus/machine-id"], again: Again::System },
    Kind {
        what: "random seed",
        files: &["var/lib/systemd/random-seed", "var/lib/urandom/random-seed"],
        again: Again::System,
    },
    Kind {
        what: "ssh host keys",
        files: &["etc/ssh/ssh_host_*_key", "etc/ssh/ssh_host_*_key.pub"],
        again: Again::Unit(Unit {
            name: "kiwi-ssh-host-keys.service",
            missing: "etc/ssh/ssh_host_ed25519_key",
            before: "ssh.service sshd.service ssh.socket",
            programs: &["usr/sbin/sshd", "usr/bin/ssh-keygen"],
            commands: &["/usr/bin/ssh-keygen -A"],
        }),
    },
    Kind {
        what: "snakeoil certificate",
        files: &["etc/ssl/private/ssl-cert-snakeoil.key", "etc/ssl/certs/ssl-cert-snakeoil.pem"],
        again: Again::Unit(Unit {
            name: "kiwi-snakeoil-certificate.service",
            missing: "etc/ssl/private/ssl-cert-snakeoil.key",
            before: "",
            programs: &["usr/sbin/make-ssl-cert"],
            commands: &["/usr/sbin/make-ssl-cert generate-default-snakeoil"],
        }),
    },
    Kind {
        what: "control key of bind",
        files: &["etc/bind/rndc.key"],
        again: Again::Unit(Unit {
            name: "kiwi-rndc-key.service",
            missing: "etc/bind/rndc.key",
            before: "named.service",
            programs: &["usr/sbin/rndc-confgen"],
            commands: &["/usr/sbin/rndc-confgen -a -u bind"],
        }),
    },
    Kind {
        what: "munge key",
        files: &["etc/munge/munge.key"],
        again: Again::Unit(Unit {
            name: "kiwi-munge-key.service",
            missing: "etc/munge/munge.key",
            before: "munge.service",
            programs: &["usr/sbin/mungekey"],
            commands: &["/usr/sbin/mungekey --create", "/bin/chown munge:munge /etc/munge/munge.key"],
        }),
    },
    Kind {
        what: "identity as an NVMe host",
        files: &["etc/nvme/hostnqn", "etc/nvme/hostid"],
        again: Again::Unit(Unit {
            name: "kiwi-nvme-host.service",
            missing: "etc/nvme/hostnqn",
            before: "",
            programs: &["usr/sbin/nvme"],
            // `nvme gen-hostnqn` takes the id of the board, which is nothing but zeros on many.
            commands: &[
                "/bin/sh -c 'cat /proc/sys/kernel/random/uuid >/etc/nvme/hostid'",
                "/bin/sh -c 'sed s/^/nqn.2014-08.org.nvmexpress:uuid:/ /etc/nvme/hostid >/etc/nvme/hostnqn'",
            ],
        }),
    },
    Kind {
        what: "name as an iSCSI initiator",
        files: &["etc/iscsi/initiatorname.iscsi"],
        again: Again::Unit(Unit {
            name: "kiwi-iscsi-initiator.service",
            missing: "etc/iscsi/initiatorname.iscsi",
            before: "iscsid.service open-iscsi.service",
            programs: &["usr/sbin/iscsi-iname"],
            commands: &[
                "/bin/sh -c 'umask 077; echo InitiatorName=$(iscsi-iname) >/etc/iscsi/initiatorname.iscsi'",
            ],
        }),
    },
    Kind {
        what: "identity and time of the popularity contest",
        files: &["etc/popularity-contest.conf", "etc/cron.d/popularity-contest"],
        again: Again::Unit(Unit {
            name: "kiwi-popularity-contest.service",
            missing: "etc/popularity-contest.conf",
            before: "cron.service anacron.service",
            programs: &["usr/sbin/popularity-contest", "usr/sbin/dpkg-reconfigure"],
            commands: &["/usr/sbin/dpkg-reconfigure --frontend=noninteractive popularity-contest"],
        }),
    },
    Kind {
        what: "secret key of NetworkManager",
        files: &["var/lib/NetworkManager/secret_key"],
        again: Again::System,
    },
    Kind {
        what: "secret of systemd's credentials",
        files: &["var/lib/systemd/credential.secret"],
        again: Again::System,
    },
    Kind {
        what: "system identifier of a PostgreSQL cluster",
        files: &["var/lib/postgresql/*/*/global/pg_control"],
        again: Again::Author(
            "take the cluster away in config.sh (pg_dropcluster VERSION NAME) and let a unit make it at the first boot \
             (pg_createcluster VERSION NAME)",
        ),
    },
    Kind { what: "cookie of Erlang", files: &["var/lib/rabbitmq/.erlang.cookie"], again: Again::System },
];
