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
    /// OVMF that starts what Microsoft's keys have signed.
    SecureBoot,
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

/// Returns the arguments of QEMU that start kernel and initrd with this command line and without a boot loader. A kernel that is
/// compressed with xz is unpacked into `scratch` first, because an emulated processor needs more time for that than for the rest
/// of the start.
pub fn direct(kernel: &Path, initrd: &Path, line: &str, scratch: &Path) -> Vec<String> {
    const XZ: &[u8] = b"\xfd7zXZ\0";
    let mut unpacked = scratch.join("vmlinux");
    if !unpacked.exists() {
        let packed = std::fs::read(kernel).unwrap();
        if let Some(start) = packed.windows(XZ.len()).position(|window| window == XZ) {
            let stream = scratch.join("vmlinux.xz");
            std::fs::write(&stream, &packed[start..]).unwrap();
            let output = std::fs::File::create(&unpacked).unwrap();
            let keywords = ["--decompress", "--stdout", "--single-stream"];
            let status = Command::new("xz").args(keywords).arg(&stream).stdout(output).status().unwrap();
            assert!(status.success(), "{} was not unpacked", kernel.display());
        } else {
            unpacked = kernel.to_owned();
        }
    }
    let [kernel, initrd] = [unpacked.as_path(), initrd].map(|path| path.to_str().unwrap());
    let line = format!("console=ttyS0 quiet panic=-1 {line}");
    ["-kernel", kernel, "-initrd", initrd, "-append", &line].map(str::to_owned).to_vec()
}

/// Removes the control sequences of a terminal from what a console shows. SeaBIOS, whose screen is the serial console, moves the
/// cursor in the middle of a line that a boot loader writes to the same console.
#[derive(Default)]
pub struct Sequences {
    /// The start of a sequence whose end was not read yet.
    unfinished: String,
}

impl Sequences {
    /// Returns the next text without sequences.
    pub fn without(&mut self, text: &str) -> String {
        let text = std::mem::take(&mut self.unfinished) + text;
        let mut plain = String::new();
        let mut rest = text.as_str();
        while let Some(start) = rest.find('\x1b') {
            plain.push_str(&rest[..start]);
            let sequence = &rest[start..];
            let is_end = |(index, c): &(usize, char)| *index > 1 && ('@'..='~').contains(c);
            match (sequence.strip_prefix("\x1b["), sequence.char_indices().find(is_end)) {
                (Some(_), Some((end, _))) => rest = &sequence[end + 1..],
                (Some(_), None) => {
                    self.unfinished = sequence.to_owned();
                    return plain;
                }
                (None, _) if sequence.len() == 1 => {
                    self.unfinished = sequence.to_owned();
                    return plain;
                }
                (None, _) => rest = &sequence[1..],
            }
        }
        plain + rest
    }
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
        let ovmf = match firmware {
            Firmware::Bios => None,
            Firmware::Uefi => Some(("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd")),
            Firmware::SecureBoot => Some(("OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.ms.fd")),
        };
        if let Some((code, template)) = ovmf {
            let variables = scratch.join("variables.fd");
            let [code, template] = [code, template].map(|file| Path::new("/usr/share/OVMF").join(file));
            std::fs::copy(&template, &variables).expect("package ovmf is needed");
            command.arg("-drive");
            command.arg(format!("if=pflash,format=raw,readonly=on,file={}", code.display()));
            command.arg("-drive").arg(format!("if=pflash,format=raw,file={}", variables.display()));
        }
        if firmware == Firmware::SecureBoot {
            // Only code in system management mode writes the variables.
            command.args(["-machine", "smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on"]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("package qemu-system-x86 is needed");
        let console = Arc::new(Mutex::new(String::new()));
        let mut output = child.stdout.take().unwrap();
        let lines = Arc::clone(&console);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            let mut sequences = Sequences::default();
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                let plain = sequences.without(&String::from_utf8_lossy(&buffer[..count]));
                lines.lock().unwrap().push_str(&plain);
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
    pub fn shows(&mut self, texts: &[&str], seconds: u64) -> bool {
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

    /// Returns the end of what the console has shown.
    pub fn tail(&self) -> String {
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

    /// Presses keys of the machine's own keyboard, which QEMU's monitor names: letters, digits, and `ret` at the end.
    pub fn press(&mut self, line: &str) {
        self.keyboard.write_all(b"\x01c").unwrap();
        for key in line.chars().map(String::from).chain(["ret".to_owned()]) {
            self.type_line(&format!("sendkey {key} 50"));
            // The monitor takes the next key while this one is held.
            std::thread::sleep(Duration::from_millis(200));
        }
        self.keyboard.write_all(b"\x01c").unwrap();
        self.keyboard.flush().unwrap();
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
        // The console of a guest of Xen passes two terminals, each of which adds a carriage return.
        self.expect(&["BEGIN-42\r\n", "BEGIN-42\n", "BEGIN-42\r\r\n"], ANSWER);
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
