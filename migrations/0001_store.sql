-- The store as users see it: tables and views without a leading underscore are a contract; what begins
-- with one is internal. JSON is kept as text and times as UTC text with milliseconds, so that any SQLite
-- reads them and they sort as they are.

-- Marks the file as a store of vainu-sync ("VSYN"): another program's database is refused, not migrated.
PRAGMA application_id = 1448302926;

-- Every organization once. The document is last: SQLite reads a row from its front.
CREATE TABLE organizations (
    id            INTEGER PRIMARY KEY,
    business_id   TEXT NOT NULL UNIQUE,
    database      TEXT NOT NULL,
    name          TEXT,
    first_seen_at TEXT NOT NULL,
    changed_at    TEXT NOT NULL,          -- moves with the kinds created and updated
    gone_at       TEXT,                   -- null while any query holds it
    document      TEXT NOT NULL
) STRICT;

-- What is remembered of each query from run to run.
CREATE TABLE _queries (
    id            INTEGER PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    database      TEXT NOT NULL,
    definition    TEXT,                   -- of the last succeeded full run; null: none has succeeded
    owned_keys    TEXT NOT NULL,          -- JSON array: top-level keys that its rows may have written
    watermark     TEXT,                   -- the server's time up to which changes are known
    last_full_at  TEXT,                   -- start of the last succeeded full run
    listing_rows  INTEGER,                -- rows of the last complete listing
    held          TEXT,                   -- JSON: what holds it and what was accepted
    first_seen_at TEXT NOT NULL
) STRICT;

-- Who is or was a member of what. One row for each pair, reused at a return.
CREATE TABLE _memberships (
    query         INTEGER NOT NULL REFERENCES _queries (id),
    organization  INTEGER NOT NULL REFERENCES organizations (id),
    fingerprint   BLOB,                   -- of the row as it last came; null: look at it in full
    missing_since TEXT,                   -- a complete listing lacked it, and it could not be asked for
    entered_at    TEXT NOT NULL,
    left_at       TEXT,                   -- null: a member
    PRIMARY KEY (query, organization)
) STRICT, WITHOUT ROWID;

CREATE INDEX _memberships_by_organization ON _memberships (organization);

-- The change log. AUTOINCREMENT: a number is never given twice, even after old entries were deleted.
CREATE TABLE _changes (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id       INTEGER,
    query        INTEGER NOT NULL REFERENCES _queries (id),
    organization INTEGER NOT NULL REFERENCES organizations (id),
    kind         TEXT NOT NULL CHECK (kind IN ('created', 'entered', 'updated', 'left')),
    at           TEXT NOT NULL,
    before       TEXT,
    after        TEXT
) STRICT;

CREATE INDEX _changes_by_organization ON _changes (organization, seq);
CREATE INDEX _changes_by_query ON _changes (query, seq);

CREATE TABLE runs (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    query        TEXT NOT NULL,
    mode         TEXT NOT NULL CHECK (mode IN ('full', 'incremental')),
    fetch        TEXT NOT NULL CHECK (fetch IN ('pages', 'export')),
    planned_at   TEXT,
    started_at   TEXT NOT NULL,
    finished_at  TEXT,
    window_start TEXT,
    window_end   TEXT,
    status       TEXT NOT NULL
                 CHECK (status IN ('running', 'succeeded', 'incomplete', 'held', 'failed', 'interrupted')),
    expected     INTEGER,                 -- the count; null: none was to be had
    fetched      INTEGER NOT NULL DEFAULT 0,
    created      INTEGER NOT NULL DEFAULT 0,
    updated      INTEGER NOT NULL DEFAULT 0,
    unchanged    INTEGER NOT NULL DEFAULT 0,
    entered      INTEGER NOT NULL DEFAULT 0,
    "left"       INTEGER NOT NULL DEFAULT 0,
    candidates   INTEGER NOT NULL DEFAULT 0,
    rejected     INTEGER NOT NULL DEFAULT 0,
    requests     INTEGER NOT NULL DEFAULT 0,
    retries      INTEGER NOT NULL DEFAULT 0,
    bytes        INTEGER NOT NULL DEFAULT 0,
    error        TEXT
) STRICT;

CREATE INDEX _runs_by_query ON runs (query, id);

-- Rows that were set aside: the first 100 of a run, the first 4 kB of each.
CREATE TABLE rejects (
    run_id INTEGER NOT NULL,
    at     TEXT NOT NULL,
    reason TEXT NOT NULL,
    row    TEXT NOT NULL
) STRICT;

CREATE INDEX _rejects_by_run ON rejects (run_id);

CREATE VIEW memberships AS
SELECT q.name AS query, o.business_id, m.entered_at, m.left_at
FROM _memberships m
JOIN _queries q ON q.id = m.query
JOIN organizations o ON o.id = m.organization;

CREATE VIEW changes AS
SELECT c.seq, c.at, c.run_id, q.name AS query, o.business_id, c.kind, c.before, c.after
FROM _changes c
JOIN _queries q ON q.id = c.query
JOIN organizations o ON o.id = c.organization;
