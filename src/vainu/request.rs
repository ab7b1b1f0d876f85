use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::config::settings::{Aggregation, Ask};
use crate::organization::{BusinessId, Database};

/// Which organizations are asked for, and which of their fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    pub database: Database,
    pub ask: Ask,
    /// Paths with dots; only these come back.
    pub fields: Vec<String>,
    aggregations: Vec<Aggregation>,
    narrowed: Option<Narrowed>,
}

/// What narrows a query beside its own VQL.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Narrowed {
    /// To these organizations.
    Only(Vec<BusinessId>),
    /// To those whose data changed from the first to the second instant.
    Changed(Timestamp, Timestamp),
}

impl Selection {
    #[must_use]
    pub fn new(database: Database, ask: Ask, fields: Vec<String>) -> Self {
        Self { database, ask, fields, aggregations: vec![], narrowed: None }
    }

    /// The same, with what is reckoned for each row.
    #[must_use]
    pub fn aggregated(self, aggregations: Vec<Aggregation>) -> Self {
        Self { aggregations, ..self }
    }

    /// The same, but of these organizations only. `None` for a list: Vainu keeps its query.
    #[must_use]
    pub fn only(&self, ids: &[BusinessId]) -> Option<Self> {
        match self.ask {
            Ask::Query(_) => Some(Self { narrowed: Some(Narrowed::Only(ids.to_vec())), ..self.clone() }),
            Ask::List(_) => None,
        }
    }

    /// The same, but of those only whose basic data or financial statements changed from `start` to `end`.
    /// `None` for a list: Vainu keeps its query.
    #[must_use]
    pub fn changed(&self, start: Timestamp, end: Timestamp) -> Option<Self> {
        match self.ask {
            Ask::Query(_) => Some(Self { narrowed: Some(Narrowed::Changed(start, end)), ..self.clone() }),
            Ask::List(_) => None,
        }
    }

    /// All rows at once: an export has no pages.
    pub(super) fn export_body(&self, ordered: bool) -> String {
        format!("{{{},{}{}}}", self.members(), self.columns(), order(ordered))
    }

    /// The count endpoint refuses `order` and ignores fields and page, so none of them is sent.
    pub(super) fn count_body(&self, recount_if_cache_max_age: Duration) -> String {
        let age = recount_if_cache_max_age.as_secs();
        format!("{{{},\"recount_if_cache_max_age\":{age}}}", self.members())
    }

    /// `"fields":…`, and `"aggregation":…` where there are any.
    fn columns(&self) -> String {
        let fields: Value = self.fields.iter().map(String::as_str).collect();
        let parts: Vec<&str> = self.aggregations.iter().map(|part| part.json.as_str()).collect();
        match parts[..] {
            [] => format!("\"fields\":{fields}"),
            _ => format!("\"fields\":{fields},\"aggregation\":[{}]", parts.join(",")),
        }
    }

    /// `"query":…,"database":…`. The VQL is put in as text: parsing it would retype numbers and drop keys.
    fn members(&self) -> String {
        let database = self.database.code();
        match &self.ask {
            Ask::Query(vql) => format!("\"query\":{},\"database\":\"{database}\"", self.narrowed(vql)),
            Ask::List(id) => {
                format!("\"list\":{},\"database\":\"{database}\"", Value::from(id.as_str()))
            }
        }
    }

    fn narrowed(&self, vql: &str) -> String {
        match &self.narrowed {
            None => vql.to_owned(),
            Some(Narrowed::Only(ids)) => {
                let ids: Value = ids.iter().map(BusinessId::as_str).collect();
                format!("{{\"?ALL\":[{vql},{{\"?IN\":{{\"business_id\":{ids}}}}}]}}")
            }
            Some(Narrowed::Changed(start, end)) => {
                let window = json!([start.to_string(), end.to_string()]);
                let groups = ["modifications.basic", "modifications.financial_statements"];
                let either: Value = groups.iter().map(|group| json!({"?RANGE": {*group: window}})).collect();
                format!("{{\"?ALL\":[{vql},{{\"?ANY\":{either}}}]}}")
            }
        }
    }
}

