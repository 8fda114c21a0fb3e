#!/usr/bin/env bash
# Many episodes of the real dataflow on a loaded machine: no node may die, and none may grow. Not a part of CI.
#
#   tests/soak.sh [EPISODES] [SPEED]        300 episodes by default, as fast as the machine allows
#   QUIET=1 tests/soak.sh 400               without the two busy loops beside the dataflow
#
# Ends with 0 only if all episodes were run to their end, nothing was started anew, and no process's memory in the
# last quarter of the time was more than a twentieth, and 8 MiB, above that in the second.
set -euo pipefail
cd "$(dirname "$0")/.."
episodes=${1:-300}
speed=${2:-20}
folder=$(realpath -m "${TILLER_RUN_DIR:-runs/soak}")
export PATH="$PWD/.venv/bin:$PATH" RUST_BACKTRACE=0
rm -rf "$folder" && mkdir -p "$folder"

helpers=()
trap 'kill "${helpers[@]}" 2>/dev/null || true' EXIT
busy() { while :; do :; done; }
if [ -z "${QUIET:-}" ]; then
    busy & helpers+=($!)
    busy & helpers+=($!)
fi

# Resident memory of the dataflow's processes, every two seconds: seconds, process, KiB.
watch_memory() {
    while :; do
        for process in /proc/[0-9]*; do
            if grep -qs "TILLER_RUN_DIR=$folder" "$process/environ"; then
                name=$(tr '\0' ' ' < "$process/cmdline" | grep -oE 'target/release/[a-z-]+|start_runtime' || true)
                memory=$(awk '/^VmRSS/ { print $2 }' "$process/status" 2>/dev/null || true)
                [ -z "$name" ] || [ -z "$memory" ] || echo "$SECONDS $(basename "$name") $memory"
            fi
        done
        sleep 2
    done
}
watch_memory > "$folder/memory.txt" 2>/dev/null & helpers+=($!)

export TILLER_RUN_DIR=$folder TILLER_EPISODES=$episodes TILLER_SPEED=$speed TILLER_EPISODE_S=30 TILLER_WALL_LIMIT_S=0
begin=$SECONDS
status=0
dora run dataflow.yml > "$folder/dora.log" 2>&1 || status=$?
python3 - "$folder" "$episodes" "$status" "$((SECONDS - begin))" <<'PYTHON'
import json, statistics, sys
folder, episodes, status, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
summary = json.load(open(f"{folder}/summary.json"))
ended = [entry["outcome"] for entry in summary.get("episodes", [])] + [summary["outcome"]]
counts = {outcome: ended.count(outcome) for outcome in sorted(set(ended))}
print(f"{len(ended)} of {episodes} episodes in {seconds} s: {counts}; `dora run` ended with {status}")
print("control:", json.dumps(summary["control"]))
print("notices:", json.dumps(summary["notices"]))
print("latencies:", json.dumps(summary["latencies"]))
# Episodes without success show in the world's exit status.
log = open(f"{folder}/dora.log", errors="replace").read()
died = [line for line in log.splitlines() if "panicked" in line or "exited because of" in line]
died += [f"{node} was started anew" for node in summary["notices"].get("restarts", {})]
for line in died[:10]:
    print("died:", line.strip()[:300])
memory = {}
for line in open(f"{folder}/memory.txt"):
    second, name, kib = line.split()
    memory.setdefault(name, []).append((int(second), int(kib)))
grown = []
for name, seen in sorted(memory.items()):
    first, last = seen[0][0], seen[-1][0]
    def between(low, high):
        return [kib for second, kib in seen if low <= (second - first) / max(1, last - first) <= high]
    early, late = (statistics.median(between(*part)) / 1024 for part in ((0.25, 0.5), (0.75, 1.0)))
    print(f"memory of {name}: {early:.1f} MiB in the second quarter, {late:.1f} MiB in the last")
    if late > early * 1.05 + 8:
        grown.append(name)
print("grown:", ", ".join(grown) or "none")
sys.exit(0 if len(ended) == episodes and not died and not grown else 1)
PYTHON
