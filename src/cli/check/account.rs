//! How the API behaves for this account where its documents are silent, asked with one query.

use super::asking::{Asking, NoPage};
use super::order;
use super::sample::{Absent, Sample};
use crate::cli::{Exit, Failure, Output};
use crate::config::settings::{Ask, Query};
use crate::organization::BusinessId;
use crate::text::grouped;
use crate::vainu::{Page, PageRequest, Selection};

/// The limit that runs fall back to where the configured one is refused.
const CAUTIOUS_LIMIT: u32 = 100;

/// Rows that an answer to an `?IN` may hold; more than the ids that are asked for.
const ROWS_OF_IN: u32 = 10;

/// Prints how pages, order, `?IN` and empty fields come, a line each.
///
/// # Errors
/// If nothing else could be had of the API either, or stdout can't be written.
pub async fn tell(asking: &Asking<'_>, samples: &[Sample<'_>], output: &mut Output) -> Result<Exit, Failure> {
    let Some(sample) = most_telling(samples) else {
        writeln!(output, "this account: no query gave a company, so nothing more can be told")?;
        return Ok(Exit::Done);
    };
    let query = sample.query;
    writeln!(output, "this account, as query {} shows:", query.name)?;
    let selection = Selection::new(query.database, query.ask.clone(), vec!["business_id".to_owned()]);
    let account = Account { asking, query, selection, count: sample.count };
    let first = match account.first().await? {
        Ok(first) => first,
        Err(reason) => {
            writeln!(output, "  pages, order and ?IN can't be told: {reason}")?;
            return Ok(reason.exit());
        }
    };
    let mut exit = Exit::Done;
    for (name, told) in [
        ("page size", account.page_size(&first).await?),
        ("order by business_id", account.order(&first).await?),
        ("?IN on business_id inside ?ALL", account.in_filter(&first).await?),
        ("fields without a value", Ok(absent_words(samples))),
    ] {
        let words = told.unwrap_or_else(|reason| {
            exit = exit.or(reason.exit());
            format!("can't be told: {reason}")
        });
        writeln!(output, "  {name}: {words}")?;
    }
    Ok(exit)
}

/// The query of the most companies, rather than a list: a list can't be narrowed.
fn most_telling<'a, 'q>(samples: &'a [Sample<'q>]) -> Option<&'a Sample<'q>> {
    let telling =
        samples.iter().filter(|sample| sample.page.as_ref().is_some_and(|page| !page.rows.is_empty()));
    telling.max_by_key(|sample| (matches!(sample.query.ask, Ask::Query(_)), sample.count))
}

struct Account<'a> {
    asking: &'a Asking<'a>,
    query: &'a Query,
    /// Of ids alone.
    selection: Selection,
    count: Option<u64>,
}

/// The first page that was given.
struct First {
    page: Page,
    limit: u32,
    ordered: bool,
}

/// What was found out, in words, or why not.
type Told = Result<Result<String, NoPage>, Failure>;

