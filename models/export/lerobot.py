"""Turns a policy trained with LeRobot into a policy bundle: diffusion, SmolVLA, pi0, pi0.5.

    python models/export/lerobot.py --checkpoint outputs/train/pusher/checkpoints/last \\
        --out models/policies/pusher --position 0 1 2 --gripper 3 --mode delta --rate-hz 10 \\
        --source observation.images.top=static observation.images.hand=wrist
"""

import argparse
from pathlib import Path

import action_layout
import lerobot_bundle
import pi_checkpoint
import pi_network
import smolvla_checkpoint
import smolvla_network
import vla_bundle
from lerobot_bundle import Layout
from lerobot_files import folder_of, read_json
from refusal import unsupported

EXPLANATION = """\
what a checkpoint is:
  A directory as LeRobot 0.4 or newer saves or downloads it: config.json, model.safetensors,
  policy_preprocessor.json, policy_postprocessor.json and the processors' .safetensors files; or one
  that holds such a directory as pretrained_model. LeRobot itself need not be installed.

what it does not say, and you must:
  A checkpoint knows its actions only as columns. --position names the three that move the hand, in
  metres, --rotation and --rotation-kind those that turn it, --mode whether they are steps from the
  pose before (delta, in --frame) or poses (absolute). A policy of joint positions or velocities has
  --joints instead. --gripper names the gripper's column, from -1 (closed) to +1 (open) unless
  --gripper-values says otherwise. Columns that mean nothing to Tiller must be named with --ignored.
  Where a controller scales or clips what the policy says, as robosuite's OSC does, say so with
  --position-m-per-unit, --rotation-rad-per-unit and --clip. Steering moves positions, and rotation
  and gripper if --guide names them. --rate-hz is the rate of the demonstrations.

  --source says which of Tiller's inputs each observation is: a camera's name, or robot_state. Without
  it observation.images.NAME takes the camera NAME and observation.state the robot_state. Pictures
  must come in the size that the checkpoint was trained on; its resizing and cropping are in the graph.

  --components says what the numbers of observation.state are, in Tiller's words, e.g. position
  rotation_vector fingers; without it they are x, y, z and the width between the fingers.

  A policy that reads instructions names its tokenizer and does not hold it: --tokenizer is the
  tokenizer.json of the repository that the checkpoint names, which becomes part of the bundle.

what is supported:
  SmolVLA: every configuration of one language model layer to each of the expert's, without the
  special tokens around pictures and without the adaptation to Aloha. The pictures' resizing and
  padding are in the graph, weights lie in files beside the graphs. Where the language model is
  not SmolVLM2, --vlm-config is its config.json.

  pi0 and pi0.5: every configuration without actions relative to the state.

  --lerobot: the same weights do otherwise in LeRobot 0.4 and 0.6. SmolVLA: with the transformers of
  0.4 all but the first patch of a row and of a column have the position of the one before. pi0,
  pi0.5: 0.4 fills pictures up with -3 instead of black, and pi0.5's state with zeros.

  Diffusion: every configuration that LeRobot's diffusion policy itself runs: DDPM and DDIM; epsilon and sample;
  any number of cameras of one size, with one encoder or one each; resizing and cropping; any
  torchvision ResNet, with group or batch normalisation; any U-Net; several observation steps; the
  environment's state, though Tiller's nodes have none to show; MIN_MAX, MEAN_STD, QUANTILES,
  QUANTILE10 and IDENTITY for each feature. Except: actions that move neither a position nor seven joints, the beta
  schedule sigmoid, adapters that are not merged, and sizes beyond what a bundle may have. These are
  refused with the key, what was found and what is supported. models/README.md has the whole table.

Both graphs are compared with the networks before anything is written, and the differences are
printed at the end. models/export/verify_lerobot.py and verify_vla.py compare whole chunks with
LeRobot's own.
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0],
        epilog=EXPLANATION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--checkpoint", type=Path, required=True, help="LeRobot's directory")
    parser.add_argument("--out", type=Path, required=True, help="bundle directory; its name is the name")
    action_layout.add_options(parser)
    parser.add_argument("--rate-hz", type=float, required=True, help="actions a second")
    parser.add_argument(
        "--source",
        nargs="+",
        default=[],
        metavar="INPUT=SOURCE",
        help="where observations come from, e.g. observation.images.top=static",
    )
    parser.add_argument(
        "--components", nargs="+", default=[], metavar="WORD", help="what observation.state holds"
    )
    parser.add_argument("--tokenizer", type=Path, help="tokenizer.json of a policy that reads instructions")
    parser.add_argument("--vlm-config", type=Path, help="config.json of a language model that is unusual")
    parser.add_argument(
        "--lerobot",
        choices=("0.4", "0.6"),
        default="0.6",
        help="the LeRobot that SmolVLA, pi0 or pi0.5 was trained with, see below",
    )
    return parser.parse_args()


def convert(options: argparse.Namespace, layout: Layout):
    """Exports by the checkpoint's own word of what it is."""

    def say(line: str) -> None:
        print(line, flush=True)

    kind = read_json(folder_of(options.checkpoint), "config.json").get("type", "diffusion")
    if kind == "diffusion":
        return lerobot_bundle.export(options.checkpoint, options.out, layout, say)
    if kind == "smolvla":
        stored = smolvla_checkpoint.read(options.checkpoint, options.vlm_config, options.lerobot)
        networks = smolvla_network.load(stored.config, stored.weights)
    elif kind in ("pi0", "pi05"):
        stored = pi_checkpoint.read(options.checkpoint, options.vlm_config, options.lerobot)
        networks = pi_network.load(stored.config, stored.weights)
    else:
        raise unsupported("config.json: type", kind, "'diffusion', 'smolvla', 'pi0' or 'pi05'")
    return vla_bundle.export(stored, networks, options.out, layout, options.tokenizer, say)


def main() -> None:
    options = arguments()
    malformed = [pair for pair in options.source if "=" not in pair]
    if malformed:
        raise SystemExit(f"--source takes INPUT=SOURCE, found {malformed[0]!r}")
    layout = Layout(
        action=action_layout.from_options(options),
        rate_hz=options.rate_hz,
        sources=dict(pair.split("=", 1) for pair in options.source),
        components=options.components,
    )
    report = convert(options, layout)
    print(
        f"{report.bytes / 1e6:.2f} MB; largest differences from the networks: "
        f"encoder {report.encoder:.1e}, denoiser {report.denoiser:.1e} (allowed: 1e-4)"
    )


if __name__ == "__main__":
    main()
