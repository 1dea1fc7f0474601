//! What a client asks for, and who does it: at once on the client's thread, or aside where it takes time that
//! depends on a plugin.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipc::{
    MAX_PLUGIN_CONTACTS, PluginAnswer, PluginContacts, PluginForm, PluginProblem, PluginRequest, UploadId,
};

use super::actor::Order;
use super::asking::{Asking, Question};
use super::changes::whole;
use super::plugin::{How, Plugin};
use super::uploads::Uploads;
use super::{Service, words};
use crate::connector::Cancel;

/// Text of a page of contacts, in bytes: a frame holds it even where each byte has to be escaped.
const PAGE_BYTES: usize = 6 << 20;

/// The answer, or who will give it.
pub(super) enum Reply {
    Now(Result<PluginAnswer, PluginProblem>),
    Aside(Box<dyn FnOnce() -> Result<PluginAnswer, PluginProblem> + Send>),
    /// The same, of which there may be many: each waits for its plugin, and none for long.
    Question(Box<dyn FnOnce() -> Result<PluginAnswer, PluginProblem> + Send>),
}

impl Service {
    /// Does what a client asks for, or says what has to be done aside.
    pub(super) fn answer(self: &Arc<Self>, request: PluginRequest, uploads: &Arc<Mutex<Uploads>>) -> Reply {
        let done = |result: Result<(), PluginProblem>| Reply::Now(result.map(|()| PluginAnswer::Done));
        match request {
            PluginRequest::List => Reply::Now(Ok(PluginAnswer::Plugins(self.views()))),
            PluginRequest::Upload { bytes } => {
                Reply::Now(open(uploads).begin(bytes).map(PluginAnswer::Upload))
            }
            PluginRequest::UploadPart { upload, offset, base64 } => {
                done(open(uploads).part(upload, offset, &base64))
            }
            PluginRequest::Inspect { upload } => self.inspect_aside(upload, uploads),
            PluginRequest::Install { upload, granted, key_confirmed } => {
                let (service, uploads) = (Arc::clone(self), Arc::clone(uploads));
                Reply::Aside(Box::new(move || {
                    service.install_upload(upload, &uploads, granted, key_confirmed)
                }))
            }
            PluginRequest::Grant { plugin, granted } => done(self.grant(&plugin, granted)),
            PluginRequest::Form { plugin } => Reply::Now(self.form(&plugin)),
            PluginRequest::Configure { plugin, values, interval_s } => {
                done(self.configure(&plugin, values, interval_s))
            }
            PluginRequest::Test { plugin } => self.test_aside(plugin),
            PluginRequest::SignIn { plugin, credential } => self.sign_in_aside(plugin, credential),
            PluginRequest::SignOut { plugin, credential } => done(self.sign_out(&plugin, &credential)),
            PluginRequest::Enable { plugin, on } => done(self.enable(&plugin, on)),
            PluginRequest::SyncNow { plugin } => done(self.order(&plugin, Order::Sync)),
            PluginRequest::AllowToShrink { plugin } => done(self.order(&plugin, Order::Shrink)),
            PluginRequest::RollBack { plugin } => done(self.roll_back(&plugin)),
            PluginRequest::Remove { plugin } => {
                let service = Arc::clone(self);
                Reply::Aside(Box::new(move || service.remove(&plugin).map(|()| PluginAnswer::Done)))
            }
            PluginRequest::Log { plugin } => {
                Reply::Now(self.plugin(&plugin).map(|plugin| PluginAnswer::Log(plugin.lines())))
            }
            PluginRequest::LookUp { plugin, numbers } => self.question(plugin, Question::LookUp(numbers)),
            PluginRequest::Search { plugin, text } => self.question(plugin, Question::Search(text)),
            PluginRequest::Resolve { plugin, caller } => self.question(plugin, Question::Resolve(caller)),
            PluginRequest::LogCall { plugin, call } => self.question(plugin, Question::LogCall(call)),
            PluginRequest::CreateItem { plugin, item } => self.question(plugin, Question::CreateItem(item)),
            PluginRequest::Contacts { plugin, generation, offset, limit } => {
                Reply::Now(self.contacts(&plugin, generation, offset, limit))
            }
        }
    }

