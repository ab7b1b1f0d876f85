//! Whether a listing is complete. Pure.

use super::joints::Broken;
use super::{Listed, Way};

/// Rows that must have come, in percent of the count.
const ENOUGH: u64 = 99;

/// Why a listing is not complete.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    #[error(transparent)]
    NoEnd(#[from] Broken),
    /// The end was proved, but the count says that there is more.
    #[error("the listing ended after {rows} rows, but {expected} were counted")]
    Short { rows: u64, expected: u64 },
    /// The job completed and its file ended, but the count says that there is more.
    #[error(
        "the export ended after {rows} rows, but {expected} were counted: Vainu may limit what this account exports"
    )]
    ShortExport { rows: u64, expected: u64 },
    #[error("the export ended after {rows} rows, and no count says whether that is all")]
    Uncounted { rows: u64 },
}

/// Judges a listing against a fresh count. `shortfall` is how many rows a person accepted as missing from a
/// listing by pages: an export has no end of its own that could be trusted against the count.
///
/// # Errors
/// Why the listing can't be called complete.
pub fn complete(listed: &Listed, expected: Option<u64>, shortfall: u64) -> Result<(), Incomplete> {
    listed.end.clone()?;
    let rows = listed.rows;
    match (listed.by, expected) {
        (Way::Pages, Some(expected)) if !enough(rows + shortfall, expected) => {
            Err(Incomplete::Short { rows, expected })
        }
        (Way::Export, Some(expected)) if !enough(rows, expected) => {
            Err(Incomplete::ShortExport { rows, expected })
        }
        (Way::Export, None) => Err(Incomplete::Uncounted { rows }),
        _ => Ok(()),
    }
}

fn enough(rows: u64, expected: u64) -> bool {
    u128::from(rows) * 100 >= u128::from(expected) * u128::from(ENOUGH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(rows: u64) -> Listed {
        let (first_answer, first_id, last_id) = (None, None, None);
        Listed { by: Way::Pages, rows, end: Ok(()), first_answer, first_page: 0, first_id, last_id }
    }

    #[test]
    fn ninety_nine_percent_of_the_count_are_enough() {
        assert_eq!(complete(&listed(990), Some(1000), 0), Ok(()));
        let short = Err(Incomplete::Short { rows: 989, expected: 1000 });
        assert_eq!(complete(&listed(989), Some(1000), 0), short);
        assert_eq!(complete(&listed(989), Some(1000), 1), Ok(()));
        assert_eq!(complete(&listed(0), None, 0), Ok(()));
    }

    #[test]
    fn an_export_is_measured_by_the_count_alone() {
        let export = |rows| Listed { by: Way::Export, ..listed(rows) };
        assert_eq!(complete(&export(990), Some(1000), 0), Ok(()));
        let short = Err(Incomplete::ShortExport { rows: 900, expected: 1000 });
        assert_eq!(complete(&export(900), Some(1000), 100), short, "that much was accepted of pages");
        assert_eq!(complete(&export(990), None, 0), Err(Incomplete::Uncounted { rows: 990 }));
        assert_eq!(complete(&export(0), Some(0), 0), Ok(()));
    }

    #[test]
    fn no_number_of_rows_makes_up_for_an_end_without_proof() {
        let broken = Listed { end: Err(Broken::Joint { at: 5 }), ..listed(1000) };
        assert_eq!(complete(&broken, Some(1000), 1000), Err(Broken::Joint { at: 5 }.into()));
    }
}
