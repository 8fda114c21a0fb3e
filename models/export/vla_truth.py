"""LeRobot's own answer for its vision-language-action policies: random checkpoints, and what it samples.

Needs what `lerobot_truth.py` needs, `transformers` and `tokenizers`; nothing is downloaded: language
models are described in a local folder, with a tokenizer learnt from a few sentences.
"""

import os
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

import lerobot_truth as base
from lerobot_truth import FeatureType, NormalizationMode, PolicyFeature, PolicyProcessorPipeline

with base.own_lerobot():
    import lerobot.policies.smolvla.modeling_smolvla as smolvla_modelling
    import lerobot.policies.smolvla.smolvlm_with_expert as smolvlm_with_expert
    from lerobot.policies.smolvla.configuration_smolvla import SmolVLAConfig
    from lerobot.policies.smolvla.processor_smolvla import make_smolvla_pre_post_processors
    from transformers.models.smolvlm.configuration_smolvlm import SmolVLMConfig

SENTENCES = ["open the drawer and put the red block into it", "push the button", "lift the blue block, 3 times"]


def learn_tokenizer(folder: Path, vocabulary: int) -> None:
    """A byte-level tokenizer like SmolVLM2's own."""
    tokenizer = Tokenizer(models.BPE())
    splits = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(splits)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, initial_alphabet=alphabet, special_tokens=names, show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = '{"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<|im_end|>"}'
    (folder / "tokenizer_config.json").write_text(settings)


def describe_smolvlm(folder: Path, sizes: dict) -> None:
    """Writes a language model's configuration and tokenizer, as SmolVLM2's repository has them."""
    text = {
        "model_type": "llama",
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "max_position_embeddings": 8192,
        "attention_bias": False,
        "tie_word_embeddings": False,
        "pad_token_id": 2,
    }
    config = SmolVLMConfig(
        vision_config={"model_type": "smolvlm_vision", **sizes["vision"]},
        text_config=text | sizes["text"],
        scale_factor=sizes["scale"],
        image_token_id=sizes["text"]["vocab_size"] - 1,
        tie_word_embeddings=False,
        pad_token_id=2,
    )
    config.save_pretrained(folder)
    learn_tokenizer(folder, min(400, sizes["text"]["vocab_size"]))


class _Processor:
    """What SmolVLA asks of SmolVLM2's processor at its start; its pictures go another way."""

    tokenizer = SimpleNamespace(fake_image_token_id=3, global_image_token_id=4)

    @classmethod
    def from_pretrained(cls, *_, **__):
        return cls()


def features(state: int, action: int, cameras: dict[str, tuple[int, int]]) -> dict:
    inputs = {base.STATE: PolicyFeature(FeatureType.STATE, (state,))}
    for name, (height, width) in cameras.items():
        inputs[f"observation.images.{name}"] = PolicyFeature(FeatureType.VISUAL, (3, height, width))
    outputs = {base.ACTION: PolicyFeature(FeatureType.ACTION, (action,))}
    return {"input_features": inputs, "output_features": outputs}


def smolvla(vlm: Path, state: int, action: int, cameras: dict, modes: dict, **options) -> SmolVLAConfig:
    return SmolVLAConfig(
        **features(state, action, cameras),
        normalization_mapping={kind: NormalizationMode(mode) for kind, mode in modes.items()},
        vlm_model_name=str(vlm),
        load_vlm_weights=False,
        device="cpu",
        push_to_hub=False,
        **options,
    )


FAMILIES = {"smolvla": (smolvla_modelling.SmolVLAPolicy, make_smolvla_pre_post_processors)}


