//! stub
use crate::app::App;
use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use std::sync::Arc;
pub(crate) fn uploads() -> Router<Arc<App>> {
    Router::new()
}
pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
}
pub(crate) fn not_found() -> Response {
    StatusCode::NOT_FOUND.into_response()
}
pub(crate) fn wrong_method() -> Response {
    StatusCode::METHOD_NOT_ALLOWED.into_response()
}
