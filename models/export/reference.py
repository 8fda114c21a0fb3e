"""Samples chunks from a bundle by `policy.toml` alone, in numpy and ONNX Runtime.

Written for clarity, as what other implementations are compared with.
"""

import math
import tomllib
from pathlib import Path

import numpy as np
import onnxruntime


def session(path: Path, threads: int = 0) -> onnxruntime.InferenceSession:
    """A graph that runs in so many threads; 0: as many as there are cores."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class Bundle:
    def __init__(self, folder: Path, threads: int = 0):
        self.manifest = tomllib.loads((folder / "policy.toml").read_text())
        self.encoder, self.denoiser = (
            session(folder / entry["path"], threads)
            for entry in (self.manifest["files"][name] for name in ("encoder", "denoiser"))
        )
        if "tokenizer" in self.manifest["files"]:
            # Of policies with a text alone.
            from tokenizers import Tokenizer

            self.tokenizer = Tokenizer.from_file(str(folder / self.manifest["files"]["tokenizer"]["path"]))

    def encode(self, observation: dict) -> dict[str, np.ndarray]:
        """Observations by source to the conditions, each [1, ..].

        Pictures uint8 [S, H, W, 3] and states [S, n] of the last S steps, the newest last; S is the
        manifest's `observation_steps`. An instruction is a text.
        """
        feed = {}
        steps = self.manifest.get("observation_steps", 1)
        for entry in self.manifest["observation"]:
            if entry["kind"] == "text":
                feed |= self._tokens(entry, observation)
                continue
            value = np.asarray(observation[entry["source"]], np.float32)
            mean, std = (np.array(entry[key], np.float32) for key in ("mean", "std"))
            if entry["kind"] == "image":
                value = value / np.float32(255.0)
            value = (value - mean) / std
            if entry["kind"] == "image":
                value = value.transpose(0, 3, 1, 2)
            assert value.shape == (steps, *entry["shape"]), (entry["name"], value.shape)
            # The step has an axis of its own only where there is more than one.
            feed[entry["name"]] = value[None] if steps > 1 else value
        names = [output.name for output in self.encoder.get_outputs()]
        return dict(zip(names, self.encoder.run(names, feed)))

    def _tokens(self, entry: dict, observation: dict) -> dict[str, np.ndarray]:
        """The instruction's tokens, filled up with token 0, and which of them are no filling."""
        instruction = observation[entry["source"]].strip()
        for character in entry.get("spaces", []):
            instruction = instruction.replace(character, " ")
        text = entry["template"].replace("{instruction}", instruction)
        if "state" in entry:
            text = text.replace("{state}", self._written(entry["state"], observation["robot_state"][-1]))
        found = self.tokenizer.encode(text).ids
        (most,) = entry["shape"]
        assert len(found) <= most, (text, len(found))
        tokens, mask = np.zeros((1, most), np.int64), np.zeros((1, most), bool)
        tokens[0, : len(found)], mask[0, : len(found)] = found, True
        return {entry["name"]: tokens, entry["mask"]: mask}

    @staticmethod
    def _written(entry: dict, state: np.ndarray) -> str:
        """The bin of [-1, 1] in which each number of the normalised state is; -1 for what is below."""
        mean, std = (np.array(entry[key], np.float32) for key in ("mean", "std"))
        numbers = np.zeros(entry.get("numbers", len(state)))
        numbers[: len(state)] = (state.astype(np.float32) - mean) / std
        bins = np.floor((numbers + 1.0) * entry["bins"] / 2.0).clip(-1, entry["bins"] - 1)
        return " ".join(str(int(value)) for value in bins)

    def predict(self, x: np.ndarray, time: float, conditions: dict[str, np.ndarray]) -> np.ndarray:
        timestep = np.full(len(x), time, np.float32)
        return self.denoiser.run(None, {"sample": x, "timestep": timestep} | conditions)[0]

    def sample(
        self,
        condition: dict[str, np.ndarray],
        noise: np.ndarray,
        step_noise: list[np.ndarray] | None = None,
    ) -> np.ndarray:
        """Initial noise [B, T, D] to chunks [B, T, D], not yet unnormalised.

        `step_noise` holds an array [B, T, D] for each step of DDPM; the last one's is not used.
        """
        scheduler = self.manifest["scheduler"]
        x = noise.astype(np.float32)
        if scheduler["kind"] == "flow_euler":
            return self._flow(x, condition, scheduler)
        if scheduler["kind"] not in ("ddpm", "ddim"):
            raise ValueError(f"no reference for the scheduler {scheduler['kind']!r}")
        alphas, steps = alphas_cumprod(scheduler), timesteps(scheduler)
        for index, step in enumerate(steps):
            if scheduler["kind"] == "ddim":
                before = step - scheduler["train_steps"] // scheduler["steps"]
                last = 1.0 if scheduler["set_alpha_to_one"] else float(alphas[0])
            else:
                before = steps[index + 1] if index + 1 < len(steps) else -1
                last = 1.0
            alpha = float(alphas[step])
            alpha_before = float(alphas[before]) if before >= 0 else last
            predicted = self.predict(x, step, condition)
            clean, eps = self._clean_and_noise(x, predicted, alpha)
            if "clip_sample" in scheduler:
                clean = clean.clip(-scheduler["clip_sample"], scheduler["clip_sample"])
            if scheduler["kind"] == "ddim":
                x = _ddim(clean, eps, alpha_before)
            else:
                x = _ddpm(x, clean, alpha, alpha_before)
                if step > 0:
                    x = x + math.sqrt(_variance(scheduler, alpha, alpha_before)) * step_noise[index]
            x = x.astype(np.float32)
        return x

    def unnormalise(self, chunks: np.ndarray) -> np.ndarray:
        """Chunks as the network makes them to actions in their units."""
        action = self.manifest["action"]
        if "mean" in action:
            return chunks * np.array(action["std"]) + np.array(action["mean"])
        low, high = np.array(action["min"]), np.array(action["max"])
        return chunks * (high - low) / 2.0 + (high + low) / 2.0

    def executed(self, chunks: np.ndarray) -> np.ndarray:
        """The actions of [B, T, D] that are carried out before the next chunk."""
        start = self.manifest.get("execute_start", 0)
        return chunks[:, start : start + self.manifest["execute_steps"]]

    def _flow(self, x: np.ndarray, condition: dict, scheduler: dict) -> np.ndarray:
        steps = scheduler["steps"]
        for step in range(steps):
            if scheduler["time"] == "noise_to_data_1_to_0":
                x = x - self.predict(x, 1.0 - step / steps, condition) / steps
            else:
                x = x + self.predict(x, step / steps, condition) / steps
        return x

    def _clean_and_noise(self, x: np.ndarray, predicted: np.ndarray, alpha: float):
        """The estimates of data and noise that a prediction at `alpha` stands for."""
        signal, noisy = math.sqrt(alpha), math.sqrt(1.0 - alpha)
        match self.manifest["prediction"]:
            case "epsilon":
                return (x - noisy * predicted) / signal, predicted
            case "sample":
                return predicted, (x - signal * predicted) / noisy
            case "v_prediction":
                return signal * x - noisy * predicted, signal * predicted + noisy * x
            case other:
                raise ValueError(f"unknown prediction {other!r}")


