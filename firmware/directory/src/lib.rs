//! Contacts: who is behind a number, who matches what was typed, and files of contacts.
//!
//! A [`Catalogue`] holds every directory in memory, sorted and indexed. It is filled from the store
//! and by [`csv`]; it answers a page of contacts, a number's owner and a name's number at once.
//!
//! Pure (law 2): no clock, no files, no sockets, no threads. Nothing is kept here beyond the process:
//! that is the store's work. Pictures are not kept in memory either; see [`Contact::picture`].
//!
//! A map: `contact` is the record, `fold` makes text comparable, `number` reconciles telephone numbers,
//! `index` is the search index of one directory, `query` what was typed, `near` a word with one slip of the
//! finger, `order` the order of a list, `catalogue` joins them, `csv` reads and writes files.

mod catalogue;
mod contact;
pub mod csv;
mod fold;
mod index;
mod near;
mod number;
mod order;
mod query;

pub use catalogue::{Catalogue, CatalogueError, Directory, Entry, Match};
pub use contact::{Alerts, Contact, ContactError, Field, MAX_TEXT_BYTES, Picture, PictureType};
pub use fold::fold;
pub use number::{MAX_SPELLINGS, MatchRule, NumberPlan};
