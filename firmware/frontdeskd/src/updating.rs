//! Joins the task of updates (`update`) to the desk: it hears the views, the engine is asked to end before the box
//! restarts, which it does only when no call is up, and tells the operator how it stands; clients bring bundles from sticks.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ipc::{CommandError, MAX_STICK_PART, StickPart, UpdateNotice};
use tokio::sync::{mpsc, oneshot};

use crate::{config::UpdateConfig, engine::Event, socket::Desk};

/// News for the operator that may wait for the engine.
const NEWS: usize = 16;

/// Starts the task, where the box is to update itself. It ends with the last who has the handle.
pub(crate) fn start(config: Option<&UpdateConfig>, desk: &Desk) -> Option<update::Handle> {
    let UpdateConfig { rauc, folder, restart, stick } = config?.clone();
    let version = env!("CARGO_PKG_VERSION").into();
    let config = update::Config { rauc, folder, restart, version, sticks: stick };
    let (ask, asked) = mpsc::channel(1);
    let (news, told) = mpsc::channel(NEWS);
    tokio::spawn(pass_on(asked, desk.inbox.clone()));
    tokio::spawn(tell(told, desk.inbox.clone()));
    Some(update::start(config, desk.views.clone(), ask, news).0)
}

/// Hands the wish on to the engine, which answers it.
async fn pass_on(mut asked: mpsc::Receiver<oneshot::Sender<bool>>, inbox: mpsc::Sender<Event>) {
    while let Some(reply) = asked.recv().await {
        if inbox.send(Event::Restart { reply }).await.is_err() {
            return;
        }
    }
}

/// Hands on what the operator is told.
async fn tell(mut told: mpsc::Receiver<Option<UpdateNotice>>, inbox: mpsc::Sender<Event>) {
    while let Some(notice) = told.recv().await {
        if inbox.send(Event::Update(notice)).await.is_err() {
            return;
        }
    }
}

/// What one client brings from a stick. What there is of it goes with the client.
pub(crate) struct Stick {
    update: Option<update::Handle>,
    incoming: Option<update::Incoming>,
}

impl Stick {
    pub(crate) fn new(update: Option<update::Handle>) -> Self {
        Self { update, incoming: None }
    }

    /// Takes the next part.
    ///
    /// # Errors
    /// Why the bundle is not taken; what came of it is gone.
    pub(crate) async fn take(&mut self, part: StickPart) -> Result<(), CommandError> {
        let failed = |reason: String| CommandError::Failed { reason };
        let Some(update) = &self.update else {
            return Err(failed("this desk does not update itself".into()));
        };
        // Put back where it goes on: after an error it does not.
        let before = self.incoming.take();
        match (part, before) {
            (StickPart::Begin { bytes }, before) => {
                // One that did not come to its end makes room.
                drop(before);
                self.incoming = Some(update.begin_stick(bytes).await.map_err(|why| failed(why.to_string()))?);
            }
            (_, None) => return Err(failed("no update has begun".into())),
            (StickPart::Bytes { base64 }, Some(mut incoming)) => {
                let bytes = STANDARD.decode(&base64).ok().filter(|bytes| bytes.len() <= MAX_STICK_PART);
                let bytes = bytes.ok_or_else(|| failed("that is no part of an update".into()))?;
                let pushed = incoming.push(&bytes).await;
                update.pushed(pushed).map_err(|why| failed(why.to_string()))?;
                self.incoming = Some(incoming);
            }
            (StickPart::End, Some(incoming)) => {
                update.take_stick(incoming).await.map_err(|why| failed(why.to_string()))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn app_3_parts_of_an_update_that_has_not_begun_and_desks_that_do_not_update_themselves_refuse() {
        let mut stick = Stick::new(None);
        for part in
            [StickPart::Begin { bytes: 5 }, StickPart::Bytes { base64: "AA==".into() }, StickPart::End]
        {
            assert!(matches!(stick.take(part).await, Err(CommandError::Failed { .. })));
        }
        let folder = tempfile::tempdir().unwrap();
        let config = update::Config {
            // Nothing of it is asked here, and it is not there.
            rauc: folder.path().join("rauc"),
            folder: folder.path().join("updates"),
            restart: folder.path().join("restart"),
            version: "1".into(),
            sticks: true,
        };
        let (_views, seen) = tokio::sync::watch::channel(std::sync::Arc::default());
        let (ask, _asked) = mpsc::channel(1);
        let (news, mut told) = mpsc::channel(NEWS);
        let (update, _task) = update::start(config, seen, ask, news);
        let mut stick = Stick::new(Some(update));
        assert!(stick.take(StickPart::End).await.is_err());
        assert!(stick.take(StickPart::Bytes { base64: "AA==".into() }).await.is_err());
        assert!(told.try_recv().is_err(), "nobody brought a stick");
        let refused = stick.take(StickPart::Begin { bytes: 5 }).await.unwrap_err();
        assert!(refused.to_string().contains("rauc is not installed"), "{refused}");
        let news = told.recv().await.unwrap().unwrap().news;
        assert!(matches!(news, ipc::UpdateNews::Refused { .. }), "{news:?}");
    }
}
