-- What the last night brought, for people: of each query the entries of the log since 20 hours before its newest run
-- began. That takes in the tries of one night, and not the night before, even where that was slow. A query whose runs
-- are forgotten has none.

CREATE VIEW latest_changes AS
SELECT c.seq, c.at, q.name AS query, o.business_id, o.name, c.kind, c.before,
       CASE WHEN c.kind = 'created' AND c.after IS NULL THEN o.document ELSE c.after END AS after
FROM _queries q
-- CROSS: the queries first, then of each no more of the log than the view has.
CROSS JOIN _changes c ON c.query = q.id AND c.seq > coalesce(
    (SELECT b.seq FROM _changes b WHERE b.query = q.id AND b.at < coalesce(
        (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', r.started_at, '-20 hours')
         FROM runs r WHERE r.query = q.name ORDER BY r.id DESC LIMIT 1), '9')
     ORDER BY b.seq DESC LIMIT 1), 0)
CROSS JOIN organizations o ON o.id = c.organization;
