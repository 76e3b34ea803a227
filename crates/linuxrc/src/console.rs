//! Output of a boot: nothing in the normal case, traces and phases on request, failures always.
//!
//! `+++++> text` is a trace (DEBUG=1), `PHASE name uptime` a mark for programs (DEBUG=1 or kiwi.phases=1); both go
//! to the console. A boot failure goes to every console the kernel writes to, because any of them may be watched.

use std::cell::Cell;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use bootconfig::Parameters;

use crate::machine::Machine;

/// The console of a boot.
pub(crate) struct Console {
    machine: Machine,
    debug: bool,
    phases: bool,
}

impl Console {
    /// Returns a console that shows failures and warnings only, for the start of a boot.
    pub(crate) fn quiet(machine: &Machine) -> Self {
        Self { machine: machine.clone(), debug: false, phases: false }
    }

    /// Enables the output that the command line requests.
    pub(crate) fn follow(&mut self, words: &Parameters) {
        self.debug = words.is_on("DEBUG") || words.is_on("rd.kiwi.debug");
        self.phases = self.debug || words.is_on("kiwi.phases");
    }

    /// Whether the user requested debug output.
    pub(crate) fn debug(&self) -> bool {
        self.debug
    }

    /// Returns the machine of the console.
    pub(crate) fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Prints a trace.
    pub(crate) fn trace(&self, text: &str) {
        if self.debug {
            print(&format!("+++++> {text}\n"));
        }
    }

    /// Prints a phase mark.
    pub(crate) fn phase(&self, name: &str) {
        if self.phases {
            let uptime = fs::read_to_string(self.machine.proc.join("uptime")).unwrap_or_default();
            print(&format!("PHASE {name} {}\n", uptime.split(' ').next().unwrap_or_default()));
        }
    }

    /// Prints a warning for everybody.
    pub(crate) fn warn(&self, text: &str) {
        print(&format!("*** kiwi: {text}\n"));
    }

    /// Prints a message for everybody about work that takes long.
    pub(crate) fn announce(&self, text: &str) {
        self.show(&format!("*** kiwi - {text}\n"), false);
    }

    /// Shows `text` on every console; on a screen it replaces everything else.
    pub(crate) fn boot_failure(&self, text: &str) {
        // Kernel messages would overwrite it.
        let _ = fs::write(self.machine.proc.join("sys/kernel/printk"), "1\n");
        self.show(text, true);
    }

    /// Shows `text` on every console, on a cleared screen.
    pub(crate) fn screen(&self, text: &str) {
        self.show(text, true);
    }

    /// Appends `text` on every console.
    pub(crate) fn say(&self, text: &str) {
        self.show(text, false);
    }

    /// Starts the progress display of a task of `total` bytes.
    pub(crate) fn progress(&self, text: &str, total: u64) -> Progress<'_> {
        self.say(&format!("\n{text} ({} MiB)\n", total.div_ceil(1 << 20)));
        Progress { console: Some(self), total, shown: Cell::new(0) }
    }

    /// Returns the names of all consoles the kernel writes to.
    fn names(&self) -> Vec<String> {
        let active =
            fs::read_to_string(self.machine.sys.join("class/tty/console/active")).unwrap_or_default();
        active.split_whitespace().map(str::to_owned).collect()
    }

    /// Returns their devices.
    pub(crate) fn devices(&self) -> Vec<PathBuf> {
        self.names().iter().map(|name| self.machine.dev.join(name)).collect()
    }

    fn show(&self, text: &str, full_screen: bool) {
        let mut shown = false;
        for name in self.names() {
            let path = self.machine.dev.join(&name);
            let console = OpenOptions::new().write(true).custom_flags_nonblocking().open(path);
            let text = if full_screen && is_screen(&name) {
                format!("{EMPTY_SCREEN}{}", wrapped(text))
            } else {
                text.to_owned()
            };
            // A serial line that is configured but absent fails here; the others still get the text.
            shown |= console.is_ok_and(|mut console| console.write_all(text.as_bytes()).is_ok());
        }
        if !shown {
            print(text);
        }
    }
}

/// The progress of a task, in percent on every console.
pub(crate) struct Progress<'a> {
    /// None: it is not shown.
    console: Option<&'a Console>,
    total: u64,
    shown: Cell<u64>,
}

