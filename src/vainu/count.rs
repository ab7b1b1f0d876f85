use jiff::Timestamp;
use serde_json::value::RawValue;

use super::answer::{Answer, Unusable};
use super::json;

/// What the count endpoint says at one ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountAnswer {
    pub status: CountStatus,
    /// The server's clock when it answered, by its `Date` header.
    pub date: Option<Timestamp>,
}

/// How far a count is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CountStatus {
    /// So many organizations match.
    Ready(u64),
    /// Being counted: ask again.
    Pending,
    /// No count will come, in the server's words.
    Failed(String),
}

impl CountAnswer {
    pub(super) fn read(answer: Answer) -> Result<Self, Unusable> {
        let text = json::text(answer.body)?;
        let value = json::value(&text)?;
        let status = status_of(value).ok_or_else(|| Unusable::lacks("a count", value))?;
        Ok(Self { status, date: answer.date })
    }
}

fn status_of(value: &RawValue) -> Option<CountStatus> {
    let members = json::members(value)?;
    let count = || serde_json::from_str(members.get("count")?.get()).ok().map(CountStatus::Ready);
    let Some(status) = members.get("status") else { return count() };
    match json::string(status)?.as_str() {
        "ready" => count(),
        "scheduled" | "process" | "processing" => Some(CountStatus::Pending),
        "error" => {
            let detail = json::detail(value);
            Some(CountStatus::Failed(detail.unwrap_or_else(|| "the count ended in an error".to_owned())))
        }
        other => {
            Some(CountStatus::Failed(format!("the count has an unknown status, {}", json::quote(other))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<CountStatus, Unusable> {
        CountAnswer::read(Answer::ok(body.as_bytes())).map(|answer| answer.status)
    }

    #[test]
    fn every_documented_status_is_told_apart() {
        let cases = [
            (
                r#"{"count":180086,"time":"2026-04-16T15:21:16.445551","status":"ready"}"#,
                CountStatus::Ready(180_086),
            ),
            (r#"{"count":null,"status":"scheduled"}"#, CountStatus::Pending),
            (r#"{"count":7,"status":"process"}"#, CountStatus::Pending),
            (r#"{"status":"error","detail":"too broad"}"#, CountStatus::Failed("too broad".into())),
        ];
        for (body, status) in cases {
            assert_eq!(read(body).unwrap(), status, "{body}");
        }
    }

    #[test]
    fn an_unknown_status_is_no_endless_wait() {
        let status = read(r#"{"count":1,"status":"paused"}"#).unwrap();
        assert!(matches!(&status, CountStatus::Failed(words) if words.contains("paused")), "{status:?}");
    }

    #[test]
    fn a_repeated_count_is_its_last_and_a_bom_is_ignored() {
        assert_eq!(read("\u{feff}{\"count\":1,\"count\":300}").unwrap(), CountStatus::Ready(300));
    }

    #[test]
    fn what_is_no_count_is_not_taken_for_one() {
        for body in ["[]", "null", "{}", r#"{"count":1.5}"#, r#"{"count":-1}"#, r#"{"status":"ready"}"#] {
            assert!(matches!(read(body), Err(Unusable::Lacks { .. })), "{body}");
        }
    }
}
