//! The only door to effects: processes, namespaces, output files, clock, environment and terminal.
//!
//! ```text
//! main -> namespace::enter (private namespaces, once) -> Host -> command / file / log / progress
//! ```
//!
//! A function that takes no `&Host` changes nothing. `Host` knows nothing of images: it runs commands in a sandbox,
//! writes what it is given and tells the user what goes on.
#![allow(clippy::disallowed_methods, reason = "this is the door that clippy.toml sends everybody to")]

mod abandon;
mod before_namespaces;
pub mod command;
mod command_error;
mod companion;
mod destination;
pub mod device;
pub mod dir_lock;
mod disk_full_watchdog;
mod event;
pub mod file;
mod filter;
mod for_sandboxes;
mod foreign_ids;
mod id_range;
mod ids;
mod interactive;
pub mod interrupt;
mod leftovers;
mod log;
mod machine_view;
mod memory;
mod mknod_broker;
mod mount_table;
mod name_lock;
mod namespace;
mod namespace_error;
pub mod printable;
mod program_lookup;
mod progress;
mod sandbox;
pub mod sparse;
mod stage_task;
mod terminal;
pub mod usage;
mod user_namespace;
mod userns_diagnosis;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use before_namespaces::BeforeNamespaces;
pub use command::Command;
pub use command_error::CommandError;
pub use companion::{Companion, Conversation};
pub use destination::Destination;
pub use event::{ArtifactFacts, Event, Listener, Output, Position, StageEnd, Unit, Warning, lossy};
pub use ids::IdsError;
pub use interrupt::Interrupted;
pub use log::Log;
pub use memory::Reservation;
pub use name_lock::{NameLock, NameLockError};
pub use namespace::enter as enter_namespaces;
pub use namespace_error::NamespaceError;
pub use progress::{Meter, RunningStage, sampled};
pub use stage_task::StageTask;
pub use terminal::TerminalStyle;
pub use userns_diagnosis::{Step, UsernsDiagnosis};

/// Effects, as one value that is handed down.
pub struct Host {
    log: Log,
    progress: progress::Progress,
    spans: usage::Spans,
    interrupt: interrupt::Interrupt,
    leftovers: leftovers::Leftovers,
    search_path: Vec<PathBuf>,
    variables: Vec<(&'static str, String)>,
}

impl Host {
    /// The host of one run of the program. Starts the thread that waits for signals, so namespaces come first.
    pub fn new(output: Output) -> Self {
        Self {
            log: Log::default(),
            progress: progress::Progress::new(output),
            spans: usage::Spans::default(),
            interrupt: interrupt::Interrupt::listen(),
            leftovers: leftovers::Leftovers::default(),
            search_path: program_lookup::search_path(),
            variables: Vec::new(),
        }
    }

    /// As if the environment had these variables; they go before those it has.
    #[must_use]
    pub fn with_variables(self, variables: Vec<(&'static str, String)>) -> Self {
        Self { variables, ..self }
    }

    /// A command to be run in a sandbox; `program` is a name looked up on the host, or a path inside a root tree.
    pub fn command(&self, program: &str) -> Command<'_> {
        Command::new(self, program)
    }

    /// Where a program of the host stands, or the error that names the package which provides it.
    pub fn find_program(&self, program: &str) -> Result<PathBuf, CommandError> {
        program_lookup::find(&self.search_path, program)
    }

    /// The log of this build.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Announces a piece of work; it ends when the value is finished or dropped.
    pub fn stage(&self, task: StageTask, text: impl Into<String>) -> RunningStage<'_> {
        let text = text.into();
        self.log.line(&format!("==> {text}"));
        self.progress.stage(task, text, &self.spans, &self.log)
    }

    /// The pieces of work of this run.
    pub fn spans(&self) -> &usage::Spans {
        &self.spans
    }

    /// Most memory this program itself had at any time, in bytes.
    pub fn peak_memory(&self) -> u64 {
        usage::peak_memory()
    }

    /// Reports something the user should know that does not stop the work.
    pub fn warn(&self, about: Warning, text: &str) {
        self.log.line(&format!("warning: {text}"));
        let message = text.to_owned();
        self.progress.event(&Event::Warning { code: about.keyword(), message, position: None, shown: None });
    }

    /// Reports something about a line of a description; `shown` is its form for a person.
    pub fn warn_of_description(&self, rule: &'static str, message: &str, position: Position, shown: String) {
        self.log.line(&shown);
        let (message, position, shown) = (message.to_owned(), Some(position), Some(shown));
        self.progress.event(&Event::Warning { code: rule, message, position, shown });
    }

