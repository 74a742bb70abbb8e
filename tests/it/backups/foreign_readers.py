"""Prints the ids of the contacts that exist at the end of a repository's chain, as DuckDB and pandas read them.

Usage: foreign_readers.py REPOSITORY
"""

import glob
import json
import sys

import duckdb
import pandas

files = sorted(glob.glob(f"{sys.argv[1]}/*/*/contacts.jsonl.zst"))
query = """
    SELECT body->>'id' FROM (
        SELECT op, body, row_number() OVER (PARTITION BY id ORDER BY seq DESC) AS age
        FROM read_json(?, format = 'newline_delimited', columns = {op: 'VARCHAR', id: 'VARCHAR', seq: 'BIGINT', body: 'JSON'})
    ) WHERE age = 1 AND op = 'put' ORDER BY 1
"""
found = {"duckdb": [row[0] for row in duckdb.execute(query, [files]).fetchall()]}
lines = pandas.concat(pandas.read_json(file, lines=True, compression="zstd") for file in files)
last = lines.sort_values("seq").groupby("id").tail(1)
found["pandas"] = sorted(last[last["op"] == "put"]["id"])
print(json.dumps(found))
