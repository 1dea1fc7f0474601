//! What customer databases say of the other end of a call, and what the operator writes into them (CRM-3).

use serde::{Deserialize, Serialize};

/// What the connectors to customer databases offer now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CrmView {
    /// They are asked who calls: a call with a number may have a [`CustomerView`].
    pub customers: bool,
    /// They say names for numbers that no directory of the desk has.
    pub names: bool,
    /// They take notes and tasks ([`crate::Command::AddItem`]).
    pub items: bool,
    /// They look for people while somebody types ([`crate::Query::People`]).
    pub people: bool,
}

/// A customer, as a connector's card has it. All of it comes from outside and may say anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerView {
    /// The connector, by [`crate::PluginView::id`].
    pub plugin: String,
    /// Its name, for people.
    pub plugin_name: String,
    /// What the record is.
    pub kind: CustomerKind,
    /// Of the record at the source.
    pub id: String,
    /// Never empty.
    pub name: String,
    /// Firm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The most important first, at most [`crate::MAX_CARD_LINES`].
    pub lines: Vec<CustomerLine>,
    /// Its page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// How many other records of this connector have the number.
    pub more: u32,
}

/// What a customer database's record is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerKind {
    /// Somebody.
    Person,
    /// A firm.
    Company,
    /// Somebody who is no customer yet.
    Lead,
    /// Something that is being sold.
    Deal,
    /// Something that is being solved.
    Ticket,
    /// Something else.
    #[default]
    Other,
}

/// A line of a customer's card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerLine {
    /// Such as "Contract"; may be empty.
    pub label: String,
    /// Such as "Gold, until 31.12.".
    pub value: String,
}

/// A record of a customer database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerRef {
    /// As [`CustomerView::plugin`].
    pub plugin: String,
    /// As [`CustomerView::id`].
    pub id: String,
}

/// A note or a task that the operator wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerItem {
    /// Chosen by the screen, 1 to 64 of `a-z 0-9 -`. What is sent again under the same one is there once.
    pub id: String,
    /// A task; otherwise a note.
    pub task: bool,
    /// 1 to [`crate::MAX_ITEM_TEXT`] characters.
    pub text: String,
    /// About whom; `None` when it was withheld.
    pub number: Option<String>,
    /// Their name.
    pub name: Option<String>,
    /// The record of the card that was shown, if one was.
    pub subject: Option<CustomerRef>,
}

/// Why a note or a task is not in the customer database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ItemProblem {
    /// No connector that is enabled takes any.
    #[error("no connector takes notes")]
    NoConnector,
    /// The program that runs the connectors is not there.
    #[error("the connectors do not run")]
    NotThere,
    /// No answer came in time; it may be there nevertheless.
    #[error("no answer in time")]
    TimedOut,
    /// Without text, longer than allowed, or with an identity that is none.
    #[error("not a note")]
    NotAnItem,
    /// The connector or the database refused.
    #[error("{case}: {words}")]
    Refused {
        /// A case such as `auth-failed`, as in [`crate::PluginProblem::Failed`].
        case: String,
        /// In their words, untranslated.
        words: String,
    },
}