impl Progress<'_> {
    /// Returns a hidden progress.
    pub(crate) fn silent() -> Self {
        Self { console: None, total: 0, shown: Cell::new(0) }
    }

    /// Reports the number of processed bytes.
    pub(crate) fn advance(&self, done: u64) {
        let Some(console) = self.console else { return };
        let percent = done.saturating_mul(100) / self.total.max(1);
        if percent > self.shown.get() {
            self.shown.set(percent);
            console.say(&format!("\r{percent:>6} %"));
        }
    }

    /// Reports the end.
    pub(crate) fn finish(self) {
        if let Some(console) = self.console {
            console.say("\r   done \n");
        }
    }
}

/// A cleared screen in white on blue (console_codes(4)).
const EMPTY_SCREEN: &str = "\x1b[37;44m\x1b[2J\x1b[H";

/// Columns of every screen.
const COLUMNS: usize = 80;

/// Returns `text` with long lines broken between words; continuation lines keep the indent.
fn wrapped(text: &str) -> String {
    let mut shown = String::new();
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        let indent = &line[..line.len() - line.trim_start().len()];
        let mut rest = line.to_owned();
        // A line of all columns moves the cursor to the next one.
        while let Some((limit, _)) = rest.char_indices().nth(COLUMNS - 1) {
            let Some(at) = rest[..=limit].rfind(' ').filter(|at| *at > indent.len()) else { break };
            shown.push_str(&rest[..at]);
            shown.push('\n');
            rest = format!("{indent}{}", &rest[at + 1..]);
        }
        shown.push_str(&rest);
        shown.push_str(end);
    }
    shown
}

/// Whether a console is the machine's own screen: `tty0`, not `ttyS0`.
fn is_screen(name: &str) -> bool {
    name.strip_prefix("tty").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Opens a console without waiting for a carrier and without making it the controlling terminal.
trait NonBlocking {
    fn custom_flags_nonblocking(&mut self) -> &mut Self;
}

impl NonBlocking for OpenOptions {
    fn custom_flags_nonblocking(&mut self) -> &mut Self {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        self.custom_flags(flags.bits().cast_signed())
    }
}

/// Writes to standard output; `print!` would panic where there is no console at all.
fn print(text: &str) {
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_failure_is_on_every_console() {
        let dir = tempfile::tempdir().unwrap();
        let machine = Machine::below(dir.path());
        fs::create_dir_all(machine.sys.join("class/tty/console")).unwrap();
        fs::create_dir_all(&machine.dev).unwrap();
        fs::write(machine.sys.join("class/tty/console/active"), "tty0 ttyS0 ttyS7\n").unwrap();
        for console in ["tty0", "ttyS0"] {
            fs::write(machine.dev.join(console), "").unwrap();
        }
        Console::quiet(&machine).boot_failure("text\n");
        let shown = |console: &str| fs::read_to_string(machine.dev.join(console)).unwrap();
        assert_eq!(shown("tty0"), format!("{EMPTY_SCREEN}text\n"));
        assert_eq!(shown("ttyS0"), "text\n");
    }

    #[test]
    fn long_lines_are_broken_between_words() {
        let long = format!("    {} end\n", "word ".repeat(17).trim_end());
        let whole = format!("    {}", ["word"; 15].join(" "));
        assert_eq!(wrapped(&long), format!("{whole}\n    word word end\n"));
        for kept in ["", "\n", "short\nlines", &"x".repeat(200), &format!("  {}", "y".repeat(100))] {
            assert_eq!(wrapped(kept), kept);
        }
        assert!(wrapped(&"ä b ".repeat(60)).lines().all(|line| line.chars().count() < COLUMNS));
    }

    #[test]
    fn debug_has_two_words() {
        let dir = tempfile::tempdir().unwrap();
        let mut console = Console::quiet(&Machine::below(dir.path()));
        for (line, debug, phases) in [
            ("", false, false),
            ("DEBUG=1", true, true),
            ("rd.kiwi.debug", true, true),
            ("kiwi.phases=1", false, true),
        ] {
            console.follow(&Parameters::parse(line));
            assert_eq!((console.debug, console.phases), (debug, phases), "{line}");
        }
    }
}
