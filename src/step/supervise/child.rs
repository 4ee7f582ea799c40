//! The command itself: on pipes or on a terminal, in a process group of its own, with nothing inherited but 0, 1 and 2.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{self, ChildStderr, ChildStdout, Stdio};

use pty_process::blocking::{self as terminal, Pty};
use rustix::fs::MemfdFlags;
use rustix::process::{Pid, PidfdFlags};
use secrecy::ExposeSecret as _;

use crate::step::event::{End, Stream};
use crate::step::orphans::MARK;
use crate::step::place::Place;
use crate::step::spec::{Secret, StepSpec, TerminalSize};

/// A command that is ready to be executed.
#[derive(Debug)]
pub(super) struct Ready {
    argv: Vec<String>,
    cwd: std::path::PathBuf,
    env: Vec<(String, String)>,
    terminal: Option<TerminalSize>,
    stdin: Option<String>,
}

/// Makes it ready: the environment of the order, its secrets, where its outputs go.
pub(super) fn command(spec: &StepSpec, secrets: &[Secret], place: &Place) -> Ready {
    let mut env: Vec<(String, String)> = spec.env.clone().into_iter().collect();
    env.extend(secrets.iter().map(|secret| (secret.name.clone(), secret.value.expose_secret().to_owned())));
    env.push(("RB_OUTPUT".to_owned(), place.outputs().display().to_string()));
    env.push((MARK.to_owned(), place.path().display().to_string()));
    if spec.terminal.is_some() {
        // What our emulator is.
        env.push(("TERM".to_owned(), "xterm-256color".to_owned()));
    }
    let stdin = spec.stdin.clone();
    Ready { argv: spec.program.argv(), cwd: spec.cwd.clone(), env, terminal: spec.terminal, stdin }
}

impl Ready {
    /// Executes it.
    pub(super) fn spawn(self) -> io::Result<Child> {
        let (program, words) =
            self.argv.split_first().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no program"))?;
        let (process, ends) = match self.terminal {
            None => {
                #[expect(clippy::disallowed_methods, reason = "the one place where a step's argv is executed")]
                let mut command = process::Command::new(program);
                command.args(words).env_clear().envs(self.env).current_dir(&self.cwd);
                let stdin = self.stdin.as_deref().map_or(Ok(Stdio::null()), standing_in)?;
                command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
                let mut process = command.spawn()?;
                let ends = Ends::Pipes { stdout: process.stdout.take(), stderr: process.stderr.take() };
                (process, ends)
            }
            Some(size) => {
                let (pty, pts) = terminal::open().map_err(io::Error::other)?;
                let size = size.within_reason();
                pty.resize(pty_process::Size::new(size.rows, size.columns)).map_err(io::Error::other)?;
                let command = terminal::Command::new(program).args(words).env_clear().envs(self.env);
                let process = command.current_dir(&self.cwd).spawn(pts).map_err(|error| match error {
                    pty_process::Error::Io(error) => error,
                    other => io::Error::other(other),
                })?;
                rustix::io::ioctl_fionbio(&pty, true)?;
                (process, Ends::Terminal(Some(pty)))
            }
        };
        let pid = i32::try_from(process.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
        let ended = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
        Ok(Child { process, pid, ended, ends })
    }
}

/// A text as a file in memory: it never reaches a disk, a command that reads nothing blocks nobody, and one that reads
/// slowly gets all of it.
fn standing_in(text: &str) -> io::Result<Stdio> {
    let mut file = File::from(rustix::fs::memfd_create("stdin", MemfdFlags::CLOEXEC)?);
    file.write_all(text.as_bytes())?;
    file.rewind()?;
    Ok(file.into())
}

/// A command that runs. It is not waited for before everything else is over: as long as it is not, its number cannot
/// become another process's, nor its group's.
#[derive(Debug)]
pub(super) struct Child {
    process: process::Child,
    pid: Pid,
    ended: OwnedFd,
    ends: Ends,
}

enum Ends {
    Pipes { stdout: Option<ChildStdout>, stderr: Option<ChildStderr> },
    Terminal(Option<Pty>),
}

impl std::fmt::Debug for Ends {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Pipes { .. } => "Pipes",
            Self::Terminal(_) => "Terminal",
        })
    }
}

impl Child {
    /// Its number, which is its group's too.
    pub(super) fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Its group.
    pub(super) fn group(&self) -> Pid {
        self.pid
    }

    /// Readable when it has ended.
    pub(super) fn ended(&self) -> BorrowedFd<'_> {
        self.ended.as_fd()
    }

    /// What can still be read.
    pub(super) fn open_streams(&self) -> Vec<(Stream, BorrowedFd<'_>)> {
        match &self.ends {
            Ends::Pipes { stdout, stderr } => {
                let stdout = stdout.as_ref().map(|end| (Stream::Stdout, end.as_fd()));
                let stderr = stderr.as_ref().map(|end| (Stream::Stderr, end.as_fd()));
                stdout.into_iter().chain(stderr).collect()
            }
            Ends::Terminal(pty) => pty.iter().map(|pty| (Stream::Terminal, pty.as_fd())).collect(),
        }
    }

    /// Reads once from a stream that has something; `None` when it is closed, and is closed here too.
    pub(super) fn read<'a>(&mut self, stream: Stream, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
        let result = match (&mut self.ends, stream) {
            (Ends::Pipes { stdout: Some(end), .. }, Stream::Stdout) => end.read(buffer),
            (Ends::Pipes { stderr: Some(end), .. }, Stream::Stderr) => end.read(buffer),
            (Ends::Terminal(Some(pty)), Stream::Terminal) => pty.read(buffer),
            _ => Ok(0),
        };
        let count = match result {
            Ok(count) => count,
            Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {
                return Some(&[]);
            }
            // A terminal whose other side is closed says EIO.
            Err(_) => 0,
        };
        if count == 0 {
            match (&mut self.ends, stream) {
                (Ends::Pipes { stdout, .. }, Stream::Stdout) => *stdout = None,
                (Ends::Pipes { stderr, .. }, Stream::Stderr) => *stderr = None,
                (Ends::Terminal(pty), _) => *pty = None,
                _ => {}
            }
            return None;
        }
        buffer.get(..count)
    }

    /// Types as much as its terminal takes now; how much that was.
    pub(super) fn type_keys(&mut self, keys: &[u8]) -> usize {
        match &mut self.ends {
            Ends::Terminal(Some(pty)) => pty.write(keys).unwrap_or(0),
            _ => keys.len(),
        }
    }

    /// Gives its terminal another size.
    pub(super) fn resize(&self, size: TerminalSize) {
        if let Ends::Terminal(Some(pty)) = &self.ends {
            let _ = pty.resize(pty_process::Size::new(size.rows, size.columns));
        }
    }

    /// Closes our ends: who still writes there is told so.
    pub(super) fn hang_up(&mut self) {
        self.ends = Ends::Terminal(None);
    }

    /// How it ended. To be asked last.
    pub(super) fn reap(&mut self) -> End {
        match self.process.wait() {
            Ok(status) => match (status.code(), status.signal()) {
                (Some(code), _) => End::Exit(code),
                (None, Some(signal)) => End::Signal(signal),
                (None, None) => End::Unseen,
            },
            Err(_) => End::Unseen,
        }
    }
}
