#!/bin/sh
# Starts PostgreSQL; the first time with a fresh cluster, a user and a database named "orthanc".
set -eu
bin=$(ls -d /usr/lib/postgresql/*/bin)
data=/var/lib/postgresql/data/cluster
if [ ! -f "$data/PG_VERSION" ]; then
    rm -rf "$data"
    password=$(mktemp)
    echo "${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD}" > "$password"
    "$bin/initdb" -D "$data.new" --username=orthanc --pwfile="$password" --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8
    rm "$password"
    echo "host all all all scram-sha-256" >> "$data.new/pg_hba.conf"
    PGPASSWORD=$POSTGRES_PASSWORD "$bin/pg_ctl" -D "$data.new" -w -o "-c listen_addresses=127.0.0.1" start
    PGPASSWORD=$POSTGRES_PASSWORD "$bin/createdb" -h 127.0.0.1 -U orthanc orthanc
    "$bin/pg_ctl" -D "$data.new" -w stop
    mv "$data.new" "$data"
fi
exec "$bin/postgres" -D "$data" -c listen_addresses='*'
