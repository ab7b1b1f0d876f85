-- Feeds: what each has written so far, so that its next file says only what is new, and how far it has got with
-- that. Nothing that users read changes.

CREATE TABLE _feeds (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    definition TEXT,                      -- JSON: what its rows were last compared by; null: compare all next time
    cursor     INTEGER NOT NULL DEFAULT 0, -- the change log up to here is in its rows
    directory  TEXT,                      -- where its files are
    sequence   INTEGER NOT NULL DEFAULT 0, -- the number of its last file; 0: none was written
    file       TEXT,                      -- that file's name
    sha256     TEXT,
    rows       INTEGER,
    columns    TEXT,                      -- JSON array: the headers of that file
    written_at TEXT,
    unplaced   INTEGER NOT NULL DEFAULT 0, -- 1: that file may still have its temporary name
    checked_at TEXT,                      -- when its files were last right
    lost_from  INTEGER,                   -- files from this number on may tell of ids whose rows the store has lost
    retired_at TEXT,                      -- since when the configuration lacks it
    error      TEXT                       -- what keeps it from being written
) STRICT;

-- The row that each feed last wrote of an organization.
CREATE TABLE _feed_rows (
    feed         INTEGER NOT NULL REFERENCES _feeds (id),
    organization INTEGER NOT NULL REFERENCES organizations (id),
    hash         BLOB,                    -- null: removed by a file that may still have its temporary name
    PRIMARY KEY (feed, organization)
) STRICT, WITHOUT ROWID;

-- Letting an organization go asks for its rows.
CREATE INDEX _feed_rows_by_organization ON _feed_rows (organization);
