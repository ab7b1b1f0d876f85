//! What can go wrong, and at which request.

use std::fmt;

use vainu_sync::sandbox::{Control, Endpoint, Fault};

/// What becomes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Status(u16),
    Reset,
    Cut,
    Stall,
    StallWithin,
    Html,
    Empty,
    ErrorWith200,
    OtherList,
    BrokenJson,
    Redirect,
    RedirectElsewhere,
}

impl Kind {
    pub fn all() -> Vec<Self> {
        let statuses = [400, 401, 403, 404, 408, 409, 410, 422, 429, 500, 502, 503, 504];
        let others = [
            Self::Reset,
            Self::Cut,
            Self::Stall,
            Self::StallWithin,
            Self::Html,
            Self::Empty,
            Self::ErrorWith200,
            Self::OtherList,
            Self::BrokenJson,
            Self::Redirect,
            Self::RedirectElsewhere,
        ];
        statuses.into_iter().map(Self::Status).chain(others).collect()
    }

    /// The fault, whose server says `words` where it says anything. `elsewhere` is another host.
    pub fn fault(self, at: At, words: &str, elsewhere: &str) -> Fault {
        match self {
            Self::Status(status) => Fault::json(status, format!(r#"{{"detail":"{words}"}}"#)),
            Self::Reset => Fault::Reset,
            Self::Cut => Fault::Cut(5),
            Self::Stall => Fault::Stall,
            Self::StallWithin => Fault::StallAfter(5),
            Self::Html => Fault::html(),
            Self::Empty => Fault::body(""),
            Self::ErrorWith200 => Fault::body(format!(r#"{{"detail":"{words}","status_code":504}}"#)),
            Self::OtherList => Fault::body("[1,2,3]"),
            Self::BrokenJson => Fault::body(r#"{"result":[{"business_id":"FI00001"},"#),
            Self::Redirect if at == At::Download => Fault::redirect("/elsewhere?token=hush"),
            Self::Redirect => Fault::redirect("/api/v4/elsewhere/?token=hush"),
            Self::RedirectElsewhere => Fault::redirect(&format!("{elsewhere}/{at:?}?token=hush")),
        }
    }

    /// Whether the program may have to wait for `api.timeout` until it notices.
    pub const fn is_stall(self) -> bool {
        matches!(self, Self::Stall | Self::StallWithin)
    }

    /// Whether the server says no for good, so that nothing is tried again.
    pub const fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::Status(400 | 403 | 404 | 409 | 410 | 422) | Self::Redirect | Self::RedirectElsewhere
        )
    }

    /// How often in a row it comes before it has passed: a second answer of the same broken kind can be final.
    pub const fn passing(self) -> u64 {
        let is_known_again =
            matches!(self, Self::Status(401) | Self::Empty | Self::OtherList | Self::BrokenJson);
        if self.is_refusal() || is_known_again { 1 } else { 2 }
    }

    /// Whether no other request could fare better: the credentials are refused, or there is no connection.
    pub const fn is_hopeless(self) -> bool {
        matches!(self, Self::Status(401) | Self::Reset | Self::Cut | Self::Stall | Self::StallWithin)
    }

    /// Whether its answer carries words of the server.
    pub const fn has_words(self) -> bool {
        matches!(self, Self::Status(_) | Self::ErrorWith200)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Status(status) => return write!(f, "{status}"),
            Self::Reset => "connection reset",
            Self::Cut => "body cut off",
            Self::Stall => "no answer",
            Self::StallWithin => "body stops coming",
            Self::Html => "HTML with 200",
            Self::Empty => "nothing with 200",
            Self::ErrorWith200 => "error with 200",
            Self::OtherList => "other JSON",
            Self::BrokenJson => "broken JSON",
            Self::Redirect => "redirect",
            Self::RedirectElsewhere => "redirect elsewhere",
        })
    }
}

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    RefreshToken,
    ClientCredentials,
    Count,
    CountAgain,
    FirstPage,
    LaterPage,
    Submit,
    Poll,
    Download,
    Catalogue,
    Confirmation,
}

impl At {
    pub const ALL: [Self; 11] = [
        Self::RefreshToken,
        Self::ClientCredentials,
        Self::Count,
        Self::CountAgain,
        Self::FirstPage,
        Self::LaterPage,
        Self::Submit,
        Self::Poll,
        Self::Download,
        Self::Catalogue,
        Self::Confirmation,
    ];

