//! Where a run stands. Links of Microsoft Graph are long, and there are as many as sources, so that they are in the
//! host's `state`; the cursor between two pages and the token between two runs say which of them count.

use frontdesk_connector::{serde_json, state};
use serde::{Deserialize, Serialize};

/// The longest link that is kept, in bytes.
pub(crate) const LONGEST_LINK: usize = 8 << 10;
/// The run that is under way.
const RUN: &str = "run";
/// The runs that were completed last.
const KEPT: &str = "links";
/// Of the last run, and of the one before: the host may not have taken the last one.
const RUNS_KEPT: usize = 2;

/// What has changed is found here, a link a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Links {
    generation: u64,
    sources: Vec<String>,
    links: Vec<String>,
}

impl Links {
    /// Those of a token, if they are still there.
    pub(crate) fn of(token: &str) -> Option<Self> {
        let generation: u64 = token.strip_prefix("1 ")?.parse().ok()?;
        kept().into_iter().find(|links| links.generation == generation)
    }

    /// The sources they belong to.
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.sources.iter()
    }
}

/// A run that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    generation: u64,
    page: u64,
    /// A run of changes.
    pub(crate) is_delta: bool,
    /// The source that is read.
    pub(crate) source: usize,
    /// The page that is read; none: the first of all.
    pub(crate) link: Option<String>,
    /// Items of it that are done.
    pub(crate) offset: usize,
    /// Which items it had.
    pub(crate) print: u64,
    /// Where this run began, of a run of changes.
    since: Vec<String>,
    /// Where the next run begins, of sources that are done.
    done: Vec<String>,
}

impl Cursor {
    /// The beginning of a full run.
    pub(crate) fn full() -> Self {
        let newest = kept().iter().map(|links| links.generation).max();
        Self::begin(newest.unwrap_or_default() + 1, Vec::new())
    }

    /// The beginning of a run of changes.
    pub(crate) fn changed(links: &Links) -> Self {
        let newest = kept().iter().map(|links| links.generation).max();
        Self::begin(newest.unwrap_or_default().max(links.generation) + 1, links.links.clone())
    }

    fn begin(generation: u64, since: Vec<String>) -> Self {
        Self {
            generation,
            page: 0,
            is_delta: !since.is_empty(),
            source: 0,
            link: since.first().cloned(),
            offset: 0,
            print: 0,
            since,
            done: Vec::new(),
        }
    }

    /// What was written.
    pub(crate) fn read(cursor: &str, sources: &[String]) -> Option<Self> {
        let (run, names): (Self, Vec<String>) = serde_json::from_slice(&state::get(RUN)?).ok()?;
        (run.text() == cursor && names == sources && run.source < names.len()).then_some(run)
    }

    /// Keeps it, and gives the text that stands for it.
    pub(crate) fn write(&mut self, sources: Vec<String>) -> Result<String, String> {
        self.page += 1;
        set(RUN, &(&*self, sources))?;
        Ok(self.text())
    }

    /// The rest of a page follows.
    pub(crate) fn rest(&mut self, link: String, offset: usize, print: u64) {
        (self.link, self.offset, self.print) = (Some(link), offset, print);
    }

    /// Another page of this source follows.
    pub(crate) fn next(&mut self, link: String) {
        self.rest(link, 0, 0);
    }

    /// This source is done.
    pub(crate) fn source_done(&mut self, delta: String) {
        self.done.push(delta);
        self.source += 1;
        (self.link, self.offset, self.print) = (self.since.get(self.source).cloned(), 0, 0);
    }

    /// The run is done: the token of the next one.
    pub(crate) fn finish(self, sources: Vec<String>) -> Result<String, String> {
        let token = format!("1 {}", self.generation);
        let mut all = kept();
        all.insert(0, Links { generation: self.generation, sources, links: self.done });
        all.truncate(RUNS_KEPT);
        state::delete(RUN);
        set(KEPT, &all)?;
        Ok(token)
    }

    fn text(&self) -> String {
        format!("1 {} {}", self.generation, self.page)
    }
}

fn kept() -> Vec<Links> {
    state::get(KEPT).and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

fn set<T: Serialize>(key: &str, value: &T) -> Result<(), String> {
    let bytes = serde_json::to_vec(value).map_err(|error| error.to_string())?;
    state::set(key, &bytes).map_err(|_| "fewer mailboxes: where they stand does not fit".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_walked_one_after_the_other() {
        let mut full = Cursor::begin(1, Vec::new());
        assert_eq!((full.is_delta, full.source, full.link.as_deref()), (false, 0, None));
        full.next("users 2".to_owned());
        assert_eq!(full.link.as_deref(), Some("users 2"));
        full.rest("users 2".to_owned(), 20, 7);
        assert_eq!((full.offset, full.print), (20, 7));
        full.source_done("users since".to_owned());
        assert_eq!((full.source, full.link.as_deref(), full.offset), (1, None, 0));
        full.source_done("ann since".to_owned());
        let mut changed = Cursor::begin(2, full.done);
        assert_eq!((changed.is_delta, changed.link.as_deref()), (true, Some("users since")));
        changed.source_done("users later".to_owned());
        assert_eq!(changed.link.as_deref(), Some("ann since"));
    }

    #[test]
    fn a_cursor_comes_back_as_it_was_and_never_twice() {
        let mut cursor = Cursor::begin(3, vec!["a".to_owned()]);
        let bytes = serde_json::to_vec(&cursor).unwrap_or_default();
        assert_eq!(serde_json::from_slice::<Cursor>(&bytes).ok().as_ref(), Some(&cursor));
        let first = cursor.text();
        cursor.page += 1;
        assert_ne!(cursor.text(), first);
    }
}
