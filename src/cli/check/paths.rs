//! What the field catalogue says of the paths of a query.

use crate::cli::{Exit, Failure, Output};
use crate::config::settings::{Ask, Query};
use crate::config::{Origin, Problem};
use crate::vainu::{Catalogue, Use, Verdict};
use crate::vql;

/// What is to be said of one path.
struct Remark {
    problem: Problem,
    /// The catalogue is sure.
    certain: bool,
}

/// Prints what the catalogue has to say against paths of `query`.
///
/// # Errors
/// If stdout can't be written.
pub fn tell(query: &Query, catalogue: Option<&Catalogue>, output: &mut Output) -> Result<Exit, Failure> {
    let Some(catalogue) = catalogue else { return Ok(Exit::Done) };
    let mut exit = Exit::Done;
    for remark in filters(query, catalogue).into_iter().chain(fields(query, catalogue)) {
        let kind = if remark.certain { "problem" } else { "note" };
        writeln!(output, "  {kind}: {}", remark.problem)?;
        if remark.certain {
            exit = Exit::NotDone;
        }
    }
    Ok(exit)
}

fn filters(query: &Query, catalogue: &Catalogue) -> Vec<Remark> {
    let Ask::Query(vql) = &query.ask else { return Vec::new() };
    let filtered = vql::filtered(vql).into_iter().filter(|filtered| filtered.path != "business_id");
    let remarks = filtered.filter_map(|filtered| {
        let verdict = catalogue.judge(&filtered.path, Use::Filter, query.database);
        let origin = below(&query.asked_at, &vql[..filtered.offset]);
        remark(query, Use::Filter, &filtered.path, verdict, origin)
    });
    remarks.collect()
}

fn fields(query: &Query, catalogue: &Catalogue) -> Vec<Remark> {
    let is_result = |field: &str| {
        let id = field.strip_prefix('?').unwrap_or(field);
        field.starts_with('?') || query.aggregations.iter().any(|aggregation| aggregation.id == id)
    };
    let remarks = query.fields.iter().filter(|field| *field != "business_id").filter_map(|field| {
        let verdict = match catalogue.judge(field, Use::Output, query.database) {
            Verdict::Unknown(_) if is_result(field) => Verdict::Fine,
            verdict => verdict,
        };
        remark(query, Use::Output, field, verdict, query.fields_at.clone())
    });
    remarks.collect()
}

fn remark(query: &Query, wanted: Use, path: &str, verdict: Verdict, origin: Origin) -> Option<Remark> {
    let (key, kind, consequence) = match wanted {
        Use::Filter => {
            ("query", "filters", "Vainu ignores the filter on it, so that too many companies match")
        }
        Use::Output => ("fields", "output", "Vainu leaves it out or refuses the query"),
    };
    let certain = !matches!(verdict, Verdict::Permission(_));
    let message = match verdict {
        Verdict::Fine => return None,
        Verdict::Unknown(suggestion) => {
            let meant = suggestion.map(|meant| format!("; did you mean {meant:?}?")).unwrap_or_default();
            format!("the catalogue does not know {path:?}, and {consequence}{meant}")
        }
        Verdict::OtherDatabase => format!("database {} has no {path:?}", query.database),
        Verdict::OtherUse => format!("the catalogue does not offer {path:?} for {kind}"),
        Verdict::Permission(permissions) => {
            format!("{path:?} is for accounts with the permission {}", permissions.join(" or "))
        }
    };
    let key = Some(format!("queries.{}.{key}", query.name));
    Some(Remark { problem: Problem { key, message, origin: Some(origin) }, certain })
}

/// The place after `text`, which begins at `origin`.
fn below(origin: &Origin, text: &str) -> Origin {
    match origin {
        Origin::File { path, line } => {
            let line = line.map(|line| line + text.matches('\n').count());
            Origin::File { path: path.clone(), line }
        }
        other => other.clone(),
    }
}
