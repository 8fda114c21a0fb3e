//! Fused code against the same code with a row for every operation.

use std::sync::Arc;

use proptest::prelude::*;

use super::code::Code;
use super::evaluator::Evaluator;
use super::fuse::Map;
use super::real::Real;
use crate::graph::{Graph, NodeId};
use crate::op::Op;

const VARYING: usize = 6;
const UNIFORM: usize = 3;

/// A graph with its inputs.
struct Builder {
    graph: Graph,
    inputs: Vec<NodeId>,
}

impl Builder {
    fn new() -> Self {
        let mut graph = Graph::new(10_000);
        let mut inputs: Vec<NodeId> = (0..VARYING).map(|i| graph.varying(i).unwrap()).collect();
        inputs.extend((0..UNIFORM).map(|i| graph.uniform(i).unwrap()));
        Self { graph, inputs }
    }

    fn add(&mut self, op: Op, operands: &[NodeId]) -> NodeId {
        self.graph.add(op, operands).unwrap()
    }

    fn codes(&self, result: NodeId) -> [Code; 2] {
        [
            Code::new(&self.graph, result, UNIFORM / 3, VARYING / 3),
            Code::unfused(&self.graph, result, UNIFORM / 3, VARYING / 3),
        ]
    }
}

/// Values and gradients of 30 particles, which take two blocks; everything must be finite.
fn run<T: Real>(code: &Code, avx2: bool) -> (Vec<T>, Vec<T>) {
    const PARTICLES: usize = 30;
    let mut evaluator = Evaluator::<T>::from_code(Arc::new(code.clone()), PARTICLES);
    if !avx2 {
        evaluator = evaluator.without_avx2();
    }
    let trajectories: Vec<T> = (0..PARTICLES * VARYING)
        .map(|i| T::from_f64((i as f64 * 0.7).sin()))
        .collect();
    let mut values = vec![T::ZERO; PARTICLES];
    let mut gradients = vec![T::ZERO; trajectories.len()];
    let keypoints = [[0.3, -0.2, 0.9]];
    evaluator
        .evaluate(&keypoints, &trajectories, &mut values, Some(&mut gradients))
        .unwrap();
    (values, gradients)
}

/// Values agree to the last bit, gradients up to the order in which shares are added.
fn expect_same<T: Real>(codes: &[Code; 2], tolerance: f64) {
    let (fused, unfused) = (run::<T>(&codes[0], true), run::<T>(&codes[1], true));
    assert_eq!(fused.0, unfused.0);
    let largest = (unfused.1.iter()).fold(1.0, |m: f64, g| m.max(g.to_f64().abs()));
    for (a, b) in fused.1.iter().zip(&unfused.1) {
        let difference = (a.to_f64() - b.to_f64()).abs();
        assert!(difference <= tolerance * largest, "{a:?} and {b:?}");
    }
    assert_eq!(fused, run::<T>(&codes[0], false), "without AVX2");
}

/// Adds the term that `map` stands for.
fn term(builder: &mut Builder, map: Map, [a, b, c]: [NodeId; 3]) -> NodeId {
    let inner = match map {
        Map::SubSquare | Map::SubRelu | Map::SubMul => builder.add(Op::Sub, &[a, b]),
        Map::PlusMul | Map::MinusMul => builder.add(Op::Mul, &[b, c]),
        Map::Id | Map::Sub | Map::Mul | Map::Square => a,
    };
    match map {
        Map::Id => a,
        Map::Sub => builder.add(Op::Sub, &[a, b]),
        Map::Mul => builder.add(Op::Mul, &[a, b]),
        Map::Square | Map::SubSquare => builder.add(Op::Square, &[inner]),
        Map::SubRelu => builder.add(Op::Relu, &[inner]),
        Map::SubMul => builder.add(Op::Mul, &[inner, c]),
        Map::PlusMul => builder.add(Op::Add, &[a, inner]),
        Map::MinusMul => builder.add(Op::Sub, &[a, inner]),
    }
}

