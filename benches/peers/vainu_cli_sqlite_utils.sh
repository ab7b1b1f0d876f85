#!/bin/sh
# STORE QUERY: writes all that QUERY selects into the table `organizations` of the SQLite file STORE, by an export.
# `vainu` and `sqlite-utils` are looked for on PATH; the sign-in is in VAINU_BASE_URL and VAINU_JWT_REFRESH_TOKEN.
set -eu
rows=$(mktemp --tmpdir="$(dirname "$1")" rows.XXXXXX)
trap 'rm -f "$rows"' EXIT
vainu --auth-method jwt organizations-async --payload "$2" --format jsonl --output "$rows"
sqlite-utils upsert "$1" organizations "$rows" --nl --pk business_id --silent
