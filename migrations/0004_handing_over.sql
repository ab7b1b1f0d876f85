-- Handing over: each file that a feed has written, and how far each way to hand them over has got. Nothing that users
-- read changes.

-- The files of a feed that are still of use: not yet let go of, or not yet handed over.
CREATE TABLE _feed_files (
    feed       INTEGER NOT NULL REFERENCES _feeds (id),
    sequence   INTEGER NOT NULL,
    file       TEXT NOT NULL,             -- its name
    sha256     TEXT NOT NULL,
    rows       INTEGER NOT NULL,
    columns    TEXT NOT NULL,             -- JSON array: its headers
    written_at TEXT NOT NULL,
    unplaced   INTEGER NOT NULL,          -- 1: it may still have its temporary name
    PRIMARY KEY (feed, sequence)
) STRICT, WITHOUT ROWID;

INSERT INTO _feed_files (feed, sequence, file, sha256, rows, columns, written_at, unplaced)
SELECT id, sequence, file, sha256, rows, columns, written_at, unplaced FROM _feeds WHERE file IS NOT NULL;

CREATE TABLE _feed_handovers (
    feed      INTEGER NOT NULL REFERENCES _feeds (id),
    way       TEXT NOT NULL,              -- after: a command; webhook: a web address
    sequence  INTEGER NOT NULL,           -- files up to this number are handed over
    handed_at TEXT,                       -- when the last one was
    tried_at  TEXT,                       -- when it was last tried
    failures  INTEGER NOT NULL DEFAULT 0, -- tries in a row that have failed
    ended     TEXT,                       -- how the last try ended: its exit code, or its status
    output    TEXT,                       -- the end of what it said
    error     TEXT,                       -- why it failed
    PRIMARY KEY (feed, way)
) STRICT, WITHOUT ROWID;
