-- How many members a query has, so that a look at it doesn't count a million. Nothing that users read changes.

-- Counted when the log's entries of the query up to members_as_of were written: later ones make it outdated.
-- Null: never counted.
ALTER TABLE _queries ADD COLUMN members INTEGER;
ALTER TABLE _queries ADD COLUMN members_as_of INTEGER;
