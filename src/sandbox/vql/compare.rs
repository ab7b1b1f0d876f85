//! One comparison of a value in a row with what the query gives.

use std::cmp::Ordering;
use std::collections::HashSet;

use serde_json::Value;

/// What a value is held against.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    Eq(Value),
    Gt(Value),
    Gte(Value),
    Lt(Value),
    Lte(Value),
    In(Choice),
    /// Both ends included.
    Range(Value, Value),
    StartsWith(String),
    IContains(String),
    WithinSphere {
        /// Longitude and latitude in degrees.
        center: [f64; 2],
        /// Radians on the sphere.
        radius: f64,
    },
}

impl Test {
    /// Whether `raw`, a value as it stands in a row, passes. A list passes if one of its elements does.
    pub fn passes(&self, raw: &str) -> bool {
        serde_json::from_str(raw).is_ok_and(|value| self.passes_value(&value))
    }

    fn passes_value(&self, value: &Value) -> bool {
        if let Self::WithinSphere { center, radius } = self {
            return point(value).is_some_and(|place| angle(*center, place) <= *radius);
        }
        match value {
            Value::Array(elements) => elements.iter().any(|element| self.passes_value(element)),
            scalar => self.passes_scalar(scalar),
        }
    }

    fn passes_scalar(&self, value: &Value) -> bool {
        let order = |bound| compare(value, bound);
        match self {
            Self::Eq(wanted) => order(wanted).is_some_and(Ordering::is_eq),
            Self::Gt(bound) => order(bound).is_some_and(Ordering::is_gt),
            Self::Gte(bound) => order(bound).is_some_and(Ordering::is_ge),
            Self::Lt(bound) => order(bound).is_some_and(Ordering::is_lt),
            Self::Lte(bound) => order(bound).is_some_and(Ordering::is_le),
            Self::In(choice) => choice.holds(value),
            Self::Range(low, high) => {
                order(low).is_some_and(Ordering::is_ge) && order(high).is_some_and(Ordering::is_le)
            }
            Self::StartsWith(start) => value.as_str().is_some_and(|text| text.starts_with(start.as_str())),
            Self::IContains(part) => value.as_str().is_some_and(|text| text.to_lowercase().contains(part)),
            Self::WithinSphere { .. } => false,
        }
    }
}

/// The values of an `?IN`. The texts are hashed, for a list of ids is long and is asked of every row.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    texts: HashSet<String>,
    others: Vec<Value>,
}

impl Choice {
    pub fn of(values: &[Value]) -> Self {
        let texts = values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let others = values.iter().filter(|value| !value.is_string()).cloned().collect();
        Self { texts, others }
    }

    fn holds(&self, value: &Value) -> bool {
        value.as_str().map_or_else(
            || self.others.iter().any(|wanted| compare(value, wanted).is_some_and(Ordering::is_eq)),
            |text| self.texts.contains(text),
        )
    }
}

/// `None` where the two are of different kinds, which no comparison satisfies. Dates compare as text, for
/// they are ISO 8601.
fn compare(value: &Value, bound: &Value) -> Option<Ordering> {
    match (value, bound) {
        (Value::String(value), Value::String(bound)) => Some(value.cmp(bound)),
        (Value::Number(value), Value::Number(bound)) => value.as_f64()?.partial_cmp(&bound.as_f64()?),
        (Value::Bool(value), Value::Bool(bound)) => Some(value.cmp(bound)),
        _ => None,
    }
}

/// A pair of numbers read as longitude and latitude.
pub fn point(value: &Value) -> Option<[f64; 2]> {
    match value.as_array()?.as_slice() {
        [longitude, latitude] => Some([longitude.as_f64()?, latitude.as_f64()?]),
        _ => None,
    }
}

/// The angle between two places on the sphere, in radians (haversine).
fn angle(from: [f64; 2], to: [f64; 2]) -> f64 {
    let [longitude, latitude] = from.map(f64::to_radians);
    let [other_longitude, other_latitude] = to.map(f64::to_radians);
    let half = |difference: f64| (difference / 2.0).sin().powi(2);
    let chord = half(other_latitude - latitude)
        + latitude.cos() * other_latitude.cos() * half(other_longitude - longitude);
    2.0 * chord.sqrt().min(1.0).asin()
}
