//! What the operator is told of updates of the box.

use ipc::{NoticeKind, UpdateNews, UpdateNotice, UpdateRefusal, UpdateTrouble, View};

use super::notices;

/// A desk with calls, and this said of an update, oldest first.
#[must_use]
pub fn told_of_updates(told: &[(&str, UpdateNews)]) -> View {
    let notice = |(version, news): &(&str, UpdateNews)| {
        NoticeKind::Update(UpdateNotice { version: (*version).to_owned(), news: news.clone() })
    };
    notices::told(told.iter().map(notice).collect())
}

/// One that is ready, and two sticks that were refused.
#[must_use]
pub fn update_ready() -> View {
    told_of_updates(&[
        ("", UpdateNews::Refused { why: UpdateRefusal::Signature }),
        ("0.1.0", UpdateNews::Refused { why: UpdateRefusal::TakenBackBefore }),
        ("0.2.0", UpdateNews::Taken),
        ("0.2.0", UpdateNews::Ready),
    ])
}

/// What has come of others.
#[must_use]
pub fn update_over() -> View {
    told_of_updates(&[
        ("0.2.0", UpdateNews::TakenBack { why: UpdateTrouble::Line { number: "5550100".into() } }),
        ("0.2.0", UpdateNews::Failed { reason: "No space left on the disk of slot B".into() }),
        ("0.2.0", UpdateNews::Writing),
        ("0.3.0", UpdateNews::Done),
    ])
}
