"""The families that one denoiser can be trained for, and the loss that they share."""

import torch
from torch import nn

from diffusion import Diffusion
from flow import FlowMatching

Method = FlowMatching | Diffusion
NAMES = (FlowMatching.name, Diffusion.name)


def from_record(record: dict) -> Method:
    """The method of a checkpoint. Those from before there were two hold none: flow matching."""
    options = {key: value for key, value in record.items() if key != "name"}
    if record.get("name", FlowMatching.name) == FlowMatching.name:
        return FlowMatching()
    return Diffusion(**options)


def loss(
    method: Method,
    denoiser: nn.Module,
    condition: torch.Tensor,
    chunk: torch.Tensor,
    repeats: int,
    generator: torch.Generator,
    bf16: bool = False,
) -> torch.Tensor:
    """Mean squared error of the prediction over noises and times.

    Each observation is used with `repeats` of them, for the encoder is what costs.
    """
    chunk = chunk.repeat_interleave(repeats, dim=0)
    condition = condition.repeat_interleave(repeats, dim=0)
    noise = torch.randn(chunk.shape, generator=generator)
    # Stratified over the batch: less variance than independent times.
    count = len(chunk)
    order = torch.randperm(count, generator=generator)
    uniform = (order + torch.rand(count, generator=generator)) / count
    sample, timestep, target = method.training_pair(chunk, noise, uniform)
    # The products in 16 bits, where the processor has units for them; weights stay in 32.
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        predicted = denoiser(sample, timestep, condition)
    return (predicted.float() - target).square().mean()
