//! Images to tracked 3-D keypoints.

fn main() {}
