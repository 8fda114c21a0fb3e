"""Tests the two methods on denoisers whose answers are known, and the choice of the best average."""

import itertools
import sys
import unittest
from pathlib import Path

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "export"))

import diffusion
import methods
import reference
from diffusion import Diffusion
from flow import FlowMatching
from model import Denoiser, Shape
from train import Best

ALL = [Diffusion(kind, spacing) for kind in diffusion.PREDICTIONS for spacing in diffusion.SPACINGS]


class Oracle(nn.Module):
    """Knows the chunk [T, D] that all data consist of, and predicts exactly what the method asks."""

    def __init__(self, method: methods.Method, chunk: torch.Tensor):
        super().__init__()
        self.method, self.chunk = method, chunk
        self.shape = Shape(horizon=chunk.shape[0], action_dim=chunk.shape[1])
        self.asked: list[float] = []

    def forward(self, sample, timestep, condition):
        self.asked.append(float(timestep[0]))
        if self.method.name == "flow":
            return (sample - self.chunk) / timestep.view(-1, 1, 1)
        alpha = self.method.alphas[timestep.long()].view(-1, 1, 1)
        signal, noisy = alpha.sqrt(), (1.0 - alpha).sqrt()
        noise = (sample - signal * self.chunk) / noisy
        return {
            "epsilon": noise,
            "sample": self.chunk.expand_as(noise),
            "v_prediction": signal * noise - noisy * self.chunk,
        }[self.method.prediction]


class Wavy(nn.Module):
    """A denoiser without meaning, of which every number depends on sample and timestep."""

    shape = Shape(horizon=6, action_dim=4)

    def forward(self, sample, timestep, condition):
        return torch.sin(2.0 * sample + 0.1 * timestep.view(-1, 1, 1))


class Described(reference.Bundle):
    """The reference sampler, with what a method says of itself as manifest."""

    def __init__(self, method: methods.Method):
        self.manifest = {"prediction": method.prediction, "scheduler": method.manifest()[1]}

    def predict(self, x, time, condition):
        return Wavy()(torch.from_numpy(x), torch.full((len(x),), float(time)), None).numpy()


