//! Inference-time steering of diffusion and flow-matching samplers.
