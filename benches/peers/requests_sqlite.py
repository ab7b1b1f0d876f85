"""STORE QUERY: writes all that QUERY selects into the table `organizations` of the SQLite file STORE."""

import json
import sqlite3
import sys

from pages import pages

store, query = sys.argv[1:]
connection = sqlite3.connect(store)
connection.execute(
    "CREATE TABLE IF NOT EXISTS organizations (business_id TEXT PRIMARY KEY, name TEXT, document TEXT)"
)
# One commit, at the end: faster than one a page.
with connection:
    for rows in pages(json.loads(query)):
        connection.executemany(
            "INSERT INTO organizations VALUES (?, ?, ?) ON CONFLICT (business_id) DO UPDATE SET "
            "name = excluded.name, document = excluded.document",
            ((row["business_id"], row.get("name"), json.dumps(row, ensure_ascii=False)) for row in rows),
        )
connection.close()
