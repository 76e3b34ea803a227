//! Debian and its derivatives.

mod archive;
pub(super) mod documentation;
mod login;

use description::Architecture;

#[cfg(feature = "fuzzing")]
pub(crate) use archive::source_lists;
pub(crate) use archive::{Address, ConfiguredMirrors, Mirrors, ReleaseArchive, release};

use super::secret::{
    BIND_KEY, DBUS_MACHINE_ID, ERLANG_COOKIE, ISCSI_INITIATOR, MUNGE_KEY, NETWORK_MANAGER_KEY, NVME_HOST,
    RANDOM_SEED, SSH_HOST_KEYS, SYSTEMD_CREDENTIALS,
};
use super::{
    Facts, ImageRepository, Leftovers, PackageScripts, ReadFile, Renew, RepositoryFile, SecretKind, Unit,
};

/// Signing keys of all Debian releases, on the build host and in images.
pub(super) const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The directory of the keys of other repositories in an image.
const KEYS: &str = "etc/apt/keyrings";

pub(super) const FACTS: Facts = Facts {
    name: "Debian",
    ids: &["debian"],
    architecture,
    kernel_packages: &["linux-image-cloud-amd64", "linux-image-amd64"],
    secure_boot_packages: &["shim-signed", "grub-efi-amd64-signed"],
    user_package: "passwd",
    locale_package: "locales",
    package_scripts: PackageScripts {
        environment: &[
            // Package scripts start thousands of short programs, each of which reads its locale again. `C.UTF-8`
            // consists of a dozen files and takes a fifth of their time.
            ("LC_ALL", "C"),
            ("DEBIAN_FRONTEND", "noninteractive"),
            ("DEBCONF_NONINTERACTIVE_SEEN", "true"),
            ("DEBCONF_NOWARNINGS", "yes"),
            ("INITRD", "No"),
        ],
        unattended: &[("DEBIAN_FRONTEND", "noninteractive")],
        service_guard: Some(("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n")),
        held_back: &[
            // kiwi creates the boot image itself.
            ("usr/sbin/update-initramfs", NOTHING),
            ("usr/bin/dracut", NOTHING),
            ("usr/bin/ssh-keygen", SHORT_HOST_KEY),
        ],
        merged_directories: &["bin", "sbin", "lib", "lib64"],
    },
    leftovers: Leftovers {
        removed: &[
            "var/cache/debconf/config.dat-old",
            "var/cache/debconf/templates.dat-old",
            "var/log/alternatives.log",
            "var/log/apt",
            "var/log/bootstrap.log",
            "var/log/dpkg.log",
            "var/lib/dpkg/available-old",
            "var/lib/dpkg/diversions-old",
            "var/lib/dpkg/statoverride-old",
            "var/lib/dpkg/status-old",
        ],
        caches: &["var/cache/apt/pkgcache.bin", "var/cache/apt/srcpkgcache.bin", "var/lib/dpkg/lock"],
        cache_directories: &["var/lib/apt/lists", "var/cache/apt/archives"],
    },
    secrets: &[
        DBUS_MACHINE_ID,
        RANDOM_SEED,
        SSH_HOST_KEYS,
        SNAKEOIL_CERTIFICATE,
        BIND_KEY,
        MUNGE_KEY,
        NVME_HOST,
        ISCSI_INITIATOR,
        POPULARITY_CONTEST,
        NETWORK_MANAGER_KEY,
        SYSTEMD_CREDENTIALS,
        POSTGRESQL_CLUSTER,
        ERLANG_COOKIE,
    ],
    repository_file: RepositoryFile {
        path: "etc/apt/sources.list.d/kiwi.sources",
        replaces: &["etc/apt/sources.list"],
        directory: "etc/apt",
        keys: KEYS,
        text: repository_text,
    },
    rpm_database: None,
};

const NOTHING: &str = "#!/bin/sh\nexit 0\n";
/// The host keys of the build are removed at its end, and generating a long RSA key takes seconds.
const SHORT_HOST_KEY: &str = "#!/bin/sh\n\
    case \" $* \" in *' -f /etc/ssh/ssh_host_rsa_key '*) set -- \"$@\" -b 1024;; esac\n\
    exec /usr/bin/ssh-keygen.kiwi \"$@\"\n";

