//! JSON answers.

use axum::response::{IntoResponse, Response};
use guildhall_model::json;
use http::{HeaderValue, header};
use serde::Serialize;

/// A JSON body, written as everything of ours is: on one line, whatever its reader calls a line
/// end. axum's own `Json` would leave those of Unicode raw.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let content_type = HeaderValue::from_static("application/json");
        (
            [(header::CONTENT_TYPE, content_type)],
            json::to_vec(&self.0),
        )
            .into_response()
    }
}