impl Account<'_> {
    /// The first page, asked in another way where it is refused.
    async fn first(&self) -> Result<Result<First, NoPage>, Failure> {
        let size = self.asking.api.page_size;
        let limits = [Some(size), (size > CAUTIOUS_LIMIT).then_some(CAUTIOUS_LIMIT)];
        let mut refusal = None;
        for limit in limits.into_iter().flatten() {
            for ordered in [true, false] {
                match self.page(&self.selection, limit, 0, ordered).await? {
                    Ok(page) => return Ok(Ok(First { page, limit, ordered })),
                    Err(reason) if reason.is_bad_request() => refusal = Some(reason),
                    Err(reason) => return Ok(Err(reason)),
                }
            }
        }
        Ok(Err(refusal.expect("a limit is always asked for")))
    }

    async fn page_size(&self, first: &First) -> Told {
        let (rows, limit) = (first.page.rows.len() as u64, u64::from(first.limit));
        let refused = match self.asking.api.page_size {
            size if size == first.limit => String::new(),
            size => format!("a limit of {} is refused; ", grouped(size.into())),
        };
        let came = format!("{refused}{} rows came for a limit of {}", grouped(rows), grouped(limit));
        Ok(Ok(match self.count {
            Some(count) if count <= rows => format!("{came}: all there are, so that the cap can't be told"),
            _ if rows < limit => format!("{came}: the cap, which runs find by themselves"),
            _ if first.limit == self.asking.api.page_size => match self.more(first).await? {
                Ok(more) => format!("{came}; {more}"),
                Err(reason) => return Ok(Err(reason)),
            },
            _ => came,
        }))
    }

    /// What comes of twice the limit.
    async fn more(&self, first: &First) -> Told {
        let (rows, limit) = (first.page.rows.len(), first.limit.saturating_mul(2));
        let asked = grouped(limit.into());
        Ok(match self.page(&self.selection, limit, 0, first.ordered).await? {
            Err(reason) if reason.is_bad_request() => Ok(format!("{asked} is refused")),
            Err(reason) => Err(reason),
            Ok(page) if page.rows.len() > rows => {
                let more = grouped(page.rows.len() as u64);
                Ok(format!("{more} for {asked}: api.page_size may be raised"))
            }
            Ok(_) => Ok(format!("no more for {asked}: that is the cap")),
        })
    }

    async fn order(&self, first: &First) -> Told {
        if !first.ordered {
            return Ok(Ok("refused; runs read without it, one page at a time".to_owned()));
        }
        let ids = ids(&first.page);
        let half = u32::try_from(ids.len() / 2).unwrap_or(u32::MAX);
        if half < 2 {
            return Ok(Ok("too few companies to tell".to_owned()));
        }
        let overlap = match self.page(&self.selection, half, half.into(), true).await? {
            Ok(page) => self::ids(&page),
            Err(reason) => return Ok(Err(reason)),
        };
        let without = match self.page(&self.selection, half.min(CAUTIOUS_LIMIT), 0, false).await? {
            Ok(page) => self::ids(&page),
            Err(reason) => return Ok(Err(reason)),
        };
        Ok(Ok(order::judge(&ids, half as usize, &overlap, &without).to_string()))
    }

    async fn in_filter(&self, first: &First) -> Told {
        let ids = ids(&first.page);
        let ([one, _, .., other], Some(narrowed)) = (ids.as_slice(), self.narrowed(&ids)) else {
            let reason = match self.query.ask {
                Ask::List(_) => "a list can't be narrowed; write it as a query to have departures asked for",
                Ask::Query(_) => "too few companies to tell",
            };
            return Ok(Ok(reason.to_owned()));
        };
        let page = match self.page(&narrowed, ROWS_OF_IN, 0, false).await? {
            Ok(page) => page,
            Err(reason) if reason.is_bad_request() => {
                return Ok(Ok(format!("refused, {WITHOUT_IN}: {reason}")));
            }
            Err(reason) => return Ok(Err(reason)),
        };
        let mut came = self::ids(&page);
        came.sort();
        let mut asked = [one.clone(), other.clone()];
        asked.sort();
        Ok(Ok(if came == asked {
            "honoured: who is missing from a listing is asked for before it leaves".to_owned()
        } else {
            format!("not honoured, {WITHOUT_IN}: {} rows came for 2 ids", page.rows.len())
        }))
    }

    /// The first and the last of `ids` alone.
    fn narrowed(&self, ids: &[BusinessId]) -> Option<Selection> {
        self.selection.only(&[ids.first()?.clone(), ids.last()?.clone()])
    }

    async fn page(
        &self,
        selection: &Selection,
        limit: u32,
        offset: u64,
        ordered: bool,
    ) -> Result<Result<Page, NoPage>, Failure> {
        self.asking.page(&PageRequest { selection, limit, offset, ordered }).await
    }
}

const WITHOUT_IN: &str = "so that who is missing leaves by the count or at the second listing";

fn ids(page: &Page) -> Vec<BusinessId> {
    page.rows.iter().flatten().map(|row| row.id().clone()).collect()
}

fn absent_words(samples: &[Sample<'_>]) -> String {
    let absent = samples.iter().map(Sample::absent).fold(Absent::default(), Absent::and);
    match (absent.null, absent.missing) {
        (0, 0) => format!("none among {} rows", absent.rows),
        (_, 0) => "come as null".to_owned(),
        (0, _) => "are missing from the row".to_owned(),
        (null, missing) => {
            format!("come as null ({null} times) or are missing from the row ({missing} times)")
        }
    }
}