#[test]
fn every_pattern_is_fused_and_computes_the_same() {
    use Map::{Id, MinusMul, Mul, PlusMul, Square, Sub, SubMul, SubRelu, SubSquare};
    let sums = [
        Id, Sub, Mul, Square, SubSquare, SubRelu, SubMul, PlusMul, MinusMul,
    ];
    let lengths = [Id, Sub, Mul, SubMul, MinusMul];
    let chains = [SubSquare, SubRelu, SubMul, PlusMul, MinusMul];
    let cases = (sums.iter().map(|&map| (Op::Sum, map)))
        .chain(lengths.iter().map(|&map| (Op::Norm2, map)))
        .chain(chains.iter().map(|&map| (Op::Detach, map)));
    for (op, map) in cases {
        // Three terms and six take different ways through the kernels.
        for terms in [3, 6] {
            let mut builder = Builder::new();
            let inputs = builder.inputs.clone();
            let input = |n: usize| inputs[n % inputs.len()];
            let terms: Vec<NodeId> = (0..terms)
                .map(|n| {
                    let first = builder.add(Op::Exp, &[input(n)]);
                    term(&mut builder, map, [first, input(n + 4), input(n)])
                })
                .collect();
            let result = match op {
                Op::Detach => builder.add(Op::AMax, &terms),
                _ => builder.add(op, &terms),
            };
            let codes = builder.codes(result);
            let ran = if op == Op::Detach { Op::Sum } else { op };
            let found = codes[0].batches.iter().find(|b| b.op == ran);
            assert_eq!(found.map(|b| b.map), Some(map), "{op:?} of {map:?}");
            assert_eq!(codes[0].operations, codes[1].operations);
            expect_same::<f64>(&codes, 1e-14);
            expect_same::<f32>(&codes, 1e-6);
        }
    }
}

#[test]
fn a_result_with_two_readers_keeps_its_row() {
    let mut builder = Builder::new();
    let (a, b, c) = (builder.inputs[0], builder.inputs[1], builder.inputs[6]);
    let difference = builder.add(Op::Sub, &[a, b]);
    let square = builder.add(Op::Square, &[difference]);
    let product = builder.add(Op::Mul, &[difference, c]);
    let result = builder.add(Op::Sum, &[square, product, difference]);
    let codes = builder.codes(result);
    assert!(codes[0].batches.iter().all(|batch| batch.map == Map::Id));
    expect_same::<f64>(&codes, 0.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn random_graphs_compute_the_same(
        steps in prop::collection::vec((0_usize..12, prop::collection::vec(0_usize..10, 4)), 1..60)
    ) {
        let mut builder = Builder::new();
        // Each node with a bound of its size, so that nothing grows out of hand.
        let mut nodes: Vec<(NodeId, f64)> = builder.inputs.iter().map(|&id| (id, 1.0)).collect();
        for (op, picks) in steps {
            let pick = |i: usize| nodes[nodes.len() - 1 - picks[i] % nodes.len()];
            let ((a, x), (b, y), (c, z), (d, w)) = (pick(0), pick(1), pick(2), pick(3));
            let (id, bound) = match op {
                0..3 => (builder.add(Op::Sub, &[a, b]), x + y),
                3..5 => (builder.add(Op::Mul, &[a, b]), x * y),
                5 => (builder.add(Op::Add, &[a, b]), x + y),
                6 => (builder.add(Op::Square, &[a]), x * x),
                7 => (builder.add(Op::Relu, &[a]), x),
                8 => (builder.add(Op::Sum, &[a, b, c, d]), x + y + z + w),
                9 => (builder.add(Op::Sum, &[a, b, c]), x + y + z),
                10 => (builder.add(Op::Norm2, &[a, b, c]), x + y + z),
                _ => (builder.add(Op::MaxLeft, &[a, b]), x.max(y)),
            };
            nodes.push(if bound > 50.0 {
                (builder.add(Op::Tanh, &[id]), 1.0)
            } else {
                (id, bound)
            });
        }
        let tail: Vec<NodeId> = nodes.iter().rev().take(4).map(|&(id, _)| id).collect();
        let sum = builder.add(Op::Sum, &tail);
        let first = builder.inputs[0];
        let result = builder.add(Op::Add, &[sum, first]);
        prop_assume!(builder.graph.node(result).differentiable);
        expect_same::<f64>(&builder.codes(result), 1e-9);
    }
}
