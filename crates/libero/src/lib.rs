//! LIBERO tasks in plain `MuJoCo`.
