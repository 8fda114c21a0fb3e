"""Writes what scikit-learn makes of a few clouds of points, for the tests of `crates/grounding`:

    pip install numpy scikit-learn==1.7.2
    python models/export/points_truth.py crates/grounding/tests/data/points.json

k-means begins with the point that lies farthest from the mean, and then always with the one farthest from those
before it.
"""

import json
import sys

import numpy as np
from sklearn.cluster import KMeans, MeanShift
from sklearn.decomposition import PCA


def farthest_first(points, count):
    gaps = np.linalg.norm(points - points.mean(axis=0), axis=1)
    chosen = []
    for _ in range(count):
        chosen.append(int(np.argmax(gaps)))
        to_chosen = np.linalg.norm(points - points[chosen[-1]], axis=1)
        gaps = to_chosen if len(chosen) == 1 else np.minimum(gaps, to_chosen)
    return points[chosen]


def case(random, count, clusters, size_m, bandwidth_m):
    turn, _ = np.linalg.qr(random.normal(size=(3, 3)))
    points = (random.uniform(-0.5, 0.5, (count, 3)) * size_m) @ turn.T + random.uniform(-0.5, 0.5, 3)
    points = np.round(points, 6)
    begin = farthest_first(points, clusters)
    means = KMeans(clusters, init=begin, n_init=1, max_iter=300, tol=0.0, algorithm="lloyd").fit(points)
    parts = PCA(3).fit(points)
    middles = MeanShift(bandwidth=bandwidth_m).fit(points)
    return {
        "points_m": points.tolist(),
        "clusters": clusters,
        "centres_m": np.round(means.cluster_centers_, 9).tolist(),
        "deviations_m": np.round(np.sqrt(parts.explained_variance_), 9).tolist(),
        "axes": np.round(parts.components_, 9).tolist(),
        "bandwidth_m": bandwidth_m,
        "middles_m": np.round(middles.cluster_centers_, 9).tolist(),
    }


def main():
    random = np.random.default_rng(7)
    cases = [
        case(random, 60, 2, [0.16, 0.05, 0.02], 0.03),
        case(random, 90, 3, [0.3, 0.2, 0.01], 0.06),
        case(random, 120, 5, [0.2, 0.1, 0.06], 0.05),
        case(random, 13, 4, [0.05, 0.04, 0.03], 0.02),
    ]
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        json.dump(cases, out, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    main()
