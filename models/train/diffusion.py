"""Diffusion: chunks noised in discrete steps (Ho et al. 2020), sampled by DDIM (Song et al. 2021)."""

import math

import numpy as np
import torch

TRAIN_STEPS = 100
STEPS = 10
CLIP_SAMPLE = 1.0
PREDICTIONS = ("epsilon", "v_prediction", "sample")
SPACINGS = ("trailing", "leading")


def alphas_cumprod(train_steps: int) -> torch.Tensor:
    """The cosine schedule `squaredcos_cap_v2` (Nichol and Dhariwal 2021, equation 17), [train_steps]."""

    def bar(time: float) -> float:
        return math.cos((time + 0.008) / 1.008 * math.pi / 2.0) ** 2

    betas = [
        min(1.0 - bar((step + 1) / train_steps) / bar(step / train_steps), 0.999)
        for step in range(train_steps)
    ]
    # In 32 bits, as diffusers computes it: at the last step the rounding is felt.
    return (1.0 - torch.tensor(betas)).cumprod(dim=0)


def timesteps(train_steps: int, steps: int, spacing: str) -> np.ndarray:
    """The training steps that sampling visits, from noise to data.

    `trailing` starts at the last one, which is pure noise; `leading` ends at step 0 (Lin et al.
    2024, table 2)."""
    if spacing == "leading":
        return np.arange(steps)[::-1] * (train_steps // steps)
    return np.round(np.arange(train_steps, 0, -train_steps / steps)).astype(np.int64) - 1


class Diffusion:
    """x_t = sqrt(abar_t) * data + sqrt(1 - abar_t) * noise for the training steps t of a cosine
    schedule; the target is the noise, the data, or v (Salimans and Ho 2022, section 4)."""

    name = "diffusion"

    def __init__(self, prediction: str = "v_prediction", spacing: str = "trailing"):
        if prediction not in PREDICTIONS or spacing not in SPACINGS:
            raise ValueError(f"unknown prediction {prediction!r} or spacing {spacing!r}")
        self.prediction, self.spacing = prediction, spacing
        self.time_span = float(TRAIN_STEPS)
        self.alphas = alphas_cumprod(TRAIN_STEPS)

    def record(self) -> dict:
        """What a checkpoint must keep to build this again."""
        return {"name": self.name, "prediction": self.prediction, "spacing": self.spacing}

    def manifest(self) -> tuple[str, dict]:
        """`kind` and `[scheduler]` of the bundle."""
        return "diffusion", {
            "kind": "ddim",
            "steps": STEPS,
            "train_steps": TRAIN_STEPS,
            "beta_schedule": "squaredcos_cap_v2",
            "spacing": self.spacing,
            "steps_offset": 0,
            "clip_sample": CLIP_SAMPLE,
            "set_alpha_to_one": True,
            "eta": 0.0,
        }

    def training_pair(self, chunk: torch.Tensor, noise: torch.Tensor, uniform: torch.Tensor):
        """Noisy chunks [B, T, D], timesteps [B] and targets [B, T, D] for `uniform` [B] in [0, 1)."""
        step = (uniform * TRAIN_STEPS).long().clamp(max=TRAIN_STEPS - 1)
        alpha = self.alphas[step].view(-1, 1, 1)
        signal, noisy = alpha.sqrt(), (1.0 - alpha).sqrt()
        target = {
            "epsilon": noise,
            "sample": chunk,
            "v_prediction": signal * noise - noisy * chunk,
        }[self.prediction]
        return signal * chunk + noisy * noise, step.float(), target

    def _clean_and_noise(self, x: torch.Tensor, predicted: torch.Tensor, alpha: torch.Tensor):
        """The estimates of data and noise that a prediction at `alpha` stands for."""
        signal, noisy = alpha.sqrt(), (1.0 - alpha).sqrt()
        if self.prediction == "epsilon":
            return (x - noisy * predicted) / signal, predicted
        if self.prediction == "sample":
            return predicted, (x - signal * predicted) / noisy
        return signal * x - noisy * predicted, signal * predicted + noisy * x

    @torch.inference_mode()
    def draw(self, denoiser, condition: torch.Tensor, generator) -> torch.Tensor:
        """Samples chunks, one for each row of `condition`, by DDIM without added noise
        (Song et al. 2021, equation 12 with eta 0)."""
        shape = denoiser.shape
        x = torch.randn(len(condition), shape.horizon, shape.action_dim, generator=generator)
        for step in timesteps(TRAIN_STEPS, STEPS, self.spacing):
            before = step - TRAIN_STEPS // STEPS
            alpha = self.alphas[step]
            alpha_before = self.alphas[before] if before >= 0 else torch.tensor(1.0)
            predicted = denoiser(x, torch.full((len(condition),), float(step)), condition)
            clean, noise = self._clean_and_noise(x, predicted, alpha)
            clean = clean.clamp(-CLIP_SAMPLE, CLIP_SAMPLE)
            x = alpha_before.sqrt() * clean + (1.0 - alpha_before).sqrt() * noise
        return x
