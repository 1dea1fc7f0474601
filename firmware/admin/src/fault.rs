//! What a page says when it cannot be shown: in words, with what to do.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use ipc::Language;
use store::StoreError;

use crate::{keeper::KeeperError, layout, text, text::Text};

/// Why there is no page.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    pub(crate) language: Language,
    pub(crate) words: String,
    /// Seconds until it is worth another try.
    pub(crate) retry_after: Option<u64>,
}

impl Fault {
    pub(crate) fn new(status: StatusCode, language: Language, words: Text) -> Self {
        Self { status, language, words: words.is(language).into(), retry_after: None }
    }

    pub(crate) fn saying(status: StatusCode, language: Language, words: String) -> Self {
        Self { status, language, words, retry_after: None }
    }

    pub(crate) fn not_found(language: Language) -> Self {
        Self::new(StatusCode::NOT_FOUND, language, text::NOT_FOUND)
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let page = layout::bare(
            self.language,
            text::FAULT_TITLE.is(self.language),
            maud::html! {
                p role="alert" class="alert bad" { (self.words) }
                p { a href="/" { (text::BACK_TO_START.is(self.language)) } }
            },
        );
        let mut response = (self.status, page).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// What the store's refusal is called, and whose fault it was.
pub(crate) fn of_store(error: &KeeperError, language: Language) -> (StatusCode, String) {
    let text = |status, text: Text| (status, text.is(language).to_owned());
    match error {
        KeeperError::Store(StoreError::AccountTaken { name }) => {
            (StatusCode::CONFLICT, text::ACCOUNT_TAKEN.with(language, &[("name", name)]))
        }
        KeeperError::Store(StoreError::TokenTaken { name }) => {
            (StatusCode::CONFLICT, text::TOKEN_TAKEN.with(language, &[("name", name)]))
        }
        KeeperError::Store(StoreError::AccountName { .. }) => {
            text(StatusCode::UNPROCESSABLE_ENTITY, text::ACCOUNT_NAME)
        }
        KeeperError::Store(StoreError::NoSuchAccount) => text(StatusCode::NOT_FOUND, text::NO_SUCH_ACCOUNT),
        KeeperError::Store(StoreError::LastAdministrator) => {
            text(StatusCode::CONFLICT, text::LAST_ADMINISTRATOR)
        }
        KeeperError::Store(StoreError::AlreadySetUp) => text(StatusCode::CONFLICT, text::ALREADY_SET_UP),
        KeeperError::Store(StoreError::TooManyAccounts(most)) => {
            (StatusCode::CONFLICT, text::TOO_MANY.with(language, &[("most", most)]))
        }
        other => {
            tracing::warn!(problem = %other, "the admin page could not reach its records");
            text(StatusCode::SERVICE_UNAVAILABLE, text::STORAGE_FAILED)
        }
    }
}
