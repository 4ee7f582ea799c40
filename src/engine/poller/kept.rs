//! What an earlier console was told of a source, taken in before the source is asked; and what this one was told, kept.

use super::{Poller, Source};

impl<S: Source> Poller<'_, S> {
    /// Shows the last known state, with its age, until the source answers.
    pub(super) async fn recall(&mut self) {
        let Some(shelf) = self.source.shelf() else { return };
        let stop = self.around.stop.clone();
        let recalled = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            recalled = shelf.recall() => recalled,
        };
        let Some(mut recalled) = recalled else { return };
        let answered = recalled.answered.get(self.vital.id()).copied();
        let latest = answered.or_else(|| recalled.answered.values().max().copied());
        if let Some(at) = answered {
            self.vital.recalled(at);
        }
        self.vital.tell().await;
        let Some(at) = latest else { return };
        while let Some(fact) = recalled.facts.recv().await {
            for fact in self.source.recall(fact, at) {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    _ = self.around.facts.send(fact) => {}
                }
            }
        }
    }

    /// Writes the state down when it is worth it; at the end it is waited for.
    pub(super) async fn keep(&self, is_last: bool) {
        let Some(shelf) = self.source.shelf() else { return };
        if !shelf.takes(is_last) {
            return;
        }
        let facts = self.source.state();
        let writing = tokio::task::spawn_blocking(move || shelf.write(&facts));
        if is_last {
            let _ = writing.await;
        }
    }

    /// An answer came: `has_news` when it told something that was not known.
    pub(super) fn note(&self, has_news: bool) {
        if let (Some(shelf), Some(at)) = (self.source.shelf(), self.vital.answered_at()) {
            shelf.told(self.vital.id(), at, has_news);
        }
    }
}
