# sh guard.sh postgres|mariadb FOLDER
#
# Runs a private database server in FOLDER. When the standard input of this script ends, which it does when
# the process that started it ends, in whatever way, the server is ended and FOLDER removed.

trap '' INT TERM HUP QUIT PIPE
# Background jobs have another standard input.
exec 3<&0 </dev/null
kind=$1
folder=$2
# Where Debian and others keep what is on no path.
PATH="$PATH:/usr/local/bin:/usr/local/sbin:/usr/sbin:$(echo /usr/lib/postgresql/*/bin | tr ' ' ':')"

# Ends with what the server said last. There may be nobody left to hear it.
fail() {
    last=$(tail -n 3 "$folder/log" 2>/dev/null)
    rm -rf "$folder"
    echo "$1"
    echo "$last"
    exit 1
}

# Runs a program as a user who may run a server, and ends it when this script is killed.
as_server() {
    trap - INT TERM HUP QUIT PIPE
    signal=$1
    user=$2
    shift 2
    if ! command -v setpriv >/dev/null; then
        exec "$@"
    elif [ "$(id -u)" != 0 ]; then
        exec setpriv --pdeathsig "$signal" "$@"
    else
        exec setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups --pdeathsig "$signal" "$@"
    fi
}

# What earlier guards have left that were killed: nobody holds their locks. Ours has its name when it is held.
if command -v flock >/dev/null; then
    exec 9>"$folder/new"
    flock -n 9
    mv "$folder/new" "$folder/lock"
    for left in "${folder%/*}"/heisenbug-server-*; do
        if [ -e "$left/lock" ]; then
            flock -n "$left/lock" rm -rf "$left"
        fi
    done
fi

case $kind in
postgres) program=postgres signal=QUIT user=postgres ;;
mariadb) program=mariadbd signal=KILL user=mysql ;;
esac
command -v "$program" >/dev/null || fail "no program \`$program\` is installed"
id "$user" >/dev/null 2>&1 || user=nobody
mkdir "$folder/data" || fail "cannot write to $folder"
if [ "$(id -u)" = 0 ]; then
    chown -R "$user" "$folder"
fi
cd "$folder" || exit 1

if [ "$kind" = postgres ]; then
    (as_server KILL "$user" initdb -D "$folder/data" -A trust -U postgres --locale=C -E UTF8 \
        --no-sync --no-instructions) >"$folder/log" 2>&1 3<&- || fail "initdb fails"
    set -- -D "$folder/data" -k "$folder" -p 5432 -c listen_addresses= -c fsync=off \
        -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off -c max_connections=200 \
        -c shared_buffers=32MB -c wal_level=minimal -c max_wal_senders=0 \
        -c dynamic_shared_memory_type=mmap
else
    set -- --no-defaults --datadir="$folder/data" --socket="$folder/socket" --pid-file="$folder/pid" \
        --tmpdir="$folder" --skip-networking --skip-grant-tables --skip-log-bin \
        --innodb-flush-log-at-trx-commit=0 --innodb-buffer-pool-size=16M --innodb-log-file-size=4M \
        --innodb-fast-shutdown=2 --innodb-use-native-aio=0 --loose-innodb-doublewrite=0
fi
as_server "$signal" "$user" "$program" "$@" >"$folder/log" 2>&1 3<&- &
server=$!

# Ends the server when the input ends. One that is about to start may not listen yet: it is told again.
{
    read -r _ <&3
    while kill -s "$signal" "$server"; do sleep 0.1; done
} >/dev/null 2>&1 &
watcher=$!

wait "$server"
kill -s KILL "$watcher" 2>/dev/null
fail "the server has ended"
