//! Beside what users pick instead, and beside what the server can do at all.

use rusqlite::Connection;
use tempfile::TempDir;

use super::Bench;
use crate::contender::{Contender, VAINU_SYNC, store};
use crate::peers::{self, Peer};
use crate::table::{median, megabytes};

impl Bench {
    /// A first load and the same again, beside `peer`, if it is there, and beside the floor.
    pub(super) fn beside(&self, peer: Peer) {
        if let Some(lack) = peers::lack(self.python) {
            eprintln!("skipped: {}: {lack}", peer.name());
            return;
        }
        let contenders = [VAINU_SYNC, Contender::Floor, Contender::Peer(peer, self.python)];
        let stores = self.two_nights(&self.rows, &contenders).stores;
        for (who, folder) in contenders.iter().zip(&stores) {
            assert_eq!(self.rows.len(), organizations(folder), "{} has not all", who.name());
        }
    }

    /// Pages as fast as the server hands them out.
    pub(super) fn ceiling(&self) {
        self.server.serve(self.rows.clone());
        let reader = |concurrency| Contender::Reader { concurrency, rows: self.rows.len() };
        let readers = [reader(1), reader(4)];
        self.once(readers[0], TempDir::new().unwrap().path());
        let lines = self.in_turns("The server's ceiling", &readers, |who| {
            (self.once(who, TempDir::new().unwrap().path()), None)
        });
        let bytes: usize = self.rows.iter().map(String::len).sum();
        for line in lines {
            let seconds = median(&line.taken, |taken| taken.wall);
            println!("{}: {:.0} MB/s", line.name, megabytes(bytes as u64) / seconds);
        }
    }
}

fn organizations(folder: &TempDir) -> usize {
    let connection = Connection::open(store(folder.path())).unwrap();
    let count = connection.query_row("SELECT count(*) FROM organizations", (), |row| row.get::<_, i64>(0));
    usize::try_from(count.unwrap()).unwrap()
}
