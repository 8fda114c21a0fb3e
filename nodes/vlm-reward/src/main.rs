//! Instruction and keypoints to a checked reward program.

fn main() {}
