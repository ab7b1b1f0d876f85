//! Faults on demand: what a network, a gateway or a bad day makes of an answer.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::Endpoint;

/// What happens to a request instead of, or to, its answer.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This answer; the request is not carried out.
    Answer { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    /// The connection is reset before a byte of an answer.
    Reset,
    /// Nothing comes, for ever.
    Stall,
    /// The real answer breaks off after so many bytes of its body, its length announced in full.
    Cut(usize),
    /// The real answer stops after so many bytes of its body and stays open, for ever.
    StallAfter(usize),
    /// The body of the real answer, rewritten.
    Rewrite(Rewrite),
}

/// Makes another body of the real one.
#[derive(Clone)]
pub struct Rewrite(Arc<dyn Fn(Vec<u8>) -> Vec<u8> + Send + Sync>);

impl Rewrite {
    pub(super) fn apply(&self, body: Vec<u8>) -> Vec<u8> {
        self.0(body)
    }
}

impl fmt::Debug for Rewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rewrite")
    }
}

impl Fault {
    /// A status with the `detail` that Vainu's errors carry.
    #[must_use]
    pub fn status(status: u16) -> Self {
        let body = format!(r#"{{"detail":"sandbox: {status} on demand","status_code":{status}}}"#);
        Self::json(status, body)
    }

    /// A status with a JSON body.
    #[must_use]
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self::Answer { status, headers, body: body.into() }
    }

    /// 200 with these bytes in place of the real body.
    #[must_use]
    pub fn body(body: impl Into<Vec<u8>>) -> Self {
        Self::json(200, body)
    }

    /// The page of a proxy that answers 200 in the API's place.
    #[must_use]
    pub fn html() -> Self {
        Self::body("<!DOCTYPE html><html><body><h1>Under maintenance</h1></body></html>")
            .with_header("content-type", "text/html")
    }

    /// 429 or 503 with `Retry-After`, verbatim.
    #[must_use]
    pub fn retry_after(status: u16, value: &str) -> Self {
        Self::status(status).with_header("retry-after", value)
    }

    /// 302 to `location`.
    #[must_use]
    pub fn redirect(location: &str) -> Self {
        Self::status(302).with_header("location", location)
    }

    /// The real body after a byte order mark.
    #[must_use]
    pub fn bom() -> Self {
        Self::rewrite(|body| [b"\xEF\xBB\xBF".as_slice(), &body].concat())
    }

    /// The real body, rewritten by `change`.
    #[must_use]
    pub fn rewrite(change: impl Fn(Vec<u8>) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::Rewrite(Rewrite(Arc::new(change)))
    }

    /// An [`Fault::Answer`] with `name` set to `value`; any other fault is left as it is.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

/// Which requests to an endpoint a fault is meant for, by their bodies.
pub(super) type Which = Box<dyn Fn(&str) -> bool + Send>;

/// The faults that wait for their requests.
#[derive(Default)]
pub(super) struct Plan {
    by_endpoint: HashMap<Endpoint, Vec<Planned>>,
}

struct Planned {
    fault: Fault,
    /// `None`: for all.
    which: Option<Which>,
    /// Requests that pass unharmed before the next one that is struck.
    skip: u64,
    /// Requests that pass unharmed between two that are struck.
    between: u64,
    /// `None`: for ever.
    left: Option<u64>,
}

impl Plan {
    /// Strikes `times` requests to `endpoint` after `skip` that pass unharmed.
    pub fn add(&mut self, endpoint: Endpoint, fault: Fault, skip: u64, times: Option<u64>) {
        if times != Some(0) {
            self.push(endpoint, Planned { fault, which: None, skip, between: 0, left: times });
        }
    }

    /// Strikes `times` requests to `endpoint` of those that `which` tells; `None`: for ever.
    pub fn add_where(&mut self, endpoint: Endpoint, which: Which, fault: Fault, times: Option<u64>) {
        if times != Some(0) {
            self.push(endpoint, Planned { fault, which: Some(which), skip: 0, between: 0, left: times });
        }
    }

    /// Strikes every `n`th request to `endpoint` from now on; 0 is taken as 1.
    pub fn add_every(&mut self, endpoint: Endpoint, n: u64, fault: Fault) {
        let between = n.saturating_sub(1);
        self.push(endpoint, Planned { fault, which: None, skip: between, between, left: None });
    }

    pub fn clear(&mut self) {
        self.by_endpoint.clear();
    }

    /// The fault for the request that has just come to `endpoint` with this body: of several, the one planned
    /// first.
    pub fn strike(&mut self, endpoint: Endpoint, body: &str) -> Option<Fault> {
        let planned = self.by_endpoint.get_mut(&endpoint)?;
        let position = planned.iter_mut().position(|planned| planned.is_due(body))?;
        let fault = planned[position].fault.clone();
        planned.retain(|planned| planned.left != Some(0));
        Some(fault)
    }

    fn push(&mut self, endpoint: Endpoint, planned: Planned) {
        self.by_endpoint.entry(endpoint).or_default().push(planned);
    }
}

impl Planned {
    fn is_due(&mut self, body: &str) -> bool {
        if self.which.as_ref().is_some_and(|which| !which(body)) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(1);
        }
        self.skip = self.between;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(plan: &mut Plan, requests: usize) -> Vec<bool> {
        (0..requests).map(|_| plan.strike(Endpoint::Organizations, "").is_some()).collect()
    }

    #[test]
    fn a_fault_strikes_as_often_as_asked_after_those_it_lets_pass() {
        let mut plan = Plan::default();
        plan.add(Endpoint::Organizations, Fault::Reset, 1, Some(2));
        assert_eq!(struck(&mut plan, 5), [false, true, true, false, false]);
    }

    #[test]
    fn every_third_request_is_struck_for_ever() {
        let mut plan = Plan::default();
        plan.add_every(Endpoint::Organizations, 3, Fault::Reset);
        assert_eq!(struck(&mut plan, 7), [false, false, true, false, false, true, false]);
    }

    #[test]
    fn another_endpoint_is_left_alone() {
        let mut plan = Plan::default();
        plan.add(Endpoint::Count, Fault::Stall, 0, None);
        assert_eq!(struck(&mut plan, 2), [false, false]);
        assert!(plan.strike(Endpoint::Count, "").is_some());
    }

    #[test]
    fn a_fault_can_be_meant_for_some_requests_only() {
        let mut plan = Plan::default();
        let later = Box::new(|body: &str| body != "first");
        plan.add_where(Endpoint::Organizations, later, Fault::Reset, Some(1));
        let struck = ["first", "second", "third"].map(|body| plan.strike(Endpoint::Organizations, body));
        assert_eq!(struck.map(|fault| fault.is_some()), [false, true, false]);
    }
}
