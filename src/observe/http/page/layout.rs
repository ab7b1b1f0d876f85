use axum::response::Html;
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};

use super::words::utc;

/// A whole page around `content`, which is as of `at`.
pub fn layout(title: &str, at: Option<Timestamp>, content: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · vainu-sync" }
                // Asks for none.
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/style.css";
            }
            body {
                header {
                    a.home href="/" { "vainu-sync" }
                    @if let Some(at) = at {
                        p { "as of " (utc(at)) }
                    }
                }
                main { (content) }
                footer {
                    p { "vainu-sync " (env!("CARGO_PKG_VERSION")) }
                    nav aria-label="For machines" {
                        a href="/metrics" { "metrics" } " " a href="/healthz" { "healthz" } " " a href="/readyz" { "readyz" }
                    }
                }
            }
        }
    };
    Html(page.into_string())
}
