//! The calls of one phone, put together from the documents of its subscription (RFC 4235 section 4.3).

use std::collections::BTreeMap;

use crate::dialog_info::{Dialog, DialogInfo, DialogState, MAX_DIALOGS};

/// The calls of a phone as far as the documents told (RFC 4235 4.3).
#[derive(Debug, Default)]
pub(crate) struct Lamp {
    version: Option<u32>,
    calls: BTreeMap<String, Dialog>,
}

/// What a document did to a lamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merge {
    /// Taken in.
    Done,
    /// An old partial document: ignored.
    Stale,
    /// A partial document that others before it are missing for.
    Gap,
    /// The same, and there never was a full one: what else there is on the phone is not known.
    Unfounded,
}

impl Lamp {
    /// The calls it has now, at most [`MAX_DIALOGS`].
    pub(crate) fn calls(&self) -> Vec<Dialog> {
        self.calls.values().cloned().collect()
    }

    /// Takes a document in. The CSeq of the NOTIFY has already shown that it is not old, so a full
    /// one is believed even where its version went back: exchanges start counting anew.
    pub(crate) fn merge(&mut self, document: DialogInfo) -> Merge {
        let last = self.version;
        let mut before = BTreeMap::new();
        if document.full {
            before = std::mem::take(&mut self.calls);
        } else if last.is_some_and(|last| document.version <= last) {
            return Merge::Stale;
        }
        self.version = Some(document.version);
        for mut call in document.dialogs {
            let known = self.calls.get(&call.id).or_else(|| before.get(&call.id));
            if let Some(known) = known {
                keep_tags(known, &mut call);
            }
            if call.state == DialogState::Terminated {
                self.calls.remove(&call.id);
            } else if self.calls.len() < MAX_DIALOGS || self.calls.contains_key(&call.id) {
                self.calls.insert(call.id.clone(), call);
            }
        }
        let expected = last.map(|last| last.wrapping_add(1));
        match last {
            _ if document.full || expected == Some(document.version) => Merge::Done,
            Some(_) => Merge::Gap,
            None => Merge::Unfounded,
        }
    }
}

/// An exchange may tell a call's tags while it rings and no more once it is answered (pua_dialoginfo of kamailio): they
/// are those of the same call all the same, and an INVITE with Replaces needs them (RFC 3891). Where the call was forked
/// and another branch answered they are not, and that INVITE finds nothing.
fn keep_tags(known: &Dialog, call: &mut Dialog) {
    let same = call.call_id.is_some() && call.call_id == known.call_id;
    if same && call.local_tag.is_none() && call.remote_tag.is_none() {
        call.local_tag.clone_from(&known.local_tag);
        call.remote_tag.clone_from(&known.remote_tag);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(version: u32, full: bool, calls: &[(&str, DialogState)]) -> DialogInfo {
        let dialogs = calls.iter().map(|&(id, state)| Dialog {
            id: id.to_owned(),
            call_id: None,
            local_tag: None,
            remote_tag: None,
            direction: None,
            state,
            local: None,
            remote: None,
        });
        DialogInfo { entity: "sip:1@pbx".into(), version, full, dialogs: dialogs.collect() }
    }

    fn ids(lamp: &Lamp) -> Vec<&str> {
        lamp.calls.keys().map(String::as_str).collect()
    }

    #[test]
    fn partial_documents_add_up() {
        use DialogState::{Confirmed, Early, Terminated};
        let mut lamp = Lamp::default();
        assert_eq!(lamp.merge(document(0, true, &[("a", Early)])), Merge::Done);
        assert_eq!(lamp.merge(document(1, false, &[("b", Early)])), Merge::Done);
        assert_eq!(ids(&lamp), ["a", "b"]);
        assert_eq!(lamp.merge(document(2, false, &[("a", Terminated), ("b", Confirmed)])), Merge::Done);
        assert_eq!(ids(&lamp), ["b"]);
    }

    #[test]
    fn tags_told_while_it_rang_are_kept_for_the_same_call_only() {
        let told = |version, full, call_id: Option<&str>, tags: Option<(&str, &str)>, state| {
            let mut document = document(version, full, &[("a", state)]);
            let call = &mut document.dialogs[0];
            call.call_id = call_id.map(str::to_owned);
            call.local_tag = tags.map(|(local, _)| local.to_owned());
            call.remote_tag = tags.map(|(_, remote)| remote.to_owned());
            document
        };
        let tags = |lamp: &Lamp| {
            let call = &lamp.calls["a"];
            call.local_tag.clone().zip(call.remote_tag.clone())
        };
        let (early, confirmed) = (DialogState::Early, DialogState::Confirmed);
        for full in [true, false] {
            let mut lamp = Lamp::default();
            lamp.merge(told(0, true, Some("c1"), Some(("l", "r")), early));
            lamp.merge(told(1, full, Some("c1"), None, confirmed));
            assert_eq!(tags(&lamp), Some(("l".into(), "r".into())), "full: {full}");
            lamp.merge(told(2, full, Some("c1"), Some(("x", "y")), confirmed));
            assert_eq!(tags(&lamp), Some(("x".into(), "y".into())), "what is told counts");
            lamp.merge(told(3, full, Some("c2"), None, confirmed));
            assert_eq!(tags(&lamp), None, "another call");
            lamp.merge(told(4, full, None, Some(("l", "r")), early));
            lamp.merge(told(5, full, None, None, confirmed));
            assert_eq!(tags(&lamp), None, "nobody says that it is the same");
        }
    }

    #[test]
    fn an_old_partial_is_ignored_and_a_gap_is_noticed() {
        use DialogState::{Early, Terminated};
        let mut lamp = Lamp::default();
        lamp.merge(document(5, true, &[("a", Early)]));
        assert_eq!(lamp.merge(document(5, false, &[("a", Terminated)])), Merge::Stale);
        assert_eq!(ids(&lamp), ["a"]);
        assert_eq!(lamp.merge(document(7, false, &[("c", Early)])), Merge::Gap);
        assert_eq!(ids(&lamp), ["a", "c"]);
    }

    #[test]
    fn a_full_document_is_believed_though_its_version_went_back() {
        let mut lamp = Lamp::default();
        lamp.merge(document(900, true, &[("a", DialogState::Confirmed)]));
        assert_eq!(lamp.merge(document(0, true, &[])), Merge::Done);
        assert!(ids(&lamp).is_empty());
    }

    #[test]
    fn a_lamp_does_not_grow_without_end() {
        let mut lamp = Lamp::default();
        for n in 0..MAX_DIALOGS as u32 + 50 {
            lamp.merge(document(n, false, &[(&format!("call{n}"), DialogState::Early)]));
        }
        assert_eq!(lamp.calls.len(), MAX_DIALOGS);
    }

    #[test]
    fn changes_alone_do_not_say_what_a_phone_does() {
        let mut lamp = Lamp::default();
        assert_eq!(lamp.merge(document(7, false, &[("a", DialogState::Terminated)])), Merge::Unfounded);
        assert_eq!(lamp.merge(document(8, true, &[("b", DialogState::Confirmed)])), Merge::Done);
        assert_eq!(ids(&lamp), ["b"]);
    }
}
