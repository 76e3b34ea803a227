//! A hostile description and a hostile package try to reach the machine that builds (`escapes/attempts.c`): from `config.sh`,
//! `images.sh` and a maintainer script, on every way on which packages are installed, started by root and by an ordinary user.
//!
//! The machine has what they look for: a file, a listening port and socket, a process, a secret in the environment, a key, an open
//! directory, a terminal. Every attempt must fail; one that is about something this kernel does not have is listed as skipped.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::PathBuf;
use std::process::{Child, Command};

use kiwi_tests::machine::judge;
use kiwi_tests::program::checkout;
use kiwi_tests::user::{USER, copy_programs, make_user};

/// Content of the file that must stay unread.
const CANARY: &str = "kiwi-canary-6f1d";
/// Value of a variable of the environment in which kiwi starts.
const SECRET: &str = "kiwi-secret-93ab";

const DESCRIPTION: &str = r#"<image schemaversion="8.5" name="hostile">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image="cpio"/></preferences>
  <repository><source path="debian://bookworm"/></repository>
  <repository type="deb-dir"><source path="REPOSITORY"/></repository>
  <packages type="image"><package name="escapes"/></packages>
</image>"#;

/// The fewest attempts that must be about something that this kernel has.
const FEWEST: usize = 40;

/// What the machine has, and where a user finds the programs.
struct Machine {
    directory: tempfile::TempDir,
    port: TcpListener,
    socket: UnixListener,
    process: Child,
    attempts: Vec<String>,
}

