//! Networks with servers for tests of netboot: a network namespace with a bridge, real servers in it, and virtual machines or a
//! namespace of the test itself as clients.
//!
//! A test that boots a machine, as root:
//!
//! ```text
//! let network = Network::new(&scratch);                    // 10.77.0.1/24 on a bridge, nothing of the host's network
//! let _dhcp = network.dhcp(&["--dhcp-boot=pxelinux.0"]);   // dnsmasq: DHCP, DNS for test.example, router advertisements
//! let _tftp = network.tftp(&tree);                         // tftpd-hpa, uploads allowed
//! let _http = network.http(&tree);                         // nginx: GET with ranges, PUT
//! let mut machine = network.machine(&Machine::direct(..), Firmware::Bios, MAC, &scratch);   // or without -kernel: PXE
//! machine.expect(&["login: "], 300);
//! ```
//!
//! A test of the clients begins with [`alone`], which runs it again in a namespace of its own, and connects that one with
//! [`Network::connect`]. Everything that is started here dies with the test, also when the test is killed.

mod servers;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::machine::{Firmware, Machine};

/// The address of the servers.
pub const SERVER: &str = "10.77.0.1";
/// The domain of the network; dnsmasq knows the names in it.
pub const DOMAIN: &str = "test.example";
/// The variable that marks the second run of a test, in a namespace of its own.
const ALONE: &str = "KIWI_TEST_NAMESPACE";
/// How long a server may take to start on a busy machine, and how long a program may take to end.
const LIMIT: Duration = Duration::from_secs(120);

/// Returns whether the running test has network, processes and mounts of its own. If not, this function runs it again so, which
/// must succeed, and the test must return. An ordinary user needs ranges in `/etc/subuid` and `/etc/subgid`.
///
/// # Panics
///
/// If the second run fails.
pub fn alone() -> bool {
    if std::env::var_os(ALONE).is_some() {
        judged(program("mount").args(["-t", "sysfs", "sysfs", "/sys"]));
        judged(program("ip").args(["link", "set", "lo", "up"]));
        return true;
    }
    let name = std::thread::current().name().expect("the name of a test").to_owned();
    let mut command = program("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user", "--map-auto"]);
    }
    command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    command.arg(std::env::current_exe().expect("the path of this program"));
    command.args(["--exact", &name, "--nocapture", "--test-threads=1"]).env(ALONE, "1");
    let output = judged(&mut command);
    assert!(output.contains("1 passed"), "the test {name} was not found: {output}");
    false
}

fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C").stdin(Stdio::null());
    command
}

/// Runs a command, which must succeed; returns what it prints.
fn judged(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{command:?}: {text}");
    text
}

/// A namespace with a bridge `lan`, whose address is [`SERVER`].
pub struct Network {
    /// The process that keeps the namespace.
    holder: Child,
    directory: PathBuf,
}

/// A server; it ends when this is dropped.
pub struct Service {
    child: Child,
    log: PathBuf,
}

/// The protocol of a port.
#[derive(Debug, Clone, Copy)]
enum Protocol {
    Tcp,
    Udp,
}

impl Network {
    /// Creates a network. `directory` is for the files of its servers.
    ///
    /// # Panics
    ///
    /// If this process may not create network namespaces.
    pub fn new(directory: &Path) -> Self {
        fs::create_dir_all(directory).expect("a directory for the servers");
        let mut command = program("setpriv");
        command.args([
            "--pdeathsig",
            "KILL",
            "unshare",
            "--net",
            "sh",
            "-c",
            "echo ready; exec sleep infinity",
        ]);
        let mut holder = command.stdout(Stdio::piped()).spawn().expect("setpriv starts");
        let mut ready = [0; 6];
        let read = holder.stdout.take().expect("a pipe").read_exact(&mut ready);
        assert!(read.is_ok(), "this process may not create a network namespace");
        let network = Self { holder, directory: directory.to_owned() };
        for line in [
            "ip link set lo up".to_owned(),
            "ip link add lan type bridge".to_owned(),
            format!("ip address add {SERVER}/24 dev lan"),
            "ip address add fd77::1/64 dev lan nodad".to_owned(),
            "ip link set lan up".to_owned(),
        ] {
            network.run(&line);
        }
        network
    }

    /// Returns a command for a program that runs in the network and dies with this thread.
    pub fn command(&self, name: &str) -> Command {
        let mut command = program("setpriv");
        command.args(["--pdeathsig", "KILL", "nsenter"]);
        command.arg(format!("--net=/proc/{}/ns/net", self.holder.id())).args(["--", name]);
        command
    }