def write(settings, folder: Path, seed: int, gain: float) -> None:
    """Saves a checkpoint of random weights, in which no parameter has a value that hides a mistake.

    `gain`: by how much matrices are larger than what training starts from, so that each layer matters.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    policy_class, processors = FAMILIES[settings.type]
    with mock.patch.object(smolvlm_with_expert, "AutoProcessor", _Processor), torch.no_grad():
        policy = policy_class(settings)
        for name, parameter in policy.named_parameters():
            if parameter.ndim == 1:
                parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
            else:
                parameter *= gain
    policy.save_pretrained(folder)
    stats = base.statistics(settings, generator, constant=False)
    for processor in processors(settings, stats):
        processor.save_pretrained(folder)


class Truth:
    """A checkpoint as LeRobot loads and runs it."""

    def __init__(self, settings, folder: Path):
        policy_class, _ = FAMILIES[settings.type]
        with mock.patch.object(smolvlm_with_expert, "AutoProcessor", _Processor):
            self.policy = policy_class.from_pretrained(folder, config=settings).eval()
        self.config = self.policy.config
        self.before = PolicyProcessorPipeline.from_pretrained(
            folder, config_filename="policy_preprocessor.json"
        )
        self.after = base.postprocessor(folder)

    def batch(self, observation: dict, instruction: str) -> dict[str, torch.Tensor]:
        raw = {"task": instruction}
        for name, value in observation.items():
            value = torch.from_numpy(value)
            picture = value.dtype == torch.uint8
            raw[name] = value.permute(2, 0, 1).float() / 255.0 if picture else value
        return self.before(raw)

    @torch.no_grad()
    def chunks(self, observation: dict, instruction: str, noise: np.ndarray) -> np.ndarray:
        """The chunks [B, T, D] that LeRobot samples from `noise`, in the actions' units; one by one, as LeRobot
        has one observation for each."""
        batch = self.batch(observation, instruction)
        found = [
            self.policy.predict_action_chunk(dict(batch), noise=torch.from_numpy(one[None])) for one in noise
        ]
        return self.after(torch.cat(found)).numpy()

    @torch.no_grad()
    def condition_difference(self, observation: dict, instruction: str, found: dict) -> float:
        """By how much keys and values differ from LeRobot's own at the places that are no filling, relative
        where they are above 1."""
        batch, model = self.batch(observation, instruction), self.policy.model
        pictures, seen = self.policy.prepare_images(batch)
        state = self.policy.prepare_state(batch)
        tokens, mask = (batch[f"observation.language.{name}"] for name in ("tokens", "attention_mask"))
        embedded, there, blocks = model.embed_prefix(pictures, seen, tokens, mask, state=state)
        sees = smolvla_modelling.make_att_2d_masks(there, blocks)
        _, cache = model.vlm_with_expert.forward(
            attention_mask=sees,
            position_ids=torch.cumsum(there, dim=1) - 1,
            past_key_values=None,
            inputs_embeds=[embedded, None],
            use_cache=True,
            fill_kv_cache=True,
        )
        worst = 0.0
        for index, kept in cache.items():
            layer = model.vlm_with_expert.lm_expert.layers[index].self_attn
            for kind, project in (("key", layer.k_proj), ("value", layer.v_proj)):
                value = kept[f"{kind}_states"]
                if self._crosses(index):
                    value = project(value.flatten(2)).view(value.shape)
                expected = value[0, there[0]].transpose(0, 1).numpy()
                own = found[f"{kind}_{index}"][0][:, found["prefix"][0]]
                worst = max(worst, np.abs(own - expected).max() / max(1.0, np.abs(expected).max()))
        return float(worst)

    def _crosses(self, index: int) -> bool:
        """Whether the expert works out keys and values of its own from the prefix's."""
        every = self.config.self_attn_every_n_layers
        return "cross" in self.config.attention_mode and not (every > 0 and index % every == 0)


def observe(settings, seed: int) -> dict[str, np.ndarray]:
    """A random observation: pictures uint8 [H, W, 3], the state float32 [n]."""
    random = np.random.default_rng(seed)
    found = {}
    for name, feature in settings.input_features.items():
        if feature.type is FeatureType.VISUAL and "empty_camera" not in name:
            found[name] = random.integers(0, 256, (*feature.shape[1:], 3), np.uint8)
        elif feature.type is FeatureType.STATE:
            found[name] = random.uniform(-0.5, 0.5, feature.shape).astype(np.float32)
    return found
