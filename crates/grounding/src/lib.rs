//! Segmentation, dense features, clustering and tracking of 3-D keypoints.
