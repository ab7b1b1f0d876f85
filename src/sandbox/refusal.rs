use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// An answer that says no, in the shape of Vainu's errors.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    body: Value,
}

impl Refusal {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, body: json!({ "detail": detail.into() }) }
    }

    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found.")
    }

    /// The answer to a field that the account is not entitled to, as Vainu documents it.
    pub fn forbidden_fields(names: &[&str]) -> Self {
        let detail = format!("Insufficient permissions for fields: {}", names.join(", "));
        let body = json!({ "detail": detail, "error_code": "FORBIDDEN", "status_code": 403 });
        Self { status: StatusCode::FORBIDDEN, body }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}
