//! Whether an API keeps to an order, as far as three pages tell. Pure.

use std::fmt;

use crate::organization::BusinessId;

/// What three pages tell of `order`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Honoured,
    /// It may be the server's own.
    SameWithout,
    /// The overlap of two pages differs.
    Moving,
    NotAscending,
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Honoured => "honoured: ids ascend, two overlapping pages agree, and unasked they come otherwise",
            Self::SameWithout => {
                "ids ascend and two overlapping pages agree, but they do so unasked too: whether it is honoured \
                 can't be told"
            }
            Self::Moving => {
                "two overlapping pages disagree: the listing moves, or no order is kept; runs take longer to \
                 join their pages"
            }
            Self::NotAscending => "not honoured: ids do not ascend; runs join pages without it",
        })
    }
}

/// Judges the ids of an ordered page, of another that begins at its index `at`, and of one without an order.
#[must_use]
pub fn judge(ordered: &[BusinessId], at: usize, overlap: &[BusinessId], without: &[BusinessId]) -> Order {
    let again = ordered.get(at..).unwrap_or_default();
    let both = again.len().min(overlap.len());
    if again[..both] != overlap[..both] || both == 0 {
        return Order::Moving;
    }
    if !ordered.is_sorted() {
        return Order::NotAscending;
    }
    if ordered.starts_with(without) { Order::SameWithout } else { Order::Honoured }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(numbers: &[u32]) -> Vec<BusinessId> {
        numbers.iter().map(|number| BusinessId::new(format!("FI{number:03}")).unwrap()).collect()
    }

    #[test]
    fn a_first_page_in_order_proves_nothing() {
        let judge = |ordered: &[u32], overlap: &[u32], without: &[u32]| {
            judge(&ids(ordered), 2, &ids(overlap), &ids(without))
        };
        assert_eq!(judge(&[1, 2, 3, 4], &[3, 4], &[1, 2]), Order::SameWithout);
        assert_eq!(judge(&[1, 2, 3, 4], &[3, 4], &[9, 2]), Order::Honoured);
        assert_eq!(judge(&[1, 2, 3, 4], &[4, 5], &[9, 2]), Order::Moving);
        assert_eq!(judge(&[1, 2, 3, 4], &[], &[9, 2]), Order::Moving);
        assert_eq!(judge(&[4, 2, 3, 1], &[3, 1], &[4, 2]), Order::NotAscending);
    }
}
