//! The tiller command line.

fn main() {}