    /// Has the next requests of this kind draw `fault`, so many of them or all.
    pub fn strike(self, control: &Control, fault: Fault, times: Option<u64>) {
        let is_confirmation = |body: &str| body.contains("\"?IN\"");
        let is_first = |body: &str| body.contains("\"offset\":0");
        let on = |endpoint| control.fail_after(endpoint, 0, fault.clone(), times.unwrap_or(u64::MAX));
        let pages = Endpoint::Organizations;
        match self {
            Self::RefreshToken => on(Endpoint::Token),
            Self::ClientCredentials => on(Endpoint::OAuthToken),
            Self::Count => on(Endpoint::Count),
            Self::CountAgain => {
                control.switch(|switches| switches.count_polls = 1);
                control.fail_after(Endpoint::Count, 1, fault, times.unwrap_or(u64::MAX));
            }
            Self::FirstPage => {
                let which = move |body: &str| is_first(body) && !is_confirmation(body);
                control.fail_where(pages, which, fault, times);
            }
            Self::LaterPage => {
                let which = move |body: &str| !is_first(body) && !is_confirmation(body);
                control.fail_where(pages, which, fault, times);
            }
            Self::Submit => on(Endpoint::ExportSubmit),
            Self::Poll => on(Endpoint::ExportPoll),
            Self::Download => on(Endpoint::Download),
            Self::Catalogue => on(Endpoint::Catalogue),
            Self::Confirmation => control.fail_where(pages, is_confirmation, fault, times),
        }
    }

    /// How errors name it; a download is named by its host.
    pub const fn path(self) -> &'static str {
        match self {
            Self::RefreshToken => "/token_authentication/refresh/",
            Self::ClientCredentials => "/oauth/token/",
            Self::FirstPage | Self::LaterPage | Self::Confirmation => "/v3/organizations/",
            Self::Count | Self::CountAgain => "/v3/organizations/count/",
            Self::Submit | Self::Poll => "/v3/organizations/async/",
            Self::Download => "http://127.0.0.1:",
            Self::Catalogue => "/v3/organizations_fields/",
        }
    }

    /// What it is for, for whoever reads the document.
    pub const fn explained(self) -> &'static str {
        match self {
            Self::RefreshToken => {
                "An access token for a refresh token, before the first request and when one has ended. Without one \
                 nothing can be asked."
            }
            Self::ClientCredentials => "An access token for `client_id` and its secret.",
            Self::Count => {
                "How many match, before anything is listed. A run by pages can do without, for its pages prove their \
                 own end; but no guard looks at how many came. An export without a count is incomplete."
            }
            Self::CountAgain => "The same, where Vainu is still counting.",
            Self::FirstPage => {
                "The first page of a listing. A 400 is asked again with fewer rows, then without an order."
            }
            Self::LaterPage => "Any other page. After a 400 `fetch = \"auto\"` takes an export next time.",
            Self::Submit => {
                "The submission of an export. After a refusal of any of the three `fetch = \"auto\"` lists by pages \
                 next time."
            }
            Self::Poll => {
                "Whether the export is ready. A job that no answer declared dead is taken up by the next run."
            }
            Self::Download => {
                "The file of the export, from a host of its own. A refusal means that the link has expired: a fresh \
                 one is taken, five in a row at most. Redirects are followed. A line that is no JSON is set aside."
            }
            Self::Catalogue => {
                "Which field paths Vainu knows, asked for a query that is new or edited. It is advice, so a run goes \
                 on without."
            }
            Self::Confirmation => {
                "Whether the members that the listing lacked are gone: each is asked for by its id. Here one of them \
                 is, and one is there after all. Where it can't be asked, nobody leaves but by the count, or by a \
                 second listing."
            }
        }
    }

    pub const fn is_export(self) -> bool {
        matches!(self, Self::Submit | Self::Poll | Self::Download)
    }

    pub const fn is_token(self) -> bool {
        matches!(self, Self::RefreshToken | Self::ClientCredentials)
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RefreshToken => "refresh token",
            Self::ClientCredentials => "client credentials",
            Self::Count => "count",
            Self::CountAgain => "count, asked again",
            Self::FirstPage => "first page",
            Self::LaterPage => "later page",
            Self::Submit => "export: submit",
            Self::Poll => "export: poll",
            Self::Download => "export: download",
            Self::Catalogue => "catalogue",
            Self::Confirmation => "who left",
        })
    }
}