    /// Reports a line of information.
    pub fn say(&self, text: &str) {
        self.log.line(text);
        self.progress.event(&Event::Message(text.to_owned()));
    }

    /// Reports a finished file.
    pub fn report_artifact(&self, artifact: ArtifactFacts) {
        self.log.line(&format!("{}: {}", artifact.title, artifact.path.display()));
        self.progress.artifact(artifact);
    }

    /// Returns the finished files of this run.
    pub fn artifacts(&self) -> Vec<ArtifactFacts> {
        self.progress.artifacts()
    }

    /// Returns whether diagnostics are shown with colours.
    pub fn is_colored(&self) -> bool {
        self.progress.is_colored()
    }

    /// Whether there is a person at the terminal who can be asked.
    pub fn has_person(&self) -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Returns whether standard input is a terminal, a pipe or a file, not `/dev/null`.
    pub fn has_input(&self) -> bool {
        let input = rustix::fs::fstat(std::io::stdin());
        let is_device = input.is_ok_and(|facts| {
            rustix::fs::FileType::from_raw_mode(facts.st_mode) == rustix::fs::FileType::CharacterDevice
        });
        std::io::stdin().is_terminal() || (input.is_ok() && !is_device)
    }

    /// Asks that person; the line they gave, without blanks around it.
    pub fn ask(&self, question: &str) -> std::io::Result<String> {
        terminal::ask(question)
    }

    /// Asks the person at the terminal for something nobody may read along.
    pub fn ask_secret(&self, question: &str) -> std::io::Result<String> {
        terminal::ask_secret(question)
    }

    /// Runs a program for the person at the terminal, who talks to it directly; no sandbox. It gets SIGTERM when the user
    /// asks to stop, and is killed when kiwi is. With `--json` its standard output goes to standard error.
    pub fn attended(&self, program: &Path, arguments: &[String]) -> anyhow::Result<std::process::ExitStatus> {
        let mut command = std::process::Command::new(program);
        if self.progress.owns_stdout() {
            command.stdout(std::io::stderr());
        }
        let mut child = sandbox::attended::dies_with_parent(command.args(arguments)).spawn()?;
        let watched = self.interrupt.watch(child.id(), rustix::process::Signal::TERM);
        let status = child.wait();
        drop(watched);
        self.check_interrupt()?;
        Ok(status?)
    }

    /// Runs a program and returns what it printed on standard output; the rest is as with [`Host::attended`].
    pub fn captured(&self, program: &Path, arguments: &[String]) -> anyhow::Result<std::process::Output> {
        let mut command = std::process::Command::new(program);
        command.args(arguments).stdout(std::process::Stdio::piped());
        let child = sandbox::attended::dies_with_parent(&mut command).spawn()?;
        let watched = self.interrupt.watch(child.id(), rustix::process::Signal::TERM);
        let output = child.wait_with_output();
        drop(watched);
        self.check_interrupt()?;
        Ok(output?)
    }

    /// Runs a program until it prints a line with `text` or `limit` passed; whether it did. It is ended then.
    pub fn says(&self, program: &Path, arguments: &[&str], text: &'static str, limit: Duration) -> bool {
        terminal::says(program, arguments, text, limit, &self.interrupt)
    }

    /// Whether nothing else may write to standard output.
    fn owns_stdout(&self) -> bool {
        self.progress.owns_stdout()
    }

    /// Shows no progress while `work` has the terminal.
    fn without_progress<T>(&self, work: impl FnOnce() -> T) -> T {
        self.progress.paused(work)
    }

    /// Notes a child that is killed when the user asks to stop.
    fn interrupted_with(&self, child: u32) -> interrupt::Watched<'_> {
        self.interrupt.watch(child, rustix::process::Signal::KILL)
    }

    /// An error when the user has asked to stop.
    pub fn check_interrupt(&self) -> Result<(), Interrupted> {
        self.interrupt.check()
    }

    /// Seconds since 1970.
    pub fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
    }

    /// A variable of the user's environment.
    pub fn variable(&self, name: &str) -> Option<String> {
        if let Some((_, value)) = self.variables.iter().find(|(known, _)| *known == name) {
            return Some(value.clone());
        }
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    /// Memory that can be used without swapping and without exceeding a limit, in bytes.
    pub fn available_memory(&self) -> u64 {
        memory::available(Path::new("/proc"), Path::new("/sys/fs/cgroup"))
    }

    /// Returns the free space of the file system of `path` in bytes.
    pub fn free_space(&self, path: &Path) -> Option<u64> {
        rustix::fs::statvfs(path).ok().map(|room| room.f_bavail * room.f_frsize)
    }

    /// How many processors this process may use.
    pub fn processors(&self) -> usize {
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
    }
}
