"""What Kafka, Faust and PostgreSQL cost: `make bench-kafka`, into docs/bench-kafka.md."""
