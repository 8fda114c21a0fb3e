use super::*;
use crate::kinematics::{HOME_Q, Pose, inverse};
use nalgebra::Vector3;
use proptest::prelude::*;

fn linear(twist: &Twist) -> Vector3<f64> {
    twist.fixed_rows::<3>(0).into_owned()
}

fn angular(twist: &Twist) -> Vector3<f64> {
    twist.fixed_rows::<3>(3).into_owned()
}

/// The tool as finite differences of where the chain puts it.
fn check_tool(limits: &Limits, stream: &[JointVector]) -> Result<(), TestCaseError> {
    let chains: Vec<Chain> = stream.iter().map(Chain::new).collect();
    let tool = &limits.cartesian;
    let mut last = Twist::zeros();
    for pair in chains.windows(2) {
        let mut twist = Twist::zeros();
        let moved = (pair[1].position - pair[0].position) / PERIOD_S;
        let turned = pair[0].rotation_to(&pair[1].rotation) / PERIOD_S;
        twist.fixed_rows_mut::<3>(0).copy_from(&moved);
        twist.fixed_rows_mut::<3>(3).copy_from(&turned);
        let change = (twist - last) / PERIOD_S;
        for (found, most) in [
            (linear(&twist), tool.speed_m_s),
            (angular(&twist), tool.rotation_speed_rad_s),
            (linear(&change), tool.acceleration_m_s2),
            (angular(&change), tool.rotation_acceleration_rad_s2),
        ] {
            prop_assert!(found.norm() <= most, "{} > {most}", found.norm());
        }
        last = twist;
    }
    Ok(())
}

