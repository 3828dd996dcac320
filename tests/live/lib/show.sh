# A headless show in a folder of its own, for live tests. Source it; bash.
# Needs $build (the build folder). Sets up $dir (removed at exit), config in $dir/cfg, data in $dir/data.

sakuga() { "$build/sakuga" --config "$dir/cfg" --data "$dir/data" "$@"; }
ctl() { sakuga ctl "$@"; }

failures=0
fail() { echo "FAIL: $*"; failures=$((failures + 1)); }
note() { echo "-- $*"; }

# wait_for SECONDS COMMAND…: until it succeeds; fails after that long
wait_for() {
    local end=$((SECONDS + $1 + 1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        read -r -t 0.03 <> <(:) || :
    done
}

# Does it answer, and is it this very show that does?
is_up() { ctl state && kill -0 "$show"; }

show_start() { # OPTION…
    "$build/sakuga" --config "$dir/cfg" --data "$dir/data" --headless "$@" >"$dir/show.out" 2>&1 </dev/null &
    show=$!
    if ! wait_for 10 is_up; then
        fail "the show (pid $show) did not start: $(cat "$dir/show.out")"
        return 1
    fi
}

show_kill() { # SIGNAL
    kill "-$1" "$show" 2>/dev/null
    wait "$show" 2>/dev/null
}

show_quit() {
    ctl quit >/dev/null
    wait "$show"
}

# state_of ID: its state in the running show
state_of() { ctl state | jq -r ".prompts[] | select(.id == $1) | .state"; }
is_in() { [ "$(state_of "$1")" = "$2" ]; }

cleanup() {
    [ -n "${show:-}" ] && kill -9 "$show" 2>/dev/null
    [ -n "${keep:-}" ] || rm -rf "$dir"
}

dir=$(mktemp -d "${TMPDIR:-/tmp}/sakuga-live-XXXXXX")
mkdir -p "$dir/cfg"
show=
trap cleanup EXIT

finish() {
    if [ $failures = 0 ]; then
        echo "ok"
        exit 0
    fi
    tail -n 40 "$dir/data/log/sakuga.log" 2>/dev/null
    echo "$failures failures"
    exit 1
}