/// One page of a selection.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest<'a> {
    pub selection: &'a Selection,
    /// Rows; the server may give fewer.
    pub limit: u32,
    /// Rows before the page.
    pub offset: u64,
    /// By `business_id`; otherwise in the server's own order.
    pub ordered: bool,
}

impl PageRequest<'_> {
    pub(super) fn body(&self) -> String {
        format!(
            "{{{},{},\"limit\":{},\"offset\":{}{}}}",
            self.selection.members(),
            self.selection.columns(),
            self.limit,
            self.offset,
            order(self.ordered)
        )
    }
}

fn order(ordered: bool) -> &'static str {
    if ordered { ",\"order\":\"business_id\"" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VQL: &str = r#"{ "?GTE" : {"b": 1.0, "a": 1e400, "a": 12345678901234567890} }"#;

    fn selection(ask: Ask) -> Selection {
        Selection::new(Database::Fi, ask, vec!["business_id".into(), "a\"b".into()])
    }

    #[test]
    fn vql_is_sent_as_it_was_written() {
        let selection = selection(Ask::Query(VQL.into()));
        let body = PageRequest { selection: &selection, limit: 2, offset: 7, ordered: true }.body();
        assert_eq!(
            body,
            format!(
                r#"{{"query":{VQL},"database":"FI","fields":["business_id","a\"b"],"limit":2,"offset":7,"order":"business_id"}}"#
            )
        );
    }

    #[test]
    fn an_aggregation_is_sent_as_it_was_written_also_where_ids_narrow_the_query() {
        let json = r#"{ "id":"x", "?AGGREGATE": [ {"?COUNT": {"path":"vehicles"}} ]}"#;
        let selection = Selection::new(Database::Se, Ask::Query("{}".into()), vec!["?x".into()])
            .aggregated(vec![Aggregation { id: "x".into(), json: json.into() }]);
        for selection in [selection.only(&[]).unwrap(), selection] {
            let body = PageRequest { selection: &selection, limit: 2, offset: 0, ordered: false }.body();
            assert!(body.contains(&format!(r#""fields":["?x"],"aggregation":[{json}],"limit":2"#)), "{body}");
            assert!(!selection.count_body(Duration::ZERO).contains("aggregation"));
        }
    }

    #[test]
    fn ids_narrow_a_query_inside_one_all() {
        let ids = [BusinessId::new("FI1".into()).unwrap(), BusinessId::new("F\"2".into()).unwrap()];
        let selection = selection(Ask::Query(VQL.into())).only(&ids).unwrap();
        let body = PageRequest { selection: &selection, limit: 2, offset: 0, ordered: false }.body();
        assert_eq!(
            body,
            format!(
                r#"{{"query":{{"?ALL":[{VQL},{{"?IN":{{"business_id":["FI1","F\"2"]}}}}]}},"database":"FI","fields":["business_id","a\"b"],"limit":2,"offset":0}}"#
            )
        );
    }

    #[test]
    fn a_window_narrows_a_query_to_either_group_of_changes() {
        let (start, end) = ("2026-11-25T01:00:00Z", "2026-11-25T02:59:55Z");
        let selection = selection(Ask::Query(VQL.into()));
        let changed = selection.changed(start.parse().unwrap(), end.parse().unwrap()).unwrap();
        let body = PageRequest { selection: &changed, limit: 2, offset: 0, ordered: false }.body();
        let either = format!(
            r#"{{"?ANY":[{{"?RANGE":{{"modifications.basic":["{start}","{end}"]}}}},{{"?RANGE":{{"modifications.financial_statements":["{start}","{end}"]}}}}]}}"#
        );
        assert!(body.starts_with(&format!(r#"{{"query":{{"?ALL":[{VQL},{either}]}},"database""#)), "{body}");
    }

    #[test]
    fn a_list_cannot_be_narrowed() {
        let list = selection(Ask::List("69b0".into()));
        assert_eq!(list.only(&[]), None);
        assert_eq!(list.changed(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH), None);
    }

    #[test]
    fn a_count_sends_neither_order_nor_page() {
        let body = selection(Ask::List("69b0".into())).count_body(Duration::from_millis(2900));
        assert_eq!(body, r#"{"list":"69b0","database":"FI","recount_if_cache_max_age":2}"#);
    }
}
