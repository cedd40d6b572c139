#!/bin/sh
# Brings Temporal's two databases to the schema of its own version; nothing to do when they have it.
set -eu

schema() { # database, folder
    temporal-sql-tool --db "$1" setup-schema -v 0.0
    temporal-sql-tool --db "$1" update-schema --schema-name "postgresql/v12/$2"
}

schema temporal temporal
schema temporal_visibility visibility
