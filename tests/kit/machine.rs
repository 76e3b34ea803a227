//! A virtual machine with its serial console, for tests that boot images.
//!
//! Always `-accel tcg`. Times are limits, far above those of an idle machine; a failure shows the end of the console's output.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::program::kiwi;

/// Runs kiwi, which must succeed; returns its standard error.
pub fn run_kiwi(arguments: &[&str]) -> String {
    let output = Command::new(kiwi()).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "kiwi {arguments:?} failed:\n{said}");
    said.into_owned()
}

/// Runs a program that checks or reads a result and must succeed; returns its output.
pub fn judge(program: &str, keywords: &[&str]) -> String {
    let output = Command::new(program)
        .args(keywords)
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{program} {keywords:?}: {text}");
    text
}

/// How a machine starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Firmware {
    /// SeaBIOS.
    Bios,
    /// OVMF, with variables of its own.
    Uefi,
}

/// A running QEMU; it ends when this is dropped.
pub struct Machine {
    child: Child,
    keyboard: ChildStdin,
    console: Arc<Mutex<String>>,
    position: usize,
}

/// The device that a medium is attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// A drive for CDs.
    Cdrom,
    /// A USB port; what the machine writes to the stick stays in its image.
    Usb,
}

impl Slot {
    /// Returns the arguments of QEMU that attach `image`.
    pub fn keywords(self, image: &Path) -> Vec<String> {
        let image = image.display();
        match self {
            Self::Cdrom => {
                vec!["-drive".to_owned(), format!("file={image},format=raw,media=cdrom,readonly=on")]
            }
            Self::Usb => vec![
                "-device".to_owned(),
                "qemu-xhci".to_owned(),
                "-drive".to_owned(),
                format!("if=none,id=stick,format=raw,file={image}"),
                "-device".to_owned(),
                "usb-storage,id=socket,drive=stick,removable=on".to_owned(),
            ],
        }
    }
}

/// Returns the arguments of QEMU that start kernel and initrd with this command line and without a boot loader. The kernel is
/// unpacked into `scratch` first, because an emulated processor needs more time for that than for the rest of the start.
///
/// # Panics
///
/// If the kernel is not compressed with xz, as that of `linux-image-amd64` is.
pub fn direct(kernel: &Path, initrd: &Path, line: &str, scratch: &Path) -> Vec<String> {
    const XZ: &[u8] = b"\xfd7zXZ\0";
    let unpacked = scratch.join("vmlinux");
    if !unpacked.exists() {
        let packed = std::fs::read(kernel).unwrap();
        let start =
            packed.windows(XZ.len()).position(|window| window == XZ).expect("a kernel packed with xz");
        let stream = scratch.join("vmlinux.xz");
        std::fs::write(&stream, &packed[start..]).unwrap();
        let output = std::fs::File::create(&unpacked).unwrap();
        let keywords = ["--decompress", "--stdout", "--single-stream"];
        let status = Command::new("xz").args(keywords).arg(&stream).stdout(output).status().unwrap();
        assert!(status.success(), "{} was not unpacked", kernel.display());
    }
    let [kernel, initrd] = [unpacked.as_path(), initrd].map(|path| path.to_str().unwrap());
    let line = format!("console=ttyS0 quiet panic=-1 {line}");
    ["-kernel", kernel, "-initrd", initrd, "-append", &line].map(str::to_owned).to_vec()
}

/// Time limit of a command in seconds. Generating keys takes an emulated processor minutes while other tests run.
const ANSWER: u64 = 240;

impl Machine {
    /// Boots `disk`; changes of the machine are saved in it.
    pub fn boot(disk: &Path, format: &str, firmware: Firmware, scratch: &Path) -> Self {
        let drive = format!("file={},format={format},if=virtio", disk.display());
        Self::start(&["-drive".to_owned(), drive], firmware, scratch)
    }

    /// Boots with these further arguments of QEMU. QEMU ends when the machine restarts.
    pub fn start(keywords: &[String], firmware: Firmware, scratch: &Path) -> Self {
        Self::start_with(Command::new("qemu-system-x86_64"), keywords, firmware, scratch)
    }

