"""STORE QUERY: merges all that QUERY selects into the table `organizations` of the SQLite file STORE."""

import json
import pathlib
import sys

import dlt

from pages import pages

store, query = sys.argv[1:]


# What is nested stays JSON in its column, as at the others, instead of going into tables of its own.
@dlt.resource(name="organizations", primary_key="business_id", write_disposition="merge", max_table_nesting=0)
def organizations():
    yield from pages(json.loads(query))


pipeline = dlt.pipeline(
    "organizations",
    # What dlt remembers between two runs.
    pipelines_dir=str(pathlib.Path(store).with_name("pipelines")),
    # Without the key in the table, where dlt's defaults leave it out, a second load grows much faster than the rows.
    destination=dlt.destinations.sqlalchemy(f"sqlite:///{store}", create_primary_keys=True),
    # The file itself, instead of another one beside it.
    dataset_name="main",
)
pipeline.run(organizations).raise_on_failed_jobs()
