//! From the words of `ipc` to the rows the screen shows. Plain functions and models; nothing here
//! knows the window.

pub(crate) mod board;
pub(crate) mod cards;
pub(crate) mod contacts;
pub(crate) mod customer;
pub mod dates;
pub(crate) mod drops;
pub(crate) mod figures;
pub(crate) mod form;
pub(crate) mod ledger;
pub(crate) mod links;
pub(crate) mod log_rows;
pub(crate) mod log_view;
pub(crate) mod note;
pub(crate) mod past;
pub(crate) mod reminder_time;
pub(crate) mod reminders;
pub(crate) mod rows;
pub(crate) mod tiles;
pub(crate) mod words;
