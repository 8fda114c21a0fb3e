"""Flow matching: straight paths from noise to data, and the velocity along them."""

import torch

STEPS = 10


class FlowMatching:
    """x_t = t * noise + (1 - t) * data, target velocity noise - data (Lipman et al. 2023, section
    4.1, with time running from 1 at the noise to 0 at the data)."""

    name = "flow"
    prediction = "velocity"
    # The `timestep` that stands for pure noise; the denoiser divides by it.
    time_span = 1.0

    def record(self) -> dict:
        """What a checkpoint must keep to build this again."""
        return {"name": self.name}

    def manifest(self) -> tuple[str, dict]:
        """`kind` and `[scheduler]` of the bundle."""
        scheduler = {"kind": "flow_euler", "steps": STEPS, "time": "noise_to_data_1_to_0"}
        return "flow_matching", scheduler

    def training_pair(self, chunk: torch.Tensor, noise: torch.Tensor, uniform: torch.Tensor):
        """Noisy chunks [B, T, D], timesteps [B] and targets [B, T, D] for `uniform` [B] in [0, 1)."""
        mixed = uniform.view(-1, 1, 1)
        return mixed * noise + (1.0 - mixed) * chunk, uniform, noise - chunk

    @torch.inference_mode()
    def draw(self, denoiser, condition: torch.Tensor, generator) -> torch.Tensor:
        """Integrates from noise to chunks, one for each row of `condition`, by Euler's method."""
        shape = denoiser.shape
        x = torch.randn(len(condition), shape.horizon, shape.action_dim, generator=generator)
        for step in range(STEPS):
            time = torch.full((len(condition),), 1.0 - step / STEPS)
            x = x - denoiser(x, time, condition) / STEPS
        return x