impl Machine {
    fn new() -> Self {
        make_user();
        let directory = tempfile::tempdir().unwrap();
        std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
        copy_programs(directory.path());
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let name = format!("kiwi-escapes-{}", std::process::id());
        let socket = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        port.set_nonblocking(true).unwrap();
        socket.set_nonblocking(true).unwrap();
        let process = Command::new("sleep").arg("7200").spawn().unwrap();
        let path = |name: &str| directory.path().join(name).display().to_string();
        std::fs::write(path("canary"), CANARY).unwrap();
        let source = checkout().join("tests/images/escapes/attempts.c");
        judge("cc", &["-static", "-O1", "-o", &path("attempts"), source.to_str().unwrap()]);
        let facts = [
            path("canary"),
            SECRET.to_owned(),
            process.id().to_string(),
            port.local_addr().unwrap().port().to_string(),
            name,
        ];
        std::fs::write(path("host"), facts.join("\n") + "\n").unwrap();
        let attempts = judge(&path("attempts"), &["--list"]).lines().map(str::to_owned).collect();
        let machine = Self { directory, port, socket, process, attempts };
        machine.write_description();
        machine.package(1);
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write_description(&self) {
        std::fs::create_dir_all(self.path("description")).unwrap();
        std::fs::create_dir_all(self.path("repository")).unwrap();
        let text = DESCRIPTION.replace("REPOSITORY", self.path("repository").to_str().unwrap());
        std::fs::write(self.path("description/config.xml"), text).unwrap();
        for script in ["config.sh", "images.sh"] {
            let text = format!("#!/bin/sh\nset -e\n/usr/lib/escapes/attempts {script}\n");
            std::fs::write(self.path("description").join(script), text).unwrap();
        }
    }

    /// Builds this version of the package, the only one of the repository.
    fn package(&self, version: u32) {
        let build = "set -e; cd \"$0\"; rm -rf package repository/*; mkdir -p package/DEBIAN package/usr/lib/escapes; \
            cp attempts host package/usr/lib/escapes; \
            printf 'Package: escapes\\nVersion: %s\\nArchitecture: amd64\\nMaintainer: A <a@example.org>\\nDescription: x\\n' $1 \
                > package/DEBIAN/control; \
            printf '#!/bin/sh\\nset -e\\n/usr/lib/escapes/attempts postinst\\n' > package/DEBIAN/postinst; \
            chmod 755 package/DEBIAN/postinst; dpkg-deb --root-owner-group --build package repository";
        judge("sh", &["-c", build, self.directory.path().to_str().unwrap(), &version.to_string()]);
    }

    /// Runs kiwi as a careless operator, at a terminal; returns its log.
    fn kiwi(&self, who: &str, arguments: &[&str]) -> String {
        let home = self.path(who);
        let user = if who == "root" { "" } else { "setpriv --reuid USER --regid USER --init-groups" };
        let (here, home) = (self.directory.path().display(), home.display());
        let log = format!("{home}/log");
        let _ = std::fs::remove_file(&log);
        let command = format!(
            "{} env HOME={home} KIWI_CACHE={home}/cache KIWI_TEST_SECRET={SECRET} {here}/attempts --start {here}/kiwi {} \
             --logfile {log}",
            user.replace("USER", USER),
            arguments.join(" ")
        );
        let output = Command::new("script")
            .args(["-qefc", &command, "/dev/null"])
            .current_dir(home.to_string())
            .output()
            .unwrap();
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        assert!(output.status.success(), "{command}:\n{}\n{text}", String::from_utf8_lossy(&output.stdout));
        text
    }

    /// Every attempt of `script` was made and failed, and nothing of the machine was read or changed.
    fn check(&mut self, log: &str, script: &str, what: &str) {
        let mut results = BTreeMap::new();
        for line in log.lines().filter_map(|line| line.strip_prefix(&format!("ESCAPE {script} "))) {
            let (name, result) = line.split_once(' ').expect("a result");
            results.insert(name, result);
        }
        let names: Vec<&str> = results.keys().copied().collect();
        let mut expected: Vec<&str> = self.attempts.iter().map(String::as_str).collect();
        expected.sort_unstable();
        assert_eq!(names, expected, "{what}, {script}: {log}");
        let of = |kind: &str| -> Vec<String> {
            let found = results.iter().filter(|(_, result)| result.starts_with(kind));
            found
                .map(|(name, result)| format!("{name} ({})", result.trim_start_matches(kind).trim()))
                .collect()
        };
        let (escaped, skipped) = (of("escaped"), of("missing"));
        assert!(escaped.is_empty(), "{what}, {script}: {}", escaped.join(", "));
        assert!(of("held").len() >= FEWEST, "{what}, {script}: only {} attempts were made", of("held").len());
        eprintln!("{what}, {script}: {} held; skipped: {}", of("held").len(), skipped.join(", "));
        assert!(!log.contains(CANARY) && !log.contains(SECRET), "{what}, {script}: a secret was read");
        assert_eq!(std::fs::read_to_string(self.path("canary")).unwrap(), CANARY);
        assert!(self.port.accept().is_err() && self.socket.accept().is_err(), "{what}, {script}: connected");
        assert!(self.process.try_wait().unwrap().is_none(), "{what}, {script}: a process of the host ended");
    }

    fn run(&mut self, who: &str) {
        std::fs::create_dir(self.path(who)).unwrap();
        if who != "root" {
            judge("chown", &[USER, self.path(who).to_str().unwrap()]);
        }
        let description = self.path("description").display().to_string();
        let prepare = ["prepare", &description, "--no-cache", "--root"];
        let log = self.kiwi(who, &[&prepare[..], &["tree", "--package-path", "native"]].concat());
        self.check(&log, "postinst", &format!("{who}, native"));
        self.check(&log, "config.sh", &format!("{who}, native"));
        let log = self.kiwi(who, &["create", "tree", "--destdir", "."]);
        self.check(&log, "images.sh", &format!("{who}, create"));
        let log = self.kiwi(who, &[&prepare[..], &["plain", "--package-path", "plain"]].concat());
        self.check(&log, "postinst", &format!("{who}, plain"));
        self.package(2);
        let log = self.kiwi(who, &["upgrade", "tree"]);
        self.check(&log, "postinst", &format!("{who}, upgrade"));
        self.package(1);
        let log = self.kiwi(who, &[&prepare[..], &["open", "--network"]].concat());
        let line = log.lines().find(|line| line.starts_with("ESCAPE config.sh abstract_socket "));
        let line = line.unwrap_or_else(|| panic!("{who}, --network: {log}"));
        eprintln!("{who}, --network: {line}");
        assert!(!line.contains("escaped"), "{who}, --network: {line}");
        assert!(self.socket.accept().is_err(), "{who}, --network: connected to the abstract socket");
        // Ports of the machine may be used with --network; the next checks must not find these connections.
        while self.port.accept().is_ok() {}
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn scripts_and_packages_cannot_leave_their_tree() {
    let mut machine = Machine::new();
    for who in ["root", USER] {
        machine.run(who);
    }
}
