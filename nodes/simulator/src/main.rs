//! The play table as a dora node.

fn main() {}
