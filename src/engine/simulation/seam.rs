//! Where time, chance and disk of a simulation come in: values of this thread, none outside a simulation.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use chrono::TimeDelta;
use futures_util::FutureExt as _;

use super::disk::Disk;
use crate::engine::journal::Open;
use crate::sim::dice::Dice;

thread_local! {
    static DICE: RefCell<Option<Dice>> = const { RefCell::new(None) };
    static SKEW_MS: Cell<i64> = const { Cell::new(0) };
    static DISK: RefCell<Option<Arc<Disk>>> = const { RefCell::new(None) };
}

pub(super) fn set(dice: Option<Dice>, disk: Option<Arc<Disk>>) {
    DICE.with_borrow_mut(|here| *here = dice);
    DISK.with_borrow_mut(|here| *here = disk);
    SKEW_MS.set(0);
}

/// The engine's lots.
pub(in crate::engine) fn number() -> Option<u64> {
    DICE.with_borrow_mut(|dice| dice.as_mut().map(|dice| dice.between(0, i64::MAX) as u64 * 2))
}

/// How far somebody set the clock.
pub(in crate::engine) fn skew() -> TimeDelta {
    TimeDelta::milliseconds(SKEW_MS.get())
}

pub(super) fn set_skew(skew: TimeDelta) {
    SKEW_MS.set(skew.num_milliseconds());
}

/// The journal on the simulated disk.
pub(in crate::engine) fn journal() -> Option<Open> {
    let disk = DISK.with_borrow(Clone::clone)?;
    Some(Box::new(move || {
        let disk = Arc::clone(&disk);
        async move { disk.open() }.boxed()
    }))
}
