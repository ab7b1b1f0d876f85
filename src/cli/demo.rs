//! `demo`: the whole job in one command, in a fresh folder, against a sandbox of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::feed::line as feed_line;
use super::files::{OWNER_ONLY, write_new};
use super::{Exit, Failure, Output, Surroundings, open_store, program, progress};
use crate::config::{Environment, Flags, Settings, load};
use crate::feed;
use crate::observe::logging::{self, Bars};
use crate::run::{self, Order, Report, Tools};
use crate::sandbox::{Options, Sandbox, World};
use crate::store::{Change, Filter, Status, Store};
use crate::text::grouped;
use crate::vainu::Client;

/// Where the feed goes, in the folder.
const FEEDS: &str = "feeds";

/// Changes that are shown of each kind.
const SHOWN: usize = 2;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder, which must not exist yet [default: vainu-demo, or the next free name]
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// How many made-up companies there are
    #[arg(long, default_value_t = 5000)]
    size: u32,
}

/// Makes the folder, syncs, lets a day pass, syncs again, and tells what happened.
///
/// # Errors
/// If the folder can't be made, or anything of the job fails.
pub async fn execute(args: &Args, around: &mut Surroundings<'_>) -> Result<Exit, Failure> {
    let folder = fresh_folder(args.folder.as_deref())?;
    let world = World::Generated { size: args.size };
    let sandbox = Sandbox::start(Options { world, ..Options::default() }).await?;
    write_configuration(&folder, &sandbox)?;
    let settings = load(&Flags::default(), &Environment::in_directory(&folder))?.settings;
    logging::init(&settings.log, Bars::Shown, around.environment.journal_stream())?;
    let out = &mut *around.output;
    writeln!(
        out,
        "A made-up Vainu API with {} Finnish companies runs for this demo.",
        grouped(args.size.into())
    )?;
    writeln!(out, "Folder {} holds a configuration with one saved query.\n", folder.display())?;

    let (_lock, mut store) = open_store(&settings.store.path, "demo", Duration::ZERO).await?;
    let client = Client::new(&settings.api, settings.require_credential()?, &settings.store.path)?;
    let mut exit = Exit::Done;
    for (night, day) in ["First night", "A day passes; second night"].iter().enumerate() {
        if night > 0 {
            sandbox.control().set_day(1);
        }
        let since = store.last_change().await?;
        let report = sync(&settings, &client, &mut store, around).await;
        exit = exit.or(Exit::of_run(&report));
        tell_night(around.output, day, &report)?;
        if night > 0 {
            tell_changes(around.output, &mut store, since).await?;
            writeln!(around.output)?;
        }
        for report in feed(&settings, &mut store, around).await {
            exit = exit.or(Exit::of_feed(&report));
            writeln!(around.output, "{}", feed_line(&report))?;
        }
    }
    store.close().await?;
    sandbox.stop().await;
    tell_next_steps(around.output, &folder)?;
    Ok(exit)
}

async fn sync(settings: &Settings, client: &Client, store: &mut Store, around: &Surroundings<'_>) -> Report {
    let query = &settings.queries[0];
    let tools = Tools {
        settings,
        client,
        store,
        stop: &around.stop,
        progress: &progress::OnTerminal::of(&query.name),
        clock: &Timestamp::now,
        batch_rows: run::BATCH_ROWS,
    };
    run::run(query, Order::default(), tools).await
}

async fn feed(settings: &Settings, store: &mut Store, around: &Surroundings<'_>) -> Vec<feed::Report> {
    let (stop, clock) = (&around.stop, &Timestamp::now);
    let tools = feed::Tools { settings, store, stop, clock, batch: feed::BATCH };
    feed::follow(&settings.query_names(), tools).await
}

fn tell_night(out: &mut Output, night: &str, report: &Report) -> Result<(), Failure> {
    let n = &report.numbers;
    if report.status != Status::Succeeded {
        writeln!(out, "{night}: {}: {}", report.status, report.error.as_deref().unwrap_or_default())?;
        return Ok(());
    }
    writeln!(
        out,
        "{night}: {} companies in {} requests and {:.1} s: {} new, {} changed, {} gone, {} as they were.",
        grouped(n.fetched),
        n.requests,
        report.took.as_secs_f64(),
        grouped(n.created),
        grouped(n.updated),
        grouped(n.left),
        grouped(n.unchanged),
    )?;
    Ok(())
}

