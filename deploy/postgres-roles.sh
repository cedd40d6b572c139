#!/bin/sh
# Run by the Postgres image as its superuser, once, on an empty volume: who may do what, as `cli/postgres.py` has it.
# The owner migrates, the application gets what the migrations grant it, and Temporal sees its own two databases alone.
set -eu

psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" --dbname=postgres \
    --set=owner="$SHELFWAY_OWNER_PASSWORD" --set=app="$SHELFWAY_APP_PASSWORD" --set=temporal="$TEMPORAL_PASSWORD" <<'SQL'
CREATE ROLE shelfway_owner LOGIN PASSWORD :'owner';
CREATE ROLE shelfway_app LOGIN PASSWORD :'app';
CREATE ROLE temporal LOGIN PASSWORD :'temporal';

CREATE DATABASE shelfway OWNER shelfway_owner;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;

REVOKE ALL ON DATABASE shelfway, temporal, temporal_visibility FROM PUBLIC;
GRANT CONNECT ON DATABASE shelfway TO shelfway_app;
SQL
