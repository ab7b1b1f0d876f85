-- Exports: a submitted job is remembered, so that a restart takes it up while it lives; and which way of
-- listing a query with fetch = "auto" takes next. Nothing that users read changes.

-- JSON: the job's link, its definition, when it was submitted by the server's clock. Null: none under way.
ALTER TABLE _queries ADD COLUMN export TEXT;

-- pages or export: the way that is to be taken next, whatever the size. Null: by the size alone.
ALTER TABLE _queries ADD COLUMN next_fetch TEXT CHECK (next_fetch IN ('pages', 'export'));

-- Finds the organizations that nobody holds any more, to let them go after keep_departed.
CREATE INDEX _organizations_gone ON organizations (gone_at) WHERE gone_at IS NOT NULL;
