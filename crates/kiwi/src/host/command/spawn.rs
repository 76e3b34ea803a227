//! The start of a command in its sandbox.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use super::super::mknod_broker::BrokerThread;
use super::super::sandbox::notification::Listener;
use super::super::{CommandError, filter, for_sandboxes, sandbox};
use super::Command;

impl Command<'_> {
    /// Starts it with the thread that answers its calls about device nodes; none if the kernel or a container refuses that.
    pub(in super::super) fn spawn(
        &mut self,
        stdout: Stdio,
        stderr: Stdio,
    ) -> Result<(Child, Option<BrokerThread>), SpawnError> {
        let program = match &self.root {
            Some(_) => PathBuf::from(&self.program),
            None => self.host.find_program(&self.program).map_err(SpawnError::Missing)?,
        };
        let mut command = std::process::Command::new(program);
        command.args(&self.arguments).env_clear();
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("LC_ALL", "C.UTF-8").env("HOME", "/root").env("SHELL", "/bin/sh").env("TERM", "dumb");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(self.stdin.take().map_or_else(Stdio::null, Stdio::from)).stdout(stdout).stderr(stderr);
        let (listening, sending) = UnixStream::pair()?;
        sandbox::isolate(&mut command, self.setup(sending)?)?;
        let child = command.spawn()?;
        // This also drops the sending end: nothing can be sent after that.
        drop(command);
        // Without a thread the listener is closed, and the kernel fails the calls.
        Ok((child, Listener::take(&listening).and_then(|listener| BrokerThread::answer(listener).ok())))
    }

    fn setup(&self, sending: UnixStream) -> io::Result<sandbox::Setup> {
        let view = match &self.root {
            Some((path, read_only)) => sandbox::View::Root {
                path: sandbox::c_path(path)?,
                read_only: *read_only,
                nodes: sandbox::device_nodes(&path.join("dev"))?,
                users: for_sandboxes::users_of_trees()?,
                counts_processes: for_sandboxes::counts_processes(),
            },
            None => sandbox::View::Host {
                writable: self
                    .writable
                    .iter()
                    .map(|directory| sandbox::c_path(directory))
                    .collect::<Result<_, _>>()?,
            },
        };
        let root = self.root.as_ref().map(|(path, _)| path.as_path());
        let binds = self.binds.iter().map(|bind| bind.mount(root));
        Ok(sandbox::Setup {
            view,
            binds: binds.collect::<io::Result<_>>()?,
            network: self.network,
            init: for_sandboxes::init_program(),
            filter: self.without_sync.then(filter::without_sync),
            refusing: filter::refused(rustix::system::uname().machine().to_bytes().ends_with(b"86")),
            asking: (filter::of_devices(!self.devices.is_empty()), sending),
            must_ask: !self.devices.is_empty(),
            directory: self.directory.as_deref().map(sandbox::c_path).transpose()?,
            controls_terminal: self.controls_terminal,
        })
    }
}

pub(in super::super) enum SpawnError {
    Missing(CommandError),
    Io(io::Error),
}

impl From<io::Error> for SpawnError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