    /// Like [`Machine::start`], by a command that starts QEMU elsewhere, such as in a network namespace.
    pub fn start_with(mut command: Command, keywords: &[String], firmware: Firmware, scratch: &Path) -> Self {
        command.args(["-machine", "q35", "-accel", "tcg", "-cpu", "max", "-m", "1024"]);
        command.args(["-nographic", "-no-reboot", "-nic", "none"]).args(keywords);
        if firmware == Firmware::Uefi {
            let variables = scratch.join("variables.fd");
            std::fs::copy("/usr/share/OVMF/OVMF_VARS_4M.fd", &variables).expect("package ovmf is needed");
            command.args(["-drive", "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd"]);
            command.arg("-drive").arg(format!("if=pflash,format=raw,file={}", variables.display()));
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("package qemu-system-x86 is needed");
        let console = Arc::new(Mutex::new(String::new()));
        let mut output = child.stdout.take().unwrap();
        let lines = Arc::clone(&console);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                lines.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        });
        let keyboard = child.stdin.take().unwrap();
        Self { child, keyboard, console, position: 0 }
    }

    /// Waits until the console shows one of `texts` after the text that was awaited last.
    pub fn expect(&mut self, texts: &[&str], seconds: u64) {
        assert!(self.shows(texts, seconds), "{texts:?} did not come within {seconds} s; {}", self.tail());
    }

    /// Waits until the console shows `text`, even after a message of a failure, which the test expects.
    pub fn expect_failure(&mut self, text: &str, seconds: u64) {
        let limit = Instant::now() + Duration::from_secs(seconds);
        while !self.console.lock().unwrap().contains(text) {
            assert!(Instant::now() < limit, "\"{text}\" did not come within {seconds} s; {}", self.tail());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Returns whether the console has shown `text` at any time.
    pub fn said(&self, text: &str) -> bool {
        self.console.lock().unwrap().contains(text)
    }

    /// Returns the first line with `text` that the console has shown.
    pub fn line_with(&self, text: &str) -> Option<String> {
        let console = self.console.lock().unwrap();
        console.lines().find(|line| line.contains(text)).map(str::to_owned)
    }

    /// Waits until the machine has switched itself off or restarted.
    pub fn expect_end(&mut self, seconds: u64) {
        let limit = Instant::now() + Duration::from_secs(seconds);
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < limit, "the machine did not end within {seconds} s; {}", self.tail());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Like `expect`, but returns whether the text appeared. A machine that reported a failure is not awaited any longer.
    fn shows(&mut self, texts: &[&str], seconds: u64) -> bool {
        let limit = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < limit {
            let console = self.console.lock().unwrap().clone();
            let new = &console[self.position..];
            if let Some(end) =
                texts.iter().filter_map(|text| new.find(text).map(|start| start + text.len())).min()
            {
                self.position += end;
                return true;
            }
            for bad in ["*** kiwi:", "Kernel panic", "Entering emergency mode", "No bootable device"] {
                assert!(!new.contains(bad), "the machine says \"{bad}\"; {}", self.tail());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    }

    fn tail(&self) -> String {
        let console = self.console.lock().unwrap();
        let start = console.len().saturating_sub(3000);
        let start = (start..console.len()).find(|index| console.is_char_boundary(*index)).unwrap_or(0);
        format!("the console's end:\n{}", &console[start..])
    }

    /// Types `line` and Return on the console.
    pub fn type_line(&mut self, line: &str) {
        self.keyboard.write_all(format!("{line}\n").as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Selects the entry `number` of a boot loader's menu, counted from 0, when the console shows `sign` of the menu.
    pub fn choose(&mut self, sign: &str, number: usize) {
        self.expect(&[sign], 60);
        for key in std::iter::repeat_n("\x1b[B", number).chain(["\r"]) {
            self.keyboard.write_all(key.as_bytes()).unwrap();
            self.keyboard.flush().unwrap();
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// Unplugs the stick, by a command to QEMU's monitor, which shares the console.
    pub fn pull_stick(&mut self) {
        self.keyboard.write_all(b"\x01c").unwrap();
        self.type_line("device_del socket");
        self.keyboard.write_all(b"\x01c").unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Logs in. The prompt comes before the terminal is quiet, so a lost name is typed again.
    pub fn log_in(&mut self, user: &str, password: &str) {
        self.expect(&["login: "], 400);
        for _ in 0..5 {
            std::thread::sleep(Duration::from_secs(1));
            self.type_line(user);
            if self.shows(&["Password: ", "Passwort: "], 15) {
                std::thread::sleep(Duration::from_millis(500));
                self.type_line(password);
                if self.shows(&["$ "], 60) {
                    return;
                }
            }
        }
        panic!("nobody can log in; {}", self.tail());
    }

    /// Runs a command in the guest's shell and returns its output. The guest computes the markers around it, so that the
    /// echo of the command is not mistaken for them.
    pub fn ask(&mut self, command: &str) -> String {
        self.type_line(&format!("echo BEGIN-$((6*7)); {command}; echo END-$((6*7))"));
        self.expect(&["BEGIN-42\r\n", "BEGIN-42\n"], ANSWER);
        let start = self.position;
        self.expect(&["END-42"], ANSWER);
        let console = self.console.lock().unwrap();
        let said = console[start..self.position].trim_end_matches("END-42").replace('\r', "");
        without_the_kernel(&said).trim().to_owned()
    }

    /// Shuts the machine down, so that its disk can be used again.
    pub fn power_off(mut self, password: &str) {
        self.type_line(&format!("echo {password} | sudo -S systemctl poweroff"));
        let limit = Instant::now() + Duration::from_secs(180);
        while Instant::now() < limit {
            if self.child.try_wait().unwrap().is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(300));
        }
        panic!("the machine does not switch itself off; {}", self.tail());
    }
}

/// Returns the output of a command without messages of the kernel, which can appear in the middle of a line.
pub fn without_the_kernel(said: &str) -> std::borrow::Cow<'_, str> {
    let message = regex_lite::Regex::new(r"\[ *[0-9]+\.[0-9]{6}\] [^\n]*\n").unwrap();
    message.replace_all(said, "")
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
