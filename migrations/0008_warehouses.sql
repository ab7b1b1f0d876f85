-- Feeds that are tables of a PostgreSQL database. Nothing that users read changes.

-- Tells one store from another where several write one database; a backup of a store has its number too.
CREATE TABLE _identity (
    id TEXT NOT NULL
) STRICT;

INSERT INTO _identity (id) VALUES (lower(hex(randomblob(16))));

-- JSON: what a feed last wrote into which table, for people. How far it got is known in that database alone.
ALTER TABLE _feeds ADD COLUMN warehouse TEXT;