async fn tell_changes(out: &mut Output, store: &mut Store, since: i64) -> Result<(), Failure> {
    let filter = Filter { since, ..Filter::default() };
    let changes = store.changes(&filter, u32::MAX).await?;
    writeln!(out, "\nSome of that night's {} changes:", grouped(changes.len() as u64))?;
    for kind in ["created", "updated", "left"] {
        for change in changes.iter().filter(|change| change.kind == kind).take(SHOWN) {
            writeln!(out, "  {}", shown(change))?;
        }
    }
    Ok(())
}

fn shown(change: &Change) -> String {
    let Change { kind, business_id, before, after, .. } = change;
    let cut = |text: &str| {
        let end = text.char_indices().nth(60).map_or(text.len(), |(at, _)| at);
        if end < text.len() { format!("{}…", &text[..end]) } else { text.to_owned() }
    };
    match (before, after) {
        (Some(before), Some(after)) => format!("{kind} {business_id}: {} → {}", cut(before), cut(after)),
        (None, Some(after)) => format!("{kind} {business_id}: {}", cut(after)),
        _ => format!("{kind} {business_id}"),
    }
}

fn tell_next_steps(out: &mut Output, folder: &Path) -> Result<(), Failure> {
    let program = program();
    let config = folder.join("config.toml");
    let (config, store, feeds) = (config.display(), folder.join("vainu.db"), folder.join(FEEDS));
    writeln!(
        out,
        "\nThe store is {store}: one SQLite file with the tables organizations, memberships, changes and runs.\n\
         The folder {feeds} holds what a CRM would take in: crm-00000001.csv with every company, crm-00000002.csv with \
         what the second night changed, and crm-latest.json, which says how fresh they are.\n\
         The sandbox has ended; the store and the files stay. Three commands to try next:\n\
         \n  {program} --config {config} status\
         \n  {program} --config {config} changes --limit 20\
         \n  sqlite3 {store} \"SELECT business_id, name, financial_data_revenue FROM members_growing_companies LIMIT 5\"\n\
         \nFor your own data, README.md goes from nothing to a first real sync.",
        store = store.display(),
        feeds = feeds.display(),
    )?;
    Ok(())
}

/// Makes a folder that was not there before.
fn fresh_folder(wanted: Option<&Path>) -> Result<PathBuf, Failure> {
    let numbered = (2..1000).map(|n| PathBuf::from(format!("vainu-demo-{n}")));
    let names: Vec<PathBuf> = match wanted {
        Some(folder) => vec![folder.to_owned()],
        None => std::iter::once(PathBuf::from("vainu-demo")).chain(numbered).collect(),
    };
    for folder in &names {
        match fs::create_dir(folder) {
            Ok(()) => return Ok(folder.clone()),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && wanted.is_none() => {}
            Err(source) => {
                let what =
                    format!("the folder {} can't be made; name another with --folder", folder.display());
                return Err(Failure::System { what, source });
            }
        }
    }
    Err(Failure::Usage(
        "every name from vainu-demo to vainu-demo-999 is taken: name a folder with --folder".into(),
    ))
}

fn write_configuration(folder: &Path, sandbox: &Sandbox) -> Result<(), Failure> {
    let text = format!(
        r#"# Made by `vainu-sync demo` for a made-up API that ended with it. config.example.toml shows every key.

[api]
base_url = "{}"

[auth]
refresh_token = "{}"   # made up, like everything here

[log]
level = "warn"

[[queries]]
name = "growing-companies"
database = "FI"
query = '{{"?GTE": {{"financial_data.revenue": 1000000}}}}'
fields = ["name", "website", "legal_entity", "financial_data.revenue", "business_units.visiting_address.city"]
schedule = "0 3 * * *"
timezone = "Europe/Helsinki"

[[feeds]]
name = "crm"
queries = ["growing-companies"]
directory = "feeds"
[feeds.columns]
"Company" = "name"
"Website" = "website"
"Revenue" = "financial_data.revenue"
"City" = "business_units[0].visiting_address.city"
"#,
        sandbox.base_url(),
        sandbox.refresh_token(),
    );
    fs::create_dir(folder.join(FEEDS))?;
    // It holds a token.
    write_new(&folder.join("config.toml"), &text, OWNER_ONLY)?;
    Ok(())
}
