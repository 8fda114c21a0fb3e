"""LeRobot's own answer for its vision-language-action policies: random checkpoints, and what it samples.

Needs what `lerobot_truth.py` needs, `transformers` and `tokenizers`; nothing is downloaded: language
models are described in a local folder, with a tokenizer learnt from a few sentences.
"""

import json
import os
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

import lerobot_truth as base
from lerobot_truth import FeatureType, NormalizationMode, PolicyFeature, PolicyProcessorPipeline

with base.own_lerobot():
    import lerobot.policies.smolvla.modeling_smolvla as smolvla_modelling
    import lerobot.policies.smolvla.smolvlm_with_expert as smolvlm_with_expert
    from lerobot.policies.smolvla.configuration_smolvla import SmolVLAConfig
    from lerobot.policies.smolvla.processor_smolvla import make_smolvla_pre_post_processors
    from lerobot.processor import tokenizer_processor
    from transformers.models.smolvlm.configuration_smolvlm import SmolVLMConfig

    try:
        import lerobot.policies.pi0.modeling_pi0 as pi0_modelling
        import lerobot.policies.pi05.modeling_pi05 as pi05_modelling
        from lerobot.policies.pi0.processor_pi0 import make_pi0_pre_post_processors
        from lerobot.policies.pi05.processor_pi05 import make_pi05_pre_post_processors

        # Before 0.6 they need a changed transformers, which is not what is at hand here.
        HAS_PI = hasattr(pi0_modelling, "PiGemmaForCausalLM")
    except ImportError:
        HAS_PI = False

LEROBOT = tuple(int(part) for part in version("lerobot").split(".")[:2])
# As `lerobot.py --lerobot` has it.
VERSION = "0.6" if LEROBOT >= (0, 6) else "0.4"
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


def learn_gemma_tokenizer(folder: Path, vocabulary: int) -> None:
    """A tokenizer like PaliGemma's own: blanks are letters, what is unknown is bytes, and a first token."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "\u2581")
    tokenizer.pre_tokenizer = pre_tokenizers.Split("\u2581", "merged_with_previous")
    names = ["<pad>", "<eos>", "<bos>", "<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        initial_alphabet=list("0123456789-,:;AST\u2581abcdefghijklmnopqrstuvwxyz"),
        special_tokens=names,
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing("<bos> $A", special_tokens=[("<bos>", 2)])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = '{"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>", "bos_token": "<bos>"}'
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


def describe_paligemma(folder: Path, sizes: dict) -> None:
    """What the exporter cannot read from the tensors, and a tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"vision_config": {"num_attention_heads": sizes["vision"]["num_attention_heads"]}}
    (folder / "config.json").write_text(json.dumps(config))
    learn_gemma_tokenizer(folder, sizes["vocabulary"])


def pi(kind: str, state: int, action: int, cameras: dict, modes: dict, **options):
    config = {"pi0": pi0_modelling.PI0Config, "pi05": pi05_modelling.PI05Config}[kind]
    return config(
        **features(state, action, cameras),
        normalization_mapping={kind: NormalizationMode(mode) for kind, mode in modes.items()},
        device="cpu",
        dtype="float32",
        push_to_hub=False,
        **options,
    )


FAMILIES = {"smolvla": (smolvla_modelling.SmolVLAPolicy, make_smolvla_pre_post_processors)}
if HAS_PI:
    FAMILIES["pi0"] = (pi0_modelling.PI0Policy, make_pi0_pre_post_processors)
    FAMILIES["pi05"] = (pi05_modelling.PI05Policy, make_pi05_pre_post_processors)


@contextmanager
def offline(kind: str, folder: Path, sizes: dict):
    """Within it LeRobot builds a language model of these sizes, and reads the tokenizer of `folder`."""

    class Tokenizers:
        @staticmethod
        def from_pretrained(*_, **__):
            return transformers.AutoTokenizer.from_pretrained(folder)

    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(tokenizer_processor, "AutoTokenizer", Tokenizers))
        if kind == "smolvla":
            stack.enter_context(mock.patch.object(smolvlm_with_expert, "AutoProcessor", _Processor))
        else:
            module = {"pi0": pi0_modelling, "pi05": pi05_modelling}[kind]
            stack.enter_context(mock.patch.multiple(module, **_shrunk(module, sizes)))
        yield


def _shrunk(module, sizes: dict) -> dict:
    """What a module of LeRobot's builds pi0 of, but small: it has sizes for real ones only."""
    paligemma, expert = module.PaliGemmaForConditionalGenerationWithPiGemma, module.PiGemmaForCausalLM

    def small_paligemma(config):
        for name, value in sizes["vision"].items():
            setattr(config.vision_config, name, value)
        config.vision_config.projection_dim = config.projection_dim = sizes["paligemma"]["width"]
        config.text_config.vocab_size = sizes["vocabulary"]
        return paligemma(config=config)

    def small_expert(config):
        config.vocab_size = sizes["vocabulary"]
        return expert(config=config)

    def config_of(variant: str):
        own = sizes["paligemma" if variant == "gemma_2b" else "expert"]
        return module.GemmaConfig(**own, **sizes["shared"])

    return {
        "PaliGemmaForConditionalGenerationWithPiGemma": small_paligemma,
        "PiGemmaForCausalLM": small_expert,
        "get_gemma_config": config_of,
    }


