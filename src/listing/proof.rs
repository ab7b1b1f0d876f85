//! Whether a listing is complete. Pure.

use super::Listed;
use super::joints::Broken;

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
}

/// Judges a listing against a fresh count. `shortfall` is how many rows a person accepted as missing.
///
/// # Errors
/// Why the listing can't be called complete.
pub fn complete(listed: &Listed, expected: Option<u64>, shortfall: u64) -> Result<(), Incomplete> {
    listed.end.clone()?;
    match expected {
        Some(expected) if !enough(listed.rows + shortfall, expected) => {
            Err(Incomplete::Short { rows: listed.rows, expected })
        }
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
        Listed { rows, end: Ok(()), first_answer: None, first_page: 0, first_id: None, last_id: None }
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
    fn no_number_of_rows_makes_up_for_an_end_without_proof() {
        let broken = Listed { end: Err(Broken::Joint { at: 5 }), ..listed(1000) };
        assert_eq!(complete(&broken, Some(1000), 1000), Err(Broken::Joint { at: 5 }.into()));
    }
}
