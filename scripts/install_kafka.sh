#!/bin/sh
# Fetch the jars of one Apache Kafka broker into var/kafka/lib (44 MB, by Maven, once), and make
# the class-data archive that halves its start. `deploy/kafka/pom.xml` says which version.
set -eu
cd "$(dirname "$0")/.."
lib=var/kafka/lib
stamp=var/kafka/.fetched
sum=$(cksum <deploy/kafka/pom.xml)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ] && exit 0
for tool in java mvn; do
    command -v $tool >/dev/null 2>&1 && continue
    echo "kafka: $tool is missing (Debian: apt-get install openjdk-17-jre-headless maven)" >&2
    exit 1
done
echo "kafka: fetching the broker's jars into $lib" >&2
rm -rf "$lib" && mkdir -p "$lib"
mvn -q -B -f deploy/kafka/pom.xml dependency:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$(pwd)/$lib" >&2
printf '%s' "$sum" >"$stamp"
