//! Action chunk to safe motion.

fn main() {}