def write(settings, folder: Path, vlm: Path, sizes: dict, seed: int, gain: float) -> None:
    """Saves a checkpoint of random weights, in which no parameter has a value that hides a mistake.

    `gain`: by how much matrices are larger than what training starts from, so that each layer matters.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    policy_class, make_processors = FAMILIES[settings.type]
    with offline(settings.type, vlm, sizes), torch.no_grad():
        policy = policy_class(settings)
        stats = base.statistics(settings, generator, constant=False)
        for processor in make_processors(settings, stats):
            processor.save_pretrained(folder)
        for name, parameter in policy.named_parameters():
            if parameter.ndim == 1:
                parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
            else:
                parameter *= gain
            if "dense" in name:
                # Training starts where time has no say.
                parameter += 0.05 * torch.randn(parameter.shape, generator=generator)
    policy.save_pretrained(folder)


class Truth:
    """A checkpoint as LeRobot loads and runs it."""

    def __init__(self, settings, folder: Path, vlm: Path, sizes: dict):
        policy_class, _ = FAMILIES[settings.type]
        with offline(settings.type, vlm, sizes):
            self.policy = policy_class.from_pretrained(folder, config=settings).eval()
            self.before = PolicyProcessorPipeline.from_pretrained(
                folder, config_filename="policy_preprocessor.json"
            )
        self.config = self.policy.config
        self.after = base.postprocessor(folder)

    def batch(self, observation: dict, instruction: str) -> dict[str, torch.Tensor]:
        raw = {"task": instruction}
        for name, value in observation.items():
            value = torch.from_numpy(value)
            picture = value.dtype == torch.uint8
            raw[name] = value.permute(2, 0, 1).float() / 255.0 if picture else value
        return self.before(raw)

    def tokens(self, observation: dict, instruction: str) -> list[int]:
        """What LeRobot's tokenizer makes of an instruction, without filling."""
        batch = self.batch(observation, instruction)
        mask = batch["observation.language.attention_mask"]
        return batch["observation.language.tokens"][mask].tolist()

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
    def conditions(self, observation: dict, instruction: str) -> dict[str, np.ndarray]:
        """LeRobot's keys and values [KV, P, d] at the places that are no filling, as the expert sees them."""
        batch = self.batch(observation, instruction)
        there, cache = (self._smolvla if self.config.type == "smolvla" else self._pi)(batch)
        found = {}
        for index, (keys, values) in enumerate(cache):
            for kind, value in (("key", keys), ("value", values)):
                if self.config.type == "smolvla" and self._crosses(index):
                    own = self.policy.model.vlm_with_expert.lm_expert.layers[index].self_attn
                    project = own.k_proj if kind == "key" else own.v_proj
                    rows = project(value.transpose(1, 2).flatten(2))
                    value = rows.view(1, rows.shape[1], value.shape[1], -1).transpose(1, 2)
                found[f"{kind}_{index}"] = value[0][:, there[0]].numpy()
        return found

    def _smolvla(self, batch: dict):
        """Which places are there, and by layer keys and values [1, KV, P, d]."""
        model = self.policy.model
        pictures, seen = self.policy.prepare_images(batch)
        state = self.policy.prepare_state(batch)
        tokens, mask = (batch[f"observation.language.{name}"] for name in ("tokens", "attention_mask"))
        embedded, there, blocks = model.embed_prefix(pictures, seen, tokens, mask, state=state)
        options = {} if LEROBOT >= (0, 6) else {"fill_kv_cache": True}
        _, cache = model.vlm_with_expert.forward(
            attention_mask=smolvla_modelling.make_att_2d_masks(there, blocks),
            position_ids=torch.cumsum(there, dim=1) - 1,
            past_key_values=None,
            inputs_embeds=[embedded, None],
            use_cache=True,
            **options,
        )
        if LEROBOT >= (0, 6):
            return there, [(layer.keys, layer.values) for layer in cache.layers]
        kept = [(cache[index]["key_states"], cache[index]["value_states"]) for index in sorted(cache)]
        return there, [(keys.transpose(1, 2), values.transpose(1, 2)) for keys, values in kept]

    def _pi(self, batch: dict):
        """The same of pictures and text; the state's place is not among them."""
        model = self.policy.model
        pictures, seen = self.policy._preprocess_images(batch)
        tokens, mask = (batch[f"observation.language.{name}"] for name in ("tokens", "attention_mask"))
        embedded, there, blocks = model.embed_prefix(pictures, seen, tokens, mask)
        sees = pi0_modelling.make_att_2d_masks(there, blocks)
        model.paligemma_with_expert.paligemma.language_model.config._attn_implementation = "eager"
        _, cache = model.paligemma_with_expert.forward(
            attention_mask=pi0_modelling.prepare_attention_masks_4d(sees),
            position_ids=torch.cumsum(there, dim=1) - 1,
            past_key_values=None,
            inputs_embeds=[embedded, None],
            use_cache=True,
        )
        return there, [(layer.keys, layer.values) for layer in cache.layers]

    def _crosses(self, index: int) -> bool:
        """Whether the expert works out keys and values of its own from the prefix's."""
        every = self.config.self_attn_every_n_layers
        return "cross" in self.config.attention_mode and not (every > 0 and index % every == 0)


def difference(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> float:
    """By how much a bundle's conditions differ from LeRobot's, relative where those are above 1."""
    worst = 0.0
    for name, value in expected.items():
        # pi0's state stands behind what LeRobot keeps.
        own = found[name][0][:, found["prefix"][0]][:, : value.shape[1]]
        worst = max(worst, float(np.abs(own - value).max() / max(1.0, np.abs(value).max())))
    return worst


def by_source(observation: dict) -> dict[str, np.ndarray]:
    """An observation as a bundle takes it whose cameras keep their names."""
    names = {base.STATE: "robot_state"}
    return {names.get(name, name.rsplit(".", 1)[-1]): value[None] for name, value in observation.items()}


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