    fn inspect_aside(self: &Arc<Self>, upload: UploadId, uploads: &Arc<Mutex<Uploads>>) -> Reply {
        let spool = match open(uploads).whole(upload) {
            Ok(spool) => spool,
            Err(problem) => return Reply::Now(Err(problem)),
        };
        let (service, uploads) = (Arc::clone(self), Arc::clone(uploads));
        Reply::Aside(Box::new(move || {
            let inspected = spool.read().and_then(|file| service.inspect(upload, file));
            match &inspected {
                Ok(inspection) if inspection.refused.is_none() => open(&uploads).inspected(upload),
                // Nothing can come of it any more.
                _ => open(&uploads).forget(upload),
            }
            inspected.map(|inspection| PluginAnswer::Inspection(Box::new(inspection)))
        }))
    }

    fn install_upload(
        self: &Arc<Self>,
        upload: UploadId,
        uploads: &Arc<Mutex<Uploads>>,
        granted: ipc::PluginGrants,
        key_confirmed: bool,
    ) -> Result<PluginAnswer, PluginProblem> {
        let spool = open(uploads).whole(upload)?;
        if !open(uploads).is_inspected(upload) {
            return Err(PluginProblem::NotNow("it was not inspected".to_owned()));
        }
        let plugin = self.install(spool.read()?, granted, key_confirmed)?;
        open(uploads).forget(upload);
        Ok(PluginAnswer::Plugin(Box::new(plugin.view(self.now()))))
    }

    fn form(&self, id: &str) -> Result<PluginAnswer, PluginProblem> {
        let plugin = self.plugin(id)?;
        let lane = plugin.lane()?;
        let (record, manifest) = whole(&lane)?;
        let settings = words::settings(&manifest);
        let known = |key: &String| settings.iter().any(|setting| setting.key == *key);
        let secrets = self.registry.secrets(&record).unwrap_or_default();
        let sign_ins = self.sign_ins(&plugin, &manifest, &record, &secrets);
        let secrets = secrets.into_keys().filter(|key| known(key)).collect();
        let values = record.settings.into_iter().filter(|(key, _)| known(key)).collect();
        let rights = words::rights(&manifest, None);
        Ok(PluginAnswer::Form(Box::new(PluginForm { rights, settings, values, secrets, sign_ins })))
    }

    /// Loads it a second time: a test waits for no run, and a run does not wait for a test. What the test would
    /// change in the plugin's state is not kept.
    fn test_aside(self: &Arc<Self>, id: String) -> Reply {
        let cancel = Cancel::default();
        let ready = || {
            let plugin = self.plugin(&id)?;
            let (record, _) = whole(&*plugin.lane()?)?;
            let mut face = plugin.face();
            if face.test.is_some() {
                return Err(PluginProblem::NotNow("a test is under way".to_owned()));
            }
            face.test = Some(cancel.clone());
            drop(face);
            Ok((plugin, record))
        };
        let (plugin, record) = match ready() {
            Ok(ready) => ready,
            Err(problem) => return Reply::Now(Err(problem)),
        };
        let (service, testing) =
            (Arc::clone(self), Testing { plugin: Arc::clone(&plugin), cancel: cancel.clone() });
        Reply::Aside(Box::new(move || {
            let _testing = testing;
            let tested = service.load(&plugin, &record).and_then(|connector| {
                if let Some(state) = service.kept_state(&record.id) {
                    connector.restore_state(state);
                }
                let found = connector.check(&cancel);
                plugin.face().tally.add(&connector.tally().counters());
                found.map_err(|failure| PluginProblem::Failed {
                    case: failure.case().to_owned(),
                    words: failure.words().to_owned(),
                })
            });
            let line = match &tested {
                Ok(words) => format!("a test found: {words}"),
                Err(problem) => format!("a test failed: {problem}"),
            };
            plugin.say(if tested.is_ok() { "info" } else { "warn" }, &line);
            service.changed();
            tested.map(|words| PluginAnswer::Tested { words })
        }))
    }

    pub(super) fn kept_state(&self, id: &str) -> Option<crate::connector::State> {
        let kept = crate::kept::Kept::new(self.registry.directory(id), Some(self.registry.vault()));
        kept.state()
    }

