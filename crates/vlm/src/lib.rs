//! Reward authors: from instruction and keypoints to reward programs.
