# For the tests of sources: where things are, TAP, and an image to start from. Sourced, not run.
SOURCE_LIST=${SEKISHO_BUILD:-$(dirname "$0")/../../build}/tests/source-list
case $SOURCE_LIST in /*) ;; *) SOURCE_LIST=$PWD/$SOURCE_LIST ;; esac
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
n=0
failed=0

need() { # programs; skips all if one is missing
        for p in "$@"; do
                command -v "$p" >/dev/null || { echo "1..0 # SKIP $p is not installed"; rmdir "$work"; exit 0; }
        done
        [ -x "$SOURCE_LIST" ] || { echo "1..0 # SKIP $SOURCE_LIST was not built"; rmdir "$work"; exit 0; }
}

ok() { # name, command...
        local name=$1
        shift
        n=$((n + 1))
        if "$@" >"$work/out" 2>&1; then
                echo "ok $n - $name"
        else
                echo "not ok $n - $name"
                sed 's/^/# /' "$work/out"
                failed=1
        fi
}

list() { "$SOURCE_LIST" "$@"; }

says() { # text, command...: the command must fail and say so
        local text=$1 said
        shift
        said=$("$@" 2>&1 >/dev/null) && { echo "it succeeded"; return 1; }
        [ $? -lt 128 ] || return 1
        grep -qF -- "$text" <<<"$said" || { echo "it said: $said"; return 1; }
}

prints() { # text, command...
        local text=$1 printed
        shift
        printed=$("$@") || return 1
        grep -qF -- "$text" <<<"$printed" || { echo "it printed: $printed"; return 1; }
}

finish() { echo "1..$n"; exit $failed; }

# A layout with two layers: $1 the directory, $2 the tag.
make_layout() {
        mkdir -p "$work/content/bin"
        cp "$(command -v busybox)" "$work/content/bin/busybox"
        ln -sf busybox "$work/content/bin/sh"
        echo hello >"$work/content/hello"
        [ -d "$1" ] || umoci init --layout "$1"
        umoci new --image "$1:$2"
        umoci insert --rootless --history.created_by "COPY bin /bin" --image "$1:$2" "$work/content/bin" /bin
        umoci insert --rootless --history.created_by "COPY $2 /hello" --image "$1:$2" "$work/content/hello" /hello
        umoci config --image "$1:$2" --config.user nobody --config.env A=b --config.label "tag=$2"
} >/dev/null 2>&1