    fn question(self: &Arc<Self>, id: String, question: Question) -> Reply {
        let ready = || {
            let plugin = self.plugin(&id)?;
            let asking = plugin.face().asking.clone();
            let asking = asking.ok_or_else(|| PluginProblem::NotNow("it is not enabled".to_owned()))?;
            Ok((plugin, asking))
        };
        let (plugin, asking) = match ready() {
            Ok(ready) => ready,
            Err(problem) => return Reply::Now(Err(problem)),
        };
        let service = Arc::clone(self);
        Reply::Question(Box::new(move || {
            let answer = asking.ask(&question, &|| service.now());
            service.after_question(&plugin, &asking, &question, answer.as_ref().err());
            answer
        }))
    }

    /// What a question has changed: values that the plugin keeps, and how it does, where no directory says that.
    fn after_question(
        self: &Arc<Self>,
        plugin: &Plugin,
        asking: &Arc<Asking>,
        question: &Question,
        problem: Option<&PluginProblem>,
    ) {
        if asking.connector().has_changed_state()
            && let Ok(lane) = plugin.lane()
            && let Some(actor) = &lane.actor
        {
            // One that has ended has kept what there was.
            let _ = actor.order(Order::Keep);
        }
        let how = asking.how();
        let suspended = matches!(how, How::Suspended { .. });
        let mut face = plugin.face();
        if !face.asking.as_ref().is_some_and(|current| Arc::ptr_eq(current, asking)) {
            // It was changed meanwhile.
            return;
        }
        if let Some(problem) = problem
            && !matches!(problem, PluginProblem::NotNow(_))
        {
            face.lines.host("warn", &format!("{}: {problem}", question.name()));
        }
        // Of a plugin with a directory its runs say how it does.
        let shown = !asking.connector().has_directory() && face.how != how;
        if shown {
            face.how = how;
        }
        drop(face);
        if shown {
            self.changed();
        }
        if suspended {
            self.take_back(&plugin.id);
        }
    }

    fn order(&self, id: &str, order: Order) -> Result<(), PluginProblem> {
        let plugin = self.plugin(id)?;
        let lane = plugin.lane()?;
        let not_enabled = || PluginProblem::NotNow("it is not enabled".to_owned());
        let actor = lane.actor.as_ref().ok_or_else(not_enabled)?;
        // One that is not loaded yet is told when it is.
        let exports = plugin.face().exports.clone();
        if !exports.is_empty() && !exports.iter().any(|name| name == "directory-sync") {
            return Err(PluginProblem::NotNow("it has no directory".to_owned()));
        }
        if order == Order::Shrink && !matches!(plugin.face().how, How::Held(_)) {
            return Err(PluginProblem::NotNow("nothing is held".to_owned()));
        }
        actor.order(order)
    }

    fn contacts(
        &self,
        id: &str,
        generation: u64,
        offset: u32,
        limit: u32,
    ) -> Result<PluginAnswer, PluginProblem> {
        let plugin = self.plugin(id)?;
        let published = plugin.face().published.clone().ok_or(PluginProblem::Outdated)?;
        if published.directory.generation != generation {
            return Err(PluginProblem::Outdated);
        }
        let limit = limit.min(MAX_PLUGIN_CONTACTS) as usize;
        let mut room = PAGE_BYTES;
        let rest = published.contacts.get(offset as usize..).unwrap_or_default();
        let mut fits = |size: usize| {
            let fits = size <= room;
            room = room.saturating_sub(size);
            fits
        };
        let contacts = rest.iter().take(limit).take_while(|contact| fits(contact.size()));
        let contacts = contacts.map(|contact| words::contact(contact)).collect();
        Ok(PluginAnswer::Contacts(PluginContacts {
            generation,
            total: published.directory.contacts,
            contacts,
        }))
    }
}

/// A test that is under way, or waits for a thread; over when this is dropped, however that comes.
struct Testing {
    plugin: Arc<Plugin>,
    cancel: Cancel,
}

impl Drop for Testing {
    fn drop(&mut self) {
        // Cancelled, it has been taken away, and another may be under way.
        if !self.cancel.is_cancelled() {
            self.plugin.face().test = None;
        }
    }
}

fn open(uploads: &Mutex<Uploads>) -> MutexGuard<'_, Uploads> {
    uploads.lock().unwrap_or_else(PoisonError::into_inner)
}
