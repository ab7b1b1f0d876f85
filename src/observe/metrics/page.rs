//! Metrics written down as Prometheus's library takes them.

use std::fmt::{self, Debug};

use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use crate::standing::Totals;
use crate::store::Ended;

/// Writes metrics.
pub(super) struct Page<'a>(DescriptorEncoder<'a>);

/// Names and values.
pub(super) type Labels<'a, const N: usize> = [(&'static str, &'a str); N];

impl<'a> Page<'a> {
    pub fn new(encoder: DescriptorEncoder<'a>) -> Self {
        Self(encoder)
    }

    pub fn gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        self.gauges::<0>(name, help, [([], value)])
    }

    /// A gauge without a value is not told of.
    pub fn gauges<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels<'l, N>, f64)>,
    ) -> fmt::Result {
        self.each(name, help, MetricType::Gauge, values, |metric, value| metric.encode_gauge(&value))
    }

    /// `name` goes without `_total`.
    pub fn counters<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels<'l, N>, u64)>,
    ) -> fmt::Result {
        self.each(name, help, MetricType::Counter, values, |metric, value| {
            metric.encode_counter::<NoLabelSet, _, u64>(&value, None)
        })
    }

    pub fn histograms(&mut self, name: &str, help: &str, totals: &[(&str, Totals)]) -> fmt::Result {
        let values = totals.iter().map(|(query, totals)| ([("query", *query)], totals));
        self.each(name, help, MetricType::Histogram, values, |metric, totals| {
            let within: u64 = totals.took.iter().sum();
            let beyond = (f64::INFINITY, totals.count().saturating_sub(within));
            let buckets: Vec<(f64, u64)> =
                Ended::UP_TO.into_iter().zip(totals.took).chain([beyond]).collect();
            metric.encode_histogram::<NoLabelSet>(totals.seconds, totals.count(), &buckets, None)
        })
    }

    fn each<'l, T, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        metric_type: MetricType,
        values: impl IntoIterator<Item = (Labels<'l, N>, T)>,
        encode: impl Fn(&mut MetricEncoder<'_>, T) -> fmt::Result,
    ) -> fmt::Result
    where
        Labels<'l, N>: EncodeLabelSet + Debug,
    {
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() {
            return Ok(());
        }
        let help = format!("{help}.");
        let mut family = self.0.encode_descriptor(name, &help, None, metric_type)?;
        for (labels, value) in values {
            encode(&mut family.encode_family(&labels)?, value)?;
        }
        Ok(())
    }
}
