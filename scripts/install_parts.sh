#!/bin/sh
# Install the real servers the tests speak to (Kannel, Exim, PostgreSQL, Java for Kafka, …).
# Quick when all is there. Where it may not install it says which tests will be skipped and how to
# get them; with CI=true a missing part is a failure.
set -eu

# command or file that proves the part : Debian package : what is skipped without it
parts='
bearerbox:kannel:SMS through a real Kannel
exim4:exim4-daemon-light:mail through a real Exim
openssl:openssl:mail with STARTTLS
promtool:prometheus:the check of /metrics by promtool
chromium:chromium:the page in a real browser
/usr/share/fonts/truetype/wqy/wqy-microhei.ttc:fonts-wqy-microhei:screenshots with Chinese characters
faketime:faketime:steps of the clock
kcat:kcat:a foreign client that publishes to the inbox topic
java:openjdk-17-jre-headless:a real Kafka broker
mvn:maven:a real Kafka broker
/usr/lib/postgresql:postgresql:notify on PostgreSQL
'
# `install_parts.sh cluster`: only what `make run-kafka` starts.
[ "${1:-}" != cluster ] || parts=$(echo "$parts" | grep -E '^(java|mvn|/usr/lib/postgresql):')

has() {
    case $1 in
    /*) [ -e "$1" ] ;;
    *) PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1 ||
        { [ "$1" = chromium ] && command -v chromium-browser google-chrome >/dev/null 2>&1; } ;;
    esac
}

missing() {
    echo "$parts" | while IFS=: read -r proof package _; do
        if [ -n "$proof" ] && ! has "$proof"; then echo "$package"; fi
    done
}

packages=$(missing)
[ -n "$packages" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
    if sudo -n true 2>/dev/null; then as_root=sudo; else as_root=no; fi
fi

install_all() {
    # No service may start itself because a test needs its binary; what stood there before stays.
    made=
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        printf '#!/bin/sh\nexit 101\n' | $as_root tee /usr/sbin/policy-rc.d >/dev/null
        $as_root chmod +x /usr/sbin/policy-rc.d
        made=yes
    fi
    $as_root apt-get update -qq || true
    for package in $packages; do # one by one: a package this release lacks must not cost the rest
        echo "parts: installing $package" >&2
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq \
            --no-install-recommends "$package" >/dev/null || true
    done
    if [ -n "$made" ]; then $as_root rm -f /usr/sbin/policy-rc.d; fi
}

if [ "$as_root" != no ] && command -v apt-get >/dev/null 2>&1; then install_all; fi

packages=$(missing)
[ -n "$packages" ] || exit 0
echo "parts: these tests will be skipped:" >&2
echo "$parts" | while IFS=: read -r proof package skipped; do
    if [ -n "$proof" ] && ! has "$proof"; then echo "  - $skipped (package $package)" >&2; fi
done
echo "parts: to run them: apt-get install --no-install-recommends $(echo $packages)" >&2
if [ "${CI:-}" = true ]; then
    echo "parts: CI skips nothing; install the parts and run again" >&2
    exit 1
fi
