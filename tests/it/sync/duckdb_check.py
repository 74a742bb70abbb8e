"""Compares what DuckDB makes of the files of changes with the tables of the export.

Usage: duckdb_check.py LAKE DATABASE STATE [MERGE.sql]
After every export: loads the changes with the script, if there is one, and compares the database with the tables;
compares what existed at the time of each earlier export, which STATE remembers, with what the views say.
"""

import json
import os
import sys

import duckdb

TABLES = ["contacts", "tasks", "notes", "custom_fields", "users", "tags"]
lake, database, state_file = (os.path.abspath(path) for path in sys.argv[1:4])
merge = open(sys.argv[4]).read() if len(sys.argv) > 4 else None
os.chdir(lake)

views = duckdb.connect()
views.execute(open("views.sql").read())


def rows(connection, relation):
    """Rows without what says how fresh they are."""
    names = [row[0] for row in connection.execute(f"DESCRIBE FROM {relation}").fetchall()]
    fresh = {"_synced_at", "_changed_at", "_checked_at"}
    columns = ", ".join(f'"{name}"' for name in sorted(names) if name not in fresh)
    return sorted(map(repr, connection.execute(f"SELECT {columns} FROM {relation}").fetchall()))


def existing(table):
    return f"{table} WHERE _deleted_at IS NULL"


state = json.load(open(state_file)) if os.path.exists(state_file) else []
times = " UNION ALL ".join(f"SELECT max(_changed_at) AS time FROM {table}_changes" for table in TABLES)
time = views.execute(f"SELECT max(time)::VARCHAR FROM ({times})").fetchall()[0][0]
state.append([time, {table: rows(views, existing(table)) for table in TABLES}])
json.dump(state, open(state_file, "w"))

for time, published in state:
    for table, expected in published.items():
        found = rows(views, f"{table}_at(TIMESTAMPTZ '{time}')")
        # Columns that are newer than the export are null in it.
        assert len(found) == len(expected), f"{table} at {time}: {len(found)}, not {len(expected)}"
assert all(rows(views, f"{table}_at(now())") == state[-1][1][table] for table in TABLES), "now"

if merge:
    loaded = duckdb.connect(database)
    for _ in range(2):
        loaded.execute(merge)
        for table in TABLES:
            assert rows(loaded, table) == state[-1][1][table], f"merged {table}"
print(f"{len(state)} exports, {'with' if merge else 'without'} a merge")
