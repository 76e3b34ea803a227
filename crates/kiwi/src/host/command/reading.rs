//! How much a program has read: the progress of one that reads a tree and reports nothing itself.

use std::collections::HashMap;
use std::path::Path;

use super::super::{RunningStage, Unit};

/// A program whose reading is the progress of a stage.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    /// Its name.
    pub(super) program: &'static str,
    /// How many bytes it will read.
    pub(super) total: u64,
    pub(super) stage: &'a RunningStage<'a>,
}

impl Reading<'_> {
    /// Reports how much it has read; `child` is the process of the command. A kernel that does not count what processes read
    /// leaves the stage without progress.
    pub(super) fn report(&self, child: u32) {
        // Some programs read a part twice.
        let read = read_by(self.program, child, Path::new("/proc")).unwrap_or(0).min(self.total);
        if read > 0 {
            self.stage.advance(read, self.total, Unit::Bytes);
        }
    }
}

/// A running process.
struct Process {
    name: String,
    parent: u32,
    /// Its number in each pid namespace, from that of `/proc` inwards.
    numbers: Vec<u32>,
}

/// Returns how many bytes the processes of this name have read that are `child`, a child of this process, or below it. `/proc` is
/// that of the machine, where processes have other numbers than in kiwi's own pid namespace.
fn read_by(program: &str, child: u32, proc: &Path) -> Option<u64> {
    let own = std::fs::read_link(proc.join("self")).ok()?.to_str()?.parse().ok()?;
    let numbers =
        proc.read_dir().ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // A process that ends meanwhile is left out.
    let processes: HashMap<u32, Process> = numbers
        .filter_map(|number| Some((number, Process::read(&proc.join(u32::to_string(&number)))?)))
        .collect();
    let depth = processes.get(&own)?.numbers.len();
    let is_below = |mut number: u32| {
        let mut is_below_child = false;
        // A number that is used again could make a circle.
        for _ in 0..processes.len() {
            if number == own {
                return is_below_child;
            }
            let Some(process) = processes.get(&number) else { return false };
            is_below_child |= process.numbers.get(depth - 1) == Some(&child);
            number = process.parent;
        }
        false
    };
    let named = processes.iter().filter(|(number, process)| process.name == program && is_below(**number));
    let read = named.filter_map(|(number, _)| {
        read_bytes(&std::fs::read_to_string(proc.join(number.to_string()).join("io")).ok()?)
    });
    Some(read.sum())
}

impl Process {
    /// Reads `/proc/PID/status`.
    fn read(directory: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(directory.join("status")).ok()?;
        let field = |name| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        Some(Self {
            name: field("Name:")?.to_owned(),
            parent: field("PPid:")?.parse().ok()?,
            numbers: field("NSpid:")?.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?,
        })
    }
}

/// Reads `/proc/PID/io`: `rchar` counts what was read by system calls, wherever it came from.
fn read_bytes(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("rchar:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::mpsc::channel;

    use super::super::super::{Event, Host, Listener, Output, StageTask};
    use super::*;

    #[test]
    fn counts_what_the_program_below_a_process_has_read() {
        let proc = tempfile::tempdir().unwrap();
        let process = |number: u32, name: &str, parent: u32, numbers: &str, read: u64| {
            let directory = proc.path().join(number.to_string());
            std::fs::create_dir(&directory).unwrap();
            let status =
                format!("Name:\t{name}\nUmask:\t0022\nPPid:\t{parent}\nNSpid:\t{number}\t{numbers}\n");
            std::fs::write(directory.join("status"), status).unwrap();
            std::fs::write(directory.join("io"), format!("rchar: {read}\nwchar: 7\nread_bytes: 0\n"))
                .unwrap();
        };
        process(10, "kiwi", 9, "1", 1);
        process(11, "kiwi", 10, "5", 2);
        process(12, "bash", 11, "6\t2", 3);
        process(13, "tar", 12, "7\t3", 1000);
        process(14, "xz", 12, "8\t4", 10_000);
        process(15, "kiwi", 10, "9", 4);
        process(16, "tar", 15, "10\t2", 100_000);
        // Another run, whose processes have the same numbers inside.
        process(20, "kiwi", 9, "1", 5);
        process(21, "tar", 20, "5", 1_000_000);
        std::os::unix::fs::symlink("10", proc.path().join("self")).unwrap();
        assert_eq!(read_by("tar", 5, proc.path()), Some(1000));
        assert_eq!(read_by("tar", 9, proc.path()), Some(100_000));
        assert_eq!(read_by("zip", 5, proc.path()), Some(0));
    }

    #[test]
    fn a_command_reports_what_its_program_reads() {
        struct Kept(std::sync::mpsc::Sender<(u64, u64)>);
        impl Listener for Kept {
            fn event(&self, event: &Event) {
                if let Event::Progress { done, total, .. } = event {
                    self.0.send((*done, *total)).unwrap();
                }
            }
        }

        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&[b'x'; 300_000]).unwrap();
        let (sender, receiver) = channel();
        let host = Host::new(Output::To(Box::new(Kept(sender))));
        let stage = host.stage(StageTask::WriteArchive, "Packing");
        let pack = "cat \"$0\" - > /dev/null";
        let (reader, writer) = std::io::pipe().unwrap();
        let command = host.command("sh").args(["-c", pack]).arg(file.path());
        let command = command.stdin(std::os::fd::OwnedFd::from(reader).into());
        std::thread::scope(|scope| {
            scope.spawn(|| command.reports_reading("cat", 250_000, &stage).run().unwrap());
            // The program waits for more input until the test has seen its progress.
            assert_eq!(receiver.recv().unwrap(), (250_000, 250_000));
            drop(writer);
        });
    }
}
