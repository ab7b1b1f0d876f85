-- The change log no longer holds a second copy of each new document: `created` takes it from `organizations` until
-- that one is written anew, which first puts the old one into the log. The view shows what it always did.

DROP VIEW changes;

CREATE VIEW changes AS
SELECT c.seq, c.at, c.run_id, q.name AS query, o.business_id, c.kind, c.before,
       CASE WHEN c.kind = 'created' AND c.after IS NULL THEN o.document ELSE c.after END AS after
FROM _changes c
JOIN _queries q ON q.id = c.query
JOIN organizations o ON o.id = c.organization;

-- Entries whose document still stands in `organizations`.
CREATE INDEX _changes_unaltered ON _changes (organization) WHERE kind = 'created' AND after IS NULL;