class Methods(unittest.TestCase):
    def test_the_loss_is_that_of_all_columns(self):
        chunk = torch.linspace(-0.9, 0.9, 42).view(6, 7)
        batch = chunk.expand(200, 6, 7)
        # Wrong in the gripper, the last of seven columns, alone.
        wrong = chunk + torch.tensor([0.0] * 6 + [1.0])
        for method in (FlowMatching(), *ALL):
            with self.subTest(**method.record()):
                losses = [
                    methods.loss(method, Oracle(method, own), torch.zeros(200, 1), batch, 2, generator)
                    for own in (chunk, wrong)
                    for generator in [torch.Generator().manual_seed(7)]
                ]
                self.assertLess(losses[0].item(), 1e-4)
                self.assertGreater(losses[1].item(), 1e-2)

    def test_validation_samples_as_the_manifest_says(self):
        for method in (FlowMatching(), *ALL):
            with self.subTest(**method.record()):
                generator = torch.Generator().manual_seed(4)
                noise = torch.randn(3, 6, 4, generator=generator)
                expected = Described(method).sample(np.zeros((1, 1)), noise.numpy())
                drawn = method.draw(Wavy(), torch.zeros(3, 1), generator.manual_seed(4))
                np.testing.assert_allclose(drawn.numpy(), expected, atol=1e-4)

    def test_sampling_with_a_perfect_denoiser_returns_the_data(self):
        for columns, method in itertools.product((4, 7), (FlowMatching(), *ALL)):
            with self.subTest(columns=columns, **method.record()):
                chunk = torch.linspace(-0.9, 0.9, 6 * columns).view(6, columns)
                oracle = Oracle(method, chunk)
                drawn = method.draw(oracle, torch.zeros(5, 1), torch.Generator().manual_seed(1))
                # At the last training step next to nothing is left of the data in 32-bit noise.
                close = 2e-3 if method.prediction == "epsilon" else 1e-5
                torch.testing.assert_close(drawn, chunk.expand(5, 6, columns), atol=close, rtol=0.0)
                self.assertEqual(len(oracle.asked), 10)
                self.assertEqual(oracle.asked, sorted(oracle.asked, reverse=True))

    def test_a_training_pair_is_a_noisy_chunk_and_what_a_perfect_denoiser_says(self):
        generator = torch.Generator().manual_seed(2)
        chunk = torch.rand(6, 4, generator=generator) - 0.5
        noise = torch.randn(50, 6, 4, generator=generator)
        # Not the very ends, where noise or data can no longer be told from the sum.
        uniform = torch.linspace(0.05, 0.95, 50)
        for method in (FlowMatching(), *ALL):
            with self.subTest(**method.record()):
                pair = method.training_pair(chunk.expand(50, 6, 4), noise, uniform)
                sample, timestep, target = pair
                self.assertTrue(bool((timestep <= method.time_span).all()))
                expected = Oracle(method, chunk)(sample, timestep, None)
                torch.testing.assert_close(target, expected, atol=1e-3, rtol=0.0)

    def test_all_training_steps_are_trained(self):
        chunk = torch.zeros(1000, 2, 3)
        uniform = torch.arange(1000) / 1000.0
        steps = Diffusion().training_pair(chunk, chunk, uniform)[1]
        self.assertEqual(sorted(set(steps.tolist())), list(range(100)))

    def test_the_schedule_is_that_of_diffusers(self):
        # diffusers 0.35.2, DDIMScheduler(num_train_timesteps=100, beta_schedule="squaredcos_cap_v2").
        alphas = diffusion.alphas_cumprod(100)
        known = {0: 0.9993687, 1: 0.9982525, 50: 0.47826457, 98: 0.0002428572, 99: 2.4285407e-07}
        for step, value in known.items():
            self.assertAlmostEqual(alphas[step].item() / value, 1.0, delta=1e-6)
        self.assertEqual(
            diffusion.timesteps(100, 10, "leading").tolist(), [90, 80, 70, 60, 50, 40, 30, 20, 10, 0]
        )
        self.assertEqual(
            diffusion.timesteps(100, 10, "trailing").tolist(), [99, 89, 79, 69, 59, 49, 39, 29, 19, 9]
        )

    def test_a_method_survives_its_record(self):
        for method in (FlowMatching(), *ALL):
            again = methods.from_record(method.record())
            self.assertEqual(again.record(), method.record())
            self.assertEqual(again.manifest(), method.manifest())
        self.assertEqual(methods.from_record({}).name, "flow")

    def test_the_denoiser_divides_the_timestep_by_its_span(self):
        flow, steps = Denoiser(Shape()), Denoiser(Shape(time_span=100.0))
        nn.init.normal_(flow.leave.weight)
        steps.load_state_dict(flow.state_dict())
        x, condition = torch.randn(3, 16, 4), torch.randn(1, 256)
        time = torch.tensor([0.0, 0.37, 0.99])
        with torch.inference_mode():
            expected, found = flow(x, time, condition), steps(x, 100.0 * time, condition)
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=0.0)


class BestAverage(unittest.TestCase):
    def test_the_lowest_energy_is_kept_and_patience_ends(self):
        best, model = Best(patience=2), nn.Linear(1, 1, bias=False)
        scores = [(5.0, False), (3.0, False), (4.0, False), (2.0, False), (2.5, False), (2.0, True)]
        for step, (energy, stop) in enumerate(scores):
            nn.init.constant_(model.weight, float(step))
            self.assertIs(best.consider(model, {"energy_mm": energy}, step), stop)
        self.assertEqual((best.steps, best.model.weight.item()), (3, 3.0))


if __name__ == "__main__":
    unittest.main()