const SNAKEOIL_CERTIFICATE: SecretKind = SecretKind {
    what: "snakeoil certificate",
    files: &["etc/ssl/private/ssl-cert-snakeoil.key", "etc/ssl/certs/ssl-cert-snakeoil.pem"],
    renew: Renew::Unit(Unit {
        name: "kiwi-snakeoil-certificate.service",
        missing: "etc/ssl/private/ssl-cert-snakeoil.key",
        before: "",
        programs: &["usr/sbin/make-ssl-cert"],
        commands: &["/usr/sbin/make-ssl-cert generate-default-snakeoil"],
    }),
};

const POPULARITY_CONTEST: SecretKind = SecretKind {
    what: "identity and time of the popularity contest",
    files: &["etc/popularity-contest.conf", "etc/cron.d/popularity-contest"],
    renew: Renew::Unit(Unit {
        name: "kiwi-popularity-contest.service",
        missing: "etc/popularity-contest.conf",
        before: "cron.service anacron.service",
        programs: &["usr/sbin/popularity-contest", "usr/sbin/dpkg-reconfigure"],
        commands: &["/usr/sbin/dpkg-reconfigure --frontend=noninteractive popularity-contest"],
    }),
};

const POSTGRESQL_CLUSTER: SecretKind = SecretKind {
    what: "system identifier of a PostgreSQL cluster",
    files: &["var/lib/postgresql/*/*/global/pg_control"],
    renew: Renew::Author(
        "remove the cluster in config.sh (pg_dropcluster VERSION NAME) and let a unit create it at the first boot \
         (pg_createcluster VERSION NAME)",
    ),
};

/// Returns Debian's name of an architecture.
fn architecture(architecture: &Architecture) -> &str {
    match architecture.machine() {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "i686" => "i386",
        other => other,
    }
}

/// Returns the deb822 text for the repositories of an image, with the public archives that the image documents.
fn repository_text(repositories: &[&ImageRepository], read: ReadFile<'_>) -> Option<String> {
    let paragraphs: Vec<String> = repositories.iter().map(|repository| paragraph(repository)).collect();
    archive::with_public_archives(&paragraphs.join("\n"), read)
}

fn paragraph(repository: &ImageRepository) -> String {
    let ImageRepository {
        location,
        suites,
        components,
        keyring,
        keys,
        alias: _,
        priority: _,
        mirrors: _,
        checks_metadata: _,
        checks_packages: _,
    } = repository;
    let keyring = keyring.iter().map(|keyring| keyring.display().to_string());
    let keyrings: Vec<String> =
        keyring.chain(keys.iter().map(|key| format!("/{KEYS}/{}", key.name))).collect();
    let signed_by =
        if keyrings.is_empty() { String::new() } else { format!("Signed-By: {}\n", keyrings.join(" ")) };
    format!(
        "Types: deb\nURIs: {location}\nSuites: {}\nComponents: {}\n{signed_by}",
        suites.join(" "),
        components.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_debian_names_of_architectures() {
        for (keyword, name) in
            [("x86_64", "amd64"), ("i586", "i386"), ("arm64", "arm64"), ("riscv64", "riscv64")]
        {
            assert_eq!(architecture(&Architecture::new(keyword)), name);
        }
    }

    #[test]
    fn lists_one_paragraph_for_each_repository() {
        let plain = ImageRepository {
            location: "http://example.org/d".to_owned(),
            suites: vec!["stable".to_owned()],
            components: vec!["main".to_owned(), "contrib".to_owned()],
            keyring: None,
            keys: Vec::new(),
            alias: None,
            priority: None,
            mirrors: None,
            checks_metadata: None,
            checks_packages: None,
        };
        let key = crate::distribution::ImageKey { name: "own.asc".to_owned(), bytes: Vec::new() };
        let own = ImageRepository { keys: vec![key], ..plain.clone() };
        let signed = ImageRepository { keyring: Some(KEYRING.into()), ..plain.clone() };
        let text = "Types: deb\nURIs: http://example.org/d\nSuites: stable\nComponents: main contrib\n";
        let expected =
            format!("{text}\n{text}Signed-By: {KEYRING}\n\n{text}Signed-By: /etc/apt/keyrings/own.asc\n");
        assert_eq!(repository_text(&[&plain, &signed, &own], &|_| None), Some(expected));
    }
}
