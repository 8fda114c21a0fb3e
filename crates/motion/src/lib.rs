//! Kinematics, limits, interpolation and safe execution of action chunks.