def alphas_cumprod(scheduler: dict) -> np.ndarray:
    """Rounded to 32 bits where diffusers rounds: before the product, and after it."""
    count = scheduler["train_steps"]
    if scheduler["beta_schedule"] == "squaredcos_cap_v2":

        def bar(time: float) -> float:
            return math.cos((time + 0.008) / 1.008 * math.pi / 2.0) ** 2

        ratios = [bar((step + 1) / count) / bar(step / count) for step in range(count)]
        betas = np.array([min(1.0 - ratio, 0.999) for ratio in ratios], np.float32)
    else:
        start, end = scheduler["beta_start"], scheduler["beta_end"]
        if scheduler["beta_schedule"] == "linear":
            betas = np.linspace(start, end, count).astype(np.float32)
        else:
            betas = np.linspace(start**0.5, end**0.5, count).astype(np.float32) ** 2
    alphas = np.float32(1.0) - betas
    return np.cumprod(alphas.astype(np.float64)).astype(np.float32)


def timesteps(scheduler: dict) -> list[int]:
    """The training steps that sampling visits, from noise to data (Lin et al. 2024, table 2)."""
    train, steps = scheduler["train_steps"], scheduler["steps"]
    match scheduler["spacing"]:
        case "leading":
            found = np.arange(steps)[::-1] * (train // steps) + scheduler["steps_offset"]
        case "trailing":
            found = np.round(np.arange(train, 0, -train / steps)) - 1
        case _:
            found = np.linspace(0, train - 1, steps).round()[::-1]
    return [int(step) for step in found]


def _ddim(clean: np.ndarray, eps: np.ndarray, alpha_before: float) -> np.ndarray:
    """Song et al. 2021, equation 12, with eta 0."""
    return math.sqrt(alpha_before) * clean + math.sqrt(1.0 - alpha_before) * eps


def _ddpm(x: np.ndarray, clean: np.ndarray, alpha: float, alpha_before: float) -> np.ndarray:
    """The posterior's mean, Ho et al. 2020, equation 7."""
    ratio = alpha / alpha_before
    of_clean = math.sqrt(alpha_before) * (1.0 - ratio) / (1.0 - alpha)
    of_sample = math.sqrt(ratio) * (1.0 - alpha_before) / (1.0 - alpha)
    return of_clean * clean + of_sample * x


def _variance(scheduler: dict, alpha: float, alpha_before: float) -> float:
    """Ho et al. 2020, section 3.2: beta, or its posterior."""
    beta = 1.0 - alpha / alpha_before
    if scheduler["variance"] == "fixed_large":
        return beta
    return max((1.0 - alpha_before) / (1.0 - alpha) * beta, 1e-20)
