//! Holds the end-to-end, golden and architecture tests in `tests/`.
