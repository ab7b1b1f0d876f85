use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::value::RawValue;

use super::error::ExportError;
use crate::vainu::answer::{Answer, Unusable};
use crate::vainu::json;

/// An export job that was submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Where it is polled, as the server gave it.
    pub link: String,
    /// The server's clock at the submission, by its `Date` header: the rows are not older.
    pub submitted_at: Option<Timestamp>,
}

impl Job {
    /// The link as errors and log lines name it: without its query string.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.link.split_once('?').map_or(&self.link, |(link, _)| link)
    }

    /// How long ago it was submitted when the server said `date`: its two clock values are compared, not ours.
    #[must_use]
    pub fn age(&self, date: Option<Timestamp>) -> Duration {
        let Some((submitted, date)) = self.submitted_at.zip(date) else { return Duration::ZERO };
        Duration::try_from(date.duration_since(submitted)).unwrap_or_default()
    }
}

/// How far a job is.
#[derive(Debug)]
pub enum JobState {
    Running,
    /// With its `download_link`.
    Completed(SecretString),
    /// Badly.
    Ended {
        state: String,
        detail: Option<String>,
    },
    Unknown(String),
}

impl JobState {
    /// The download link, once there is one.
    ///
    /// # Errors
    /// If none will come.
    pub fn going_on(self, endpoint: &str) -> Result<Option<SecretString>, ExportError> {
        let endpoint = endpoint.to_owned();
        match self {
            Self::Running => Ok(None),
            Self::Completed(link) => Ok(Some(link)),
            Self::Ended { state, detail } => Err(ExportError::Ended { endpoint, state, detail }),
            Self::Unknown(state) => Err(ExportError::UnknownState { endpoint, state }),
        }
    }
}

/// The answer to a submission. Its link is enough: what its state lacks, a poll tells.
#[derive(Debug)]
pub struct Submitted {
    pub job: Job,
    pub state: Option<JobState>,
}

impl Submitted {
    pub fn read(answer: Answer) -> Result<Self, Unusable> {
        let text = json::text(answer.body)?;
        let value = json::value(&text)?;
        let link = member(value, "link").ok_or_else(|| Unusable::lacks("the link of a job", value))?;
        Ok(Self { job: Job { link, submitted_at: answer.date }, state: state_of(value) })
    }
}

/// The answer to a poll.
#[derive(Debug)]
pub struct Polled {
    pub state: JobState,
    pub date: Option<Timestamp>,
}

impl Polled {
    pub fn read(answer: Answer) -> Result<Self, Unusable> {
        let text = json::text(answer.body)?;
        let value = json::value(&text)?;
        let state = state_of(value).ok_or_else(|| Unusable::lacks("the state of a job", value))?;
        Ok(Self { state, date: answer.date })
    }
}

/// By `state`, or `status` as one figure of Vainu's documents has it. `None` where there is neither, and for
/// a completed job without a download link.
fn state_of(value: &RawValue) -> Option<JobState> {
    let state = member(value, "state").or_else(|| member(value, "status"))?;
    Some(match state.as_str() {
        "accepted" | "process" | "processing" => JobState::Running,
        "completed" => JobState::Completed(member(value, "download_link")?.into()),
        "failure" | "partial_failure_complete" | "partial_failure_incomplete" | "stopped" => {
            JobState::Ended { state, detail: json::detail(value) }
        }
        _ => JobState::Unknown(json::quote(&state)),
    })
}

fn member(value: &RawValue, key: &str) -> Option<String> {
    json::string(json::members(value)?.get(key)?)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn state(body: &str) -> Result<JobState, Unusable> {
        Polled::read(Answer::ok(body.as_bytes())).map(|polled| polled.state)
    }

    #[test]
    fn every_documented_state_is_told_apart_under_both_of_its_keys() {
        for key in ["state", "status"] {
            for running in ["accepted", "process", "processing"] {
                let state = state(&format!(r#"{{"{key}":"{running}","progress":50}}"#)).unwrap();
                assert!(matches!(state, JobState::Running), "{state:?}");
            }
            for bad in ["failure", "partial_failure_complete", "partial_failure_incomplete", "stopped"] {
                let state = state(&format!(r#"{{"{key}":"{bad}","detail":"too broad"}}"#)).unwrap();
                let error = state.going_on("at").unwrap_err();
                let (state, detail) = (bad.to_owned(), Some("too broad".to_owned()));
                assert_eq!(error, ExportError::Ended { endpoint: "at".into(), state, detail });
            }
            let done = state(&format!(r#"{{"{key}":"completed","download_link":"https://x/?token=hush"}}"#));
            let JobState::Completed(link) = done.unwrap() else { panic!("it has completed") };
            assert_eq!(link.expose_secret(), "https://x/?token=hush");
            let paused = state(&format!(r#"{{"{key}":"paused"}}"#)).unwrap().going_on("at").unwrap_err();
            assert!(paused.to_string().contains("\"paused\""), "{paused}");
        }
    }

    #[test]
    fn an_answer_without_what_belongs_there_is_none() {
        for body in ["{}", "[]", "null", r#"{"state":5}"#, r#"{"state":"completed"}"#] {
            assert!(matches!(state(body), Err(Unusable::Lacks { .. })), "{body}");
        }
        for body in [r#"{"state":"accepted"}"#, r#"{"link":null,"state":"accepted"}"#] {
            let submitted = Submitted::read(Answer::ok(body.as_bytes()));
            assert!(matches!(submitted, Err(Unusable::Lacks { .. })), "{body}");
        }
    }

    #[test]
    fn a_jobs_age_is_told_by_the_servers_clock_alone() {
        let at = |text: &str| Some(text.parse().unwrap());
        let job = Job { link: String::new(), submitted_at: at("2026-03-30T15:49:00Z") };
        assert_eq!(job.age(at("2026-03-30T16:49:00Z")), Duration::from_hours(1));
        assert_eq!(job.age(at("2026-03-30T15:00:00Z")), Duration::ZERO);
        assert_eq!(job.age(None), Duration::ZERO);
    }
}
