//! Starting the supervisor of a step.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use super::{Attached, StepError};
use crate::step::place::{Place, private};
use crate::step::spec::{Digest, Handover, Secret, StepSpec};
use crate::step::supervise::{RUNNING, SUBCOMMAND};

/// How long a supervisor may take to say that it runs, on a machine that does ten other things.
const ANSWER: Duration = Duration::from_secs(20);

/// Longest answer.
const ANSWER_BYTES: u64 = 16 << 10;

/// Starts supervisors: our own binary.
#[derive(Clone, Debug)]
pub struct Launcher {
    program: PathBuf,
}

impl Launcher {
    /// The binary that runs now; also when a newer one was installed over it meanwhile.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn ours() -> std::io::Result<Self> {
        let program = std::env::current_exe()?;
        // A replaced binary is shown as deleted; what runs can still be executed through here.
        let is_there = program.exists();
        Ok(Self { program: if is_there { program } else { PathBuf::from("/proc/self/exe") } })
    }

    /// A binary of ours at another place: for tests.
    #[must_use]
    pub fn at(program: PathBuf) -> Self {
        Self { program }
    }

    /// Writes the order down durably, then starts. `approved` is the digest that a person (or a rule) approved.
    ///
    /// # Errors
    /// When the order cannot be written, the supervisor cannot be started, or it refuses.
    ///
    /// # Cancel safety
    /// When dropped, the order or the supervisor may be there: [`crate::step::state::state`] tells.
    pub async fn start(
        &self,
        place: &Place,
        spec: StepSpec,
        secrets: &[Secret],
        approved: Digest,
    ) -> Result<Attached, StepError> {
        order(place, &spec, &approved).await?;
        self.launch(place, spec, secrets, approved).await
    }

    /// Starts what was ordered and not run (`StepState::NotRun`): the console may have died in between.
    ///
    /// # Errors
    /// As [`Launcher::start`].
    pub async fn launch(
        &self,
        place: &Place,
        spec: StepSpec,
        secrets: &[Secret],
        approved: Digest,
    ) -> Result<Attached, StepError> {
        let handover = Handover::new(spec, approved, secrets);
        let mut supervisor = self.spawn(place).map_err(|cause| self.cannot(cause))?;
        let answer = tokio::time::timeout(ANSWER, talk(&mut supervisor, &handover)).await;
        // It is not waited for: when this handle is dropped the runtime reaps it whenever it ends.
        drop(supervisor);
        match answer {
            Ok(Ok(line)) if line == RUNNING => Ok(Attached::to(place)),
            Ok(Ok(why)) if !why.is_empty() => Err(StepError::Refused { why }),
            Ok(Err(cause)) => Err(self.cannot(cause)),
            Ok(Ok(_)) | Err(_) => Err(StepError::Silent),
        }
    }

    fn spawn(&self, place: &Place) -> std::io::Result<Child> {
        let log = private(std::fs::OpenOptions::new().create(true).append(true)).open(place.log())?;
        #[expect(clippy::disallowed_methods, reason = "our own binary, with an empty environment")]
        let mut command = Command::new(&self.program);
        command.arg(SUBCOMMAND).arg(place.path()).current_dir("/").env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        // Not a group of its own: a group's leader could not make its own session, which it does at once.
        command.kill_on_drop(false).spawn()
    }

    fn cannot(&self, cause: std::io::Error) -> StepError {
        StepError::Supervisor { program: self.program.display().to_string(), cause }
    }
}

/// Writes the order down, off the async threads: it is synced.
async fn order(place: &Place, spec: &StepSpec, approved: &Digest) -> Result<(), StepError> {
    let (at, spec, approved) = (place.clone(), spec.clone(), approved.clone());
    let written = tokio::task::spawn_blocking(move || at.order(&spec, &approved)).await;
    let written = written.unwrap_or_else(|failed| Err(std::io::Error::other(failed)));
    written.map_err(|cause| StepError::Order { folder: place.path().display().to_string(), cause })
}

/// Hands over and reads the answer.
async fn talk(supervisor: &mut Child, handover: &Handover) -> std::io::Result<String> {
    let bytes = serde_json::to_vec(handover)?;
    if let Some(mut input) = supervisor.stdin.take() {
        // One that refuses early reads no further; its answer says why.
        let _ = input.write_all(&bytes).await;
        let _ = input.shutdown().await;
    }
    let mut line = String::new();
    if let Some(output) = supervisor.stdout.take() {
        BufReader::new(output.take(ANSWER_BYTES)).read_line(&mut line).await?;
    }
    Ok(line.trim_end().to_owned())
}