fn check(limits: &Limits, stream: &[JointVector]) -> Result<(), TestCaseError> {
    check_tool(limits, stream)?;
    let mut last = (stream[0], [0.0; JOINTS], [0.0; JOINTS]);
    for q in &stream[1..] {
        for (j, &position) in q.iter().enumerate() {
            let (joint, share) = (&limits.joint, &limits.operating);
            let rate = (position - last.0[j]) / PERIOD_S;
            let acceleration = (rate - last.1[j]) / PERIOD_S;
            let jerk = (acceleration - last.2[j]) / PERIOD_S;
            prop_assert!(position >= joint.position_min_rad[j]);
            prop_assert!(position <= joint.position_max_rad[j]);
            prop_assert!(rate.abs() <= joint.velocity_rad_s[j] * share.velocity + 1e-9);
            let most = joint.acceleration_rad_s2[j] * share.acceleration;
            prop_assert!(acceleration.abs() <= most + 1e-6);
            prop_assert!(jerk.abs() <= joint.jerk_rad_s3[j] * share.jerk + 1e-2);
            last.1[j] = rate;
            last.2[j] = acceleration;
        }
        last.0 = *q;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn hostile_rates_stay_within_every_limit(
        demands in prop::collection::vec((prop::array::uniform7(-50.0..50.0f64), 1usize..900), 1..12),
        fr3 in any::<bool>(),
    ) {
        let limits = if fr3 { Limits::fr3() } else { Limits::panda() };
        let mut limiter = JointLimiter::new(&limits, HOME_Q);
        let mut stream = vec![HOME_Q];
        for (demand, ticks) in &demands {
            for _ in 0..*ticks {
                stream.push(*limiter.step(demand));
            }
        }
        check(&limits, &stream)?;
        // Asked to stop, it stops, and soon.
        for _ in 0..1000 {
            stream.push(*limiter.step(&[0.0; JOINTS]));
        }
        prop_assert!(limiter.is_at_rest(), "{:?} {:?}", limiter.motion.rate, limiter.motion.acceleration);
        check(&limits, &stream)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    /// All joints run into their ends at once, where each must brake and none can make up for another.
    #[test]
    fn joints_that_end_together_keep_every_limit(
        upwards in prop::array::uniform7(any::<bool>()),
        away in prop::array::uniform7(0.05..0.6f64),
        share in prop::array::uniform7(0.3..1.0f64),
        fr3 in any::<bool>(),
    ) {
        let mut limits = if fr3 { Limits::fr3() } else { Limits::panda() };
        // Nothing but the joints' ends is in the way.
        limits.workspace.bounds.min_m = [-2.0; 3];
        limits.workspace.bounds.max_m = [2.0; 3];
        limits.clearance.between_links_m = -1.0;
        let joint = &limits.joint;
        let start = std::array::from_fn(|j| match upwards[j] {
            true => joint.position_max_rad[j] - away[j],
            false => joint.position_min_rad[j] + away[j],
        });
        let mut limiter = JointLimiter::new(&limits, start);
        let demand = std::array::from_fn(|j| {
            limiter.max_rate[j] * if upwards[j] { share[j] } else { -share[j] }
        });
        let mut stream = vec![start];
        for _ in 0..500 {
            stream.push(*limiter.step(&demand));
        }
        check(&limits, &stream)?;
    }
}

#[test]
fn rates_within_the_limits_pass_unchanged() {
    let mut limiter = JointLimiter::new(&Limits::panda(), HOME_Q);
    let mut wanted = [0.0; JOINTS];
    for tick in 0..500 {
        let phase = f64::from(tick) * PERIOD_S * std::f64::consts::TAU * 2.0;
        wanted = [0.1 * (1.0 - phase.cos()); JOINTS];
        limiter.step(&wanted);
    }
    for (rate, wanted) in limiter.motion.rate.iter().zip(&wanted) {
        assert!((rate - wanted).abs() < 1e-12);
    }
}

#[test]
fn a_start_in_the_margin_does_not_move_by_itself() {
    let limits = Limits::panda();
    let mut q = HOME_Q;
    q[3] = limits.joint.position_max_rad[3] - 0.001;
    let mut limiter = JointLimiter::new(&limits, q);
    for _ in 0..100 {
        assert_eq!(limiter.step(&[0.0; JOINTS]), &q);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_way_to_rest_is_no_longer_than_foreseen(
        demands in prop::collection::vec((prop::array::uniform7(-3.0..3.0f64), 1usize..200), 1..6),
        fr3 in any::<bool>(),
        share in 0.1..0.8f64,
    ) {
        let mut limits = if fr3 { Limits::fr3() } else { Limits::panda() };
        limits.operating.velocity = share;
        limits.operating.acceleration = share;
        limits.workspace.bounds.min_m = [-2.0; 3];
        limits.workspace.bounds.max_m = [2.0; 3];
        let mut limiter = JointLimiter::new(&limits, HOME_Q);
        for (demand, ticks) in &demands {
            for _ in 0..*ticks {
                limiter.step(demand);
            }
        }
        let (start, stop) = (limiter.motion.position, limiter.stop(&limiter.peak(), BRAKE_SHARE));
        let foreseen = limiter.peak().map(|rate| rate.abs() * stop.way_s());
        while !limiter.is_at_rest() {
            limiter.step(&[0.0; JOINTS]);
        }
        for joint in 0..JOINTS {
            let way = (limiter.motion.position[joint] - start[joint]).abs();
            prop_assert!(way <= foreseen[joint] + 2e-3, "joint {joint}: {way} {}", foreseen[joint]);
        }
    }
}

fn over_a_table(height_m: f64, q_rad: JointVector) -> JointLimiter {
    let mut limits = Limits::panda();
    limits.clearance.table_height_m = Some(height_m);
    JointLimiter::new(&limits, q_rad)
}

/// Joints 2 and 4 lower the hand.
const DOWNWARDS: JointVector = [0.0, 0.6, 0.0, -0.3, 0.0, 0.2, 0.0];

#[test]
fn it_stops_before_the_table_and_may_leave_it() {
    let mut limiter = over_a_table(0.1, HOME_Q);
    let mut held = false;
    for _ in 0..3000 {
        limiter.step(&DOWNWARDS);
        held |= limiter.held_back().is_some();
        let lowest = lowest_room(&limiter);
        assert!(lowest > 0.0, "{lowest}");
    }
    assert!(held && limiter.motion.rate.amax() < 1e-3);
    let at_table = limiter.motion.chain.position.z;
    assert!(at_table < 0.13, "{at_table}");
    for _ in 0..1000 {
        limiter.step(&DOWNWARDS.map(|rate| -rate));
    }
    assert!(limiter.motion.chain.position.z > at_table + 0.1);
}

#[test]
fn a_start_too_near_the_table_may_only_leave_it() {
    let low = inverse(
        &Pose::down([0.5, 0.0, 0.1]),
        &HOME_Q,
        &Limits::panda().joint,
    )
    .unwrap();
    let fingertips = Chain::new(&low).position.z - 0.009;
    let mut limiter = over_a_table(fingertips + 0.02, low);
    for _ in 0..1000 {
        limiter.step(&DOWNWARDS);
    }
    let start = Chain::new(&low).position.z;
    assert!((limiter.motion.chain.position.z - start).abs() < 1e-6);
    for _ in 0..1000 {
        limiter.step(&DOWNWARDS.map(|rate| -rate));
    }
    assert!(limiter.motion.chain.position.z > start + 0.1);
    for _ in 0..3000 {
        limiter.step(&DOWNWARDS);
    }
    assert!(lowest_room(&limiter) > 0.0);
}

fn lowest_room(limiter: &JointLimiter) -> f64 {
    limiter.motion.rooms.least_m()
}
