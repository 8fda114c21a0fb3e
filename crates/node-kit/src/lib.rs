//! What every node shares: configuration, logs, stopping and the test harness.