    /// Runs a line of words without a shell in the network; returns what it prints.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub fn run(&self, line: &str) -> String {
        let mut words = line.split_whitespace();
        judged(self.command(words.next().expect("a program")).args(words))
    }

    /// Returns the process whose namespace this is.
    pub fn process(&self) -> u32 {
        self.holder.id()
    }

    /// Connects the namespace of this process with a card `name` of this hardware address, which is down.
    pub fn connect(&self, name: &str, mac: &str) {
        let peer = format!("to-{name}");
        let holder = self.holder.id();
        let line = format!("link add {name} address {mac} type veth peer name {peer} netns {holder}");
        judged(program("ip").args(line.split(' ')));
        self.run(&format!("ip link set {peer} master lan up"));
    }

    /// Lets each packet between servers and clients be lost with this probability, in percent. The bridge drops them: a drop by
    /// the IP layer would be an error of the server's call.
    pub fn lose(&self, percent: u32) {
        let chain = |hook| {
            format!(
                "chain {hook} {{\ntype filter hook {hook} priority 0\nnumgen random mod 100 < {percent} drop\n}}\n"
            )
        };
        let rules = format!("table bridge loss {{\n{}{}}}\n", chain("input"), chain("output"));
        let path = self.directory.join("loss.nft");
        fs::write(&path, rules).expect("a file of rules");
        judged(self.command("nft").arg("-f").arg(path));
    }

    /// Returns the arguments of QEMU for a card in this network.
    pub fn card(&self, mac: &str) -> Vec<String> {
        let name = format!("tap{}", mac.replace(':', "").split_off(6));
        if !self.run("ip -o link").contains(&format!(" {name}:")) {
            self.run(&format!("ip tuntap add {name} mode tap"));
            self.run(&format!("ip link set {name} master lan up"));
        }
        let network = format!("tap,id={name},ifname={name},script=no,downscript=no");
        let device = format!("virtio-net-pci,netdev={name},mac={mac},bootindex=9");
        vec!["-netdev".to_owned(), network, "-device".to_owned(), device]
    }

    /// Starts a machine with one card in this network. Without `-kernel` or a disk it boots from the network.
    pub fn machine(&self, keywords: &[String], firmware: Firmware, mac: &str, scratch: &Path) -> Machine {
        let keywords = [keywords, &self.card(mac)].concat();
        Machine::start_with(self.command("qemu-system-x86_64"), &keywords, firmware, scratch)
    }

    /// Starts a server and waits until it listens on each of these ports.
    fn serve(&self, name: &str, arguments: &[String], ports: &[(Protocol, u16)]) -> Service {
        let started = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
        let base = Path::new(name).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let log = self.directory.join(format!("{base}.{started}.log"));
        let output = File::create(&log).expect("a log file");
        let mut command = self.command(name);
        command
            .process_group(0)
            .args(arguments)
            .stdout(output.try_clone().expect("a log file"))
            .stderr(output);
        let child = command.spawn().expect("setpriv starts");
        let mut service = Service { child, log };
        let limit = Instant::now() + LIMIT;
        for (protocol, port) in ports {
            while !self.listens(*protocol, *port) {
                let running = service.child.try_wait().expect("a child").is_none();
                assert!(running && Instant::now() < limit, "{name} does not serve: {}", service.log());
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        service
    }

    /// Whether something listens on a port.
    fn listens(&self, protocol: Protocol, port: u16) -> bool {
        let (files, state) = match protocol {
            Protocol::Tcp => (["tcp", "tcp6"], "0A"),
            Protocol::Udp => (["udp", "udp6"], "07"),
        };
        files.iter().any(|file| {
            let table =
                fs::read_to_string(format!("/proc/{}/net/{file}", self.holder.id())).unwrap_or_default();
            table.lines().any(|line| {
                let mut words = line.split_whitespace().skip(1);
                let local = words.next().is_some_and(|local| local.ends_with(&format!(":{port:04X}")));
                local && words.nth(1) == Some(state)
            })
        })
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

impl Service {
    /// Returns what the server has reported.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends the server at once, as a crash does.
    pub fn stop(self) {}
}

impl Drop for Service {
    fn drop(&mut self) {
        // With the processes that serve single clients.
        let _ = rustix::process::kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of UTF-8")
}

/// Returns bytes that differ everywhere, so that a block in the wrong place is noticed. They are the same in each run.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Writes a file that servers may read.
pub fn publish(tree: &Path, name: &str, bytes: &[u8]) {
    let path = tree.join(name);
    fs::create_dir_all(path.parent().expect("a parent")).expect("a directory of the tree");
    let mut file = File::create(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file.write_all(bytes).expect("a file of the tree");
}
