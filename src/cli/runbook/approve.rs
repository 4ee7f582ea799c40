//! `runbook approve`: the second person's word, into the journal that both consoles share.

use super::ApproveArgs;
use super::find::all;
use super::run::setup;
use crate::cli::desk::Desk;
use crate::cli::exit::{self, Usage};
use crate::cli::{Session, ask, print};
use crate::domain::fact::Fact;
use crate::domain::id::StepId;
use crate::domain::room::Room;
use crate::domain::run::{Need, RunId, RunOrder, StepState, Wanted, spell};
use crate::engine::headless;
use crate::text::Clean;

pub(super) async fn run(session: &Session, desk: &Desk, args: &ApproveArgs) -> color_eyre::Result<i32> {
    desk.needs_write()?;
    let run = RunId::parse(&args.run).ok_or_else(|| Usage::new("RUN is the id that the other console shows"))?;
    let step = StepId::parse(&args.step).ok_or_else(|| Usage::new("STEP is the id of a step"))?;
    let room = past(session, desk).await;
    let Some(known) = room.run(run) else {
        return Err(Usage::new("the journal has no such run; both consoles must share one journal").into());
    };
    let StepState::Waiting(Need::SecondPerson { digest, asked_by }) = known.state(&step).clone() else {
        return Err(Usage::new(format!(
            "step '{step}' does not wait for a second person: it is {}",
            known.state(&step).word()
        ))
        .into());
    };
    let by = desk.config.room.operator.clone();
    if by == asked_by {
        return Err(Usage::new(format!("{asked_by} asked for it: somebody else must approve it")).into());
    }
    let stands = known.steps.get(&step);
    let intended = stands.and_then(|stands| stands.intended.as_ref());
    let words = intended.map(|intended| spell(&intended.words));
    let line = words.unwrap_or_else(|| format!("what digest {} stands for", digest.short()));
    let mut will = vec![Clean::new(format!("approve for {asked_by}: {line}"))];
    will.extend(intended.into_iter().flat_map(|intended| intended.given.clone()));
    will.push(Clean::new(format!("digest {}", digest.0)));
    if !ask::confirm(&will, args.yes).await? {
        return Ok(exit::FAILED);
    }
    let what = Wanted::Second { step, digest, asked_by };
    let order = RunOrder { run, by, at: desk.now(), what };
    let setup = setup(session, desk, all(desk).into());
    let (config, secrets) = (std::sync::Arc::clone(&desk.config), desk.secrets());
    let is_done = headless::runs(config, secrets, desk.clock(), setup, |orders, mut facts| async move {
        let _ = orders.send(order).await;
        while let Some(fact) = facts.recv().await {
            match fact {
                Fact::RunMoved(event) if matches!(event.what, crate::domain::run::Happened::Approved { .. }) => {
                    return true;
                }
                Fact::RunRefused(failure) => {
                    print::tell(failure.to_string());
                    return false;
                }
                _ => {}
            }
        }
        false
    })
    .await;
    Ok(if is_done { exit::DONE } else { exit::FAILED })
}

/// The runs of the journal.
pub(in crate::cli) async fn past(session: &Session, desk: &Desk) -> Room {
    let setup = setup(session, desk, std::sync::Arc::new([]));
    let (config, secrets) = (std::sync::Arc::clone(&desk.config), desk.secrets());
    let now = desk.now();
    headless::runs(config, secrets, desk.clock(), setup, |orders, mut facts| async move {
        let mut room = Room::default();
        // The past is told before the first order is taken: the refusal of this one ends it.
        let nobody = RunId(uuid::Uuid::nil());
        let order = RunOrder { run: nobody, by: Clean::default(), at: now, what: Wanted::Close };
        let _ = orders.send(order).await;
        while let Some(fact) = facts.recv().await {
            if let Fact::RunRefused(_) = fact {
                break;
            }
            room.apply(&fact, now);
        }
        room
    })
    .await
}
