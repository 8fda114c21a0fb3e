#!/usr/bin/env bash
# Many episodes of the real dataflow on a loaded machine: no node may die. Not a part of CI.
#
#   tests/soak.sh [EPISODES] [SPEED]        300 episodes by default, as fast as the machine allows
#
# Two busy loops run beside the dataflow. Ends with 0 only if all episodes were run to their end.
set -euo pipefail
cd "$(dirname "$0")/.."
episodes=${1:-300}
speed=${2:-20}
folder=${TILLER_RUN_DIR:-runs/soak}
export PATH="$PWD/.venv/bin:$PATH" RUST_BACKTRACE=0
rm -rf "$folder" && mkdir -p "$folder"

busy() { while :; do :; done; }
busy & first=$!
busy & second=$!
trap 'kill "$first" "$second" 2>/dev/null || true' EXIT

export TILLER_RUN_DIR=$folder TILLER_EPISODES=$episodes TILLER_SPEED=$speed TILLER_EPISODE_S=30 TILLER_WALL_LIMIT_S=0
begin=$SECONDS
status=0
dora run dataflow.yml > "$folder/dora.log" 2>&1 || status=$?
python3 - "$folder" "$episodes" "$status" "$((SECONDS - begin))" <<'PYTHON'
import json, sys
folder, episodes, status, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
summary = json.load(open(f"{folder}/summary.json"))
ended = [entry["outcome"] for entry in summary.get("episodes", [])] + [summary["outcome"]]
counts = {outcome: ended.count(outcome) for outcome in sorted(set(ended))}
print(f"{len(ended)} of {episodes} episodes in {seconds} s: {counts}; `dora run` ended with {status}")
print("notices:", json.dumps(summary["notices"]))
print("latencies:", json.dumps(summary["latencies"]))
died = [line for line in open(f"{folder}/dora.log", errors="replace") if "exited with code" in line or "panicked" in line]
for line in died[:10]:
    print("died:", line.strip()[:300])
sys.exit(0 if len(ended) == episodes and not died and status == 0 else 1)
PYTHON
