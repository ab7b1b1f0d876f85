//! The tables that stand once: `[api]`, `[store]`, `[http]`, `[log]`.

use std::path::PathBuf;

use super::ca_file::certificates;
use super::layers::Layers;
use super::parse::{base_url, choice, duration, hosts, listen, log_level, positive_duration};
use super::report::{Report, Reported};
use super::settings::{Api, Http, Log, LogFormat, Store};
use super::table::Table;
use super::value::{Given, path};
use crate::beside::real_place;

pub(super) fn api(layers: &Layers, report: &mut Report) -> Result<Api, Reported> {
    let mut table = Table::single(layers, report, "api");
    let base_url = table.required("base_url", base_url);
    let language = table.required("language", language);
    let page_size = table.required("page_size", |given| given.integer(2..=u32::MAX));
    let concurrency = table.required("concurrency", |given| given.integer(1..=1000));
    let requests_per_second = table.required("requests_per_second", |given| given.integer(0..=u32::MAX));
    let timeout = table.required("timeout", positive_duration);
    let retry_for = table.required("retry_for", duration);
    let count_timeout = table.required("count_timeout", duration);
    let export_timeout = table.required("export_timeout", positive_duration);
    let ca_file = table.optional("ca_file", ca_file);
    table.finish();
    Ok(Api {
        base_url: base_url?,
        language: language?,
        page_size: page_size?,
        concurrency: concurrency?,
        requests_per_second: requests_per_second?,
        timeout: timeout?,
        retry_for: retry_for?,
        count_timeout: count_timeout?,
        export_timeout: export_timeout?,
        ca_file: ca_file?,
    })
}

fn language(given: &Given<'_>) -> Result<String, String> {
    choice(given, &[("en", "en"), ("fi", "fi"), ("sv", "sv")]).map(Into::into)
}

fn ca_file(given: &Given<'_>) -> Result<PathBuf, String> {
    let path = path(given)?;
    match certificates(&path) {
        Ok(_) => Ok(path),
        Err(reason) => Err(format!("names {}: {reason}", path.display())),
    }
}

pub(super) fn store(layers: &Layers, report: &mut Report) -> Result<Store, Reported> {
    let mut table = Table::single(layers, report, "store");
    let path = table.required("path", path);
    let keep_changes = table.required("keep_changes", positive_duration);
    let keep_runs = table.required("keep_runs", positive_duration);
    let keep_departed = table.optional("keep_departed", duration);
    table.finish();
    Ok(Store {
        path: real_place(path?),
        keep_changes: keep_changes?,
        keep_runs: keep_runs?,
        keep_departed: keep_departed?,
    })
}

pub(super) fn http(layers: &Layers, report: &mut Report) -> Result<Http, Reported> {
    let mut table = Table::single(layers, report, "http");
    let listen = table.required("listen", listen);
    let hosts = table.required("hosts", hosts);
    table.finish();
    Ok(Http { listen: listen?, hosts: hosts? })
}

pub(super) fn log(layers: &Layers, report: &mut Report) -> Result<Log, Reported> {
    const FORMATS: [(&str, LogFormat); 4] = [
        ("auto", LogFormat::Auto),
        ("pretty", LogFormat::Pretty),
        ("json", LogFormat::Json),
        ("journald", LogFormat::Journald),
    ];
    let mut table = Table::single(layers, report, "log");
    let level = table.required("level", log_level);
    let format = table.required("format", |given| choice(given, &FORMATS));
    table.finish();
    Ok(Log { level: level?, format: format? })
}
