//! Any message of each kind, sound in itself.

use proptest::array::{uniform3, uniform4, uniform7};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use tiller_core::{
    ActionLayout, ActionMode, ArmColumns, Continuation, EpisodeId, GripperColumn, JOINTS, Pose,
    ProgramId, RotationColumns, RotationKind,
};
use tiller_messages::*;

pub(crate) fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => -1e3..1e3,
        1 => Just(0.0),
        1 => Just(f64::INFINITY),
        1 => Just(f64::MIN_POSITIVE),
    ]
}

fn text() -> impl Strategy<Value = String> {
    "[a-zA-Zäö 0-9=\n\"]{0,24}"
}

fn pose() -> impl Strategy<Value = Pose> {
    (uniform3(number()), uniform4(number())).prop_map(|(position_m, quaternion_wxyz)| Pose {
        position_m,
        quaternion_wxyz,
    })
}

fn episode_id() -> impl Strategy<Value = EpisodeId> {
    any::<u64>().prop_map(EpisodeId)
}

fn program_id() -> impl Strategy<Value = ProgramId> {
    any::<u64>().prop_map(ProgramId)
}

/// A layout with these arm columns first; then the gripper's and what is ignored.
pub(crate) fn layout_of(
    mode: ActionMode,
    rotation: Option<RotationKind>,
    gripper: bool,
    ignored: usize,
) -> ActionLayout {
    let mut columns = 0..;
    let mut next = |count: usize| -> Vec<usize> { columns.by_ref().take(count).collect() };
    let arm = if mode.is_joints() {
        ArmColumns::Joints(next(JOINTS).try_into().unwrap())
    } else {
        ArmColumns::Pose {
            position: next(3).try_into().unwrap(),
            rotation: rotation.map(|kind| RotationColumns {
                columns: next(kind.width()),
                kind,
            }),
        }
    };
    let gripper = gripper.then(|| GripperColumn {
        column: next(1)[0],
        open: 1.0,
        closed: -1.0,
    });
    let ignored = next(ignored);
    ActionLayout {
        dim: columns.start,
        arm,
        gripper,
        mode,
        position_m_per_unit: 1.0,
        rotation_rad_per_unit: 1.0,
        clip: None,
        rate_hz: 10.0,
        ignored,
    }
}

/// The same with other columns in the same places.
fn permuted(layout: ActionLayout, order: &[usize]) -> ActionLayout {
    let at = |column: usize| order[column];
    ActionLayout {
        arm: match layout.arm {
            ArmColumns::Joints(joints) => ArmColumns::Joints(joints.map(at)),
            ArmColumns::Pose { position, rotation } => ArmColumns::Pose {
                position: position.map(at),
                rotation: rotation.map(|rotation| RotationColumns {
                    columns: rotation.columns.into_iter().map(at).collect(),
                    ..rotation
                }),
            },
        },
        gripper: layout.gripper.map(|gripper| GripperColumn {
            column: at(gripper.column),
            ..gripper
        }),
        ignored: layout.ignored.into_iter().map(at).collect(),
        ..layout
    }
}

prop_compose! {
    fn layout()(
        mode in prop::sample::select(&ActionMode::ALL),
        rotation in option::of(prop::sample::select(&RotationKind::ALL)),
        gripper in any::<bool>(), ignored in 0_usize..4,
    )(
        order in Just((0..layout_of(mode, rotation, gripper, ignored).dim).collect::<Vec<_>>())
            .prop_shuffle(),
        layout in Just(layout_of(mode, rotation, gripper, ignored)),
        position in 1e-3..10.0, clip in option::of(0.1..9.0), rate_hz in 1.0..100.0,
        open in 0.0..2.0, closed in -2.0..-0.1,
    ) -> ActionLayout {
        let layout = permuted(layout, &order);
        ActionLayout {
            position_m_per_unit: position,
            clip,
            rate_hz,
            gripper: layout.gripper.map(|g| GripperColumn { open, closed, ..g }),
            ..layout
        }
    }
}

prop_compose! {
    pub(crate) fn arm_state()(
        session: u64, seq: u64, stamp_ns: u64, episode in episode_id(),
        q_rad in uniform7(number()), dq_rad_s in uniform7(number()), tcp in pose(),
        gripper_width_m in number(),
    ) -> ArmState {
        ArmState { session, seq, stamp_ns, episode, q_rad, dq_rad_s, tcp, gripper_width_m }
    }
}

prop_compose! {
    pub(crate) fn execution_state()(
        numbers in uniform4(any::<u64>()), chunk in uniform4(any::<u64>()), chunk_step: u32,
        episode in episode_id(), mode in prop::sample::select(ExecutionMode::ALL),
        anchor in pose(), anchor_q_rad in uniform7(number()),
        step_start in pose(), step_start_q_rad in uniform7(number()),
    ) -> ExecutionState {
        let [session, seq, stamp_ns, refused_session] = numbers;
        let [chunk_session, chunk_seq, refused_seq, order] = chunk;
        ExecutionState {
            session, seq, stamp_ns, episode, mode, anchor, anchor_q_rad, step_start, step_start_q_rad,
            chunk_session, chunk_seq, chunk_step, refused_session, refused_seq, order,
        }
    }
}

prop_compose! {
    pub(crate) fn order()(session: u64, seq: u64, id: u64, reason in text()) -> Order {
        Order { session, seq, id, reason }
    }
}

prop_compose! {
    pub(crate) fn arm_command()(
        session: u64, seq: u64, stamp_ns: u64, rows in vec(uniform7(number()), 1..25),
        gripper_width_m in number(),
    ) -> ArmCommand {
        ArmCommand { session, seq, stamp_ns, q_rad: rows.concat(), gripper_width_m }
    }
}

prop_compose! {
    pub(crate) fn episode()(
        session: u64, seq: u64, id in episode_id(), stamp_ns: u64, instruction in text(),
        seed: u64, tasks in vec(text(), 0..3), last: bool,
    ) -> Episode {
        Episode { session, seq, id, stamp_ns, instruction, seed, tasks, last }
    }
}

prop_compose! {
    pub(crate) fn program_contract()(
        session: u64, seq: u64, policy in text(), points in 2_u32..100, guides_rotation: bool,
        guides_gripper: bool, layout in layout(),
    ) -> ProgramContract {
        ProgramContract { session, seq, policy, points, guides_rotation, guides_gripper, layout }
    }
}

prop_compose! {
    pub(crate) fn action_chunk()(layout in layout(), horizon in 1_u32..20)(
        actions in vec(-1e3_f32..1e3, horizon as usize * layout.dim),
        execute_steps in 1..=horizon, horizon in Just(horizon), layout in Just(layout),
        numbers in uniform4(any::<u64>()), episode in episode_id(), program in program_id(),
        stage in any::<u32>(), anchor in pose(), anchor_q_rad in uniform7(number()),
        continues in option::of((any::<u64>(), any::<u32>(), any::<prop::sample::Index>())),
    ) -> ActionChunk {
        let [session, seq, stamp_ns, planning_ns] = numbers;
        let continues = continues.map(|(seq, step, frozen)| Continuation {
            seq,
            step,
            frozen_steps: frozen.index(execute_steps as usize) as u32,
        });
        ActionChunk {
            session, seq, stamp_ns, episode, program, stage, anchor, anchor_q_rad, execute_steps,
            horizon, actions, layout, planning_ns, continues,
        }
    }
}

prop_compose! {
    pub(crate) fn candidates()(particles in 1_u32..6, points in 1_u32..9)(
        xyz_m in vec(-1e3_f32..1e3, (particles * points * 3) as usize),
        rewards in prop_oneof![Just(0), Just(particles as usize)]
            .prop_flat_map(|count| vec(-1e3_f32..1e3, count)),
        numbers in uniform4(any::<u64>()), particles in Just(particles), points in Just(points),
        selected in 0..particles,
    ) -> Candidates {
        let [session, seq, stamp_ns, chunk_seq] = numbers;
        Candidates {
            session, seq, stamp_ns, chunk_seq, particles, points, xyz_m, rewards, selected,
        }
    }
}

prop_compose! {
    pub(crate) fn dry_plan()(
        planned in candidates(), has_plan: bool, numbers in uniform3(any::<u64>()),
        program in program_id(), stage: u32, problem in text(),
    ) -> DryPlan {
        let [session, seq, stamp_ns] = numbers;
        let plan = DryPlan { session, seq, stamp_ns, program, stage, problem, ..Default::default() };
        if !has_plan {
            return plan;
        }
        let Candidates { particles, points, xyz_m, rewards, selected, .. } = planned;
        DryPlan { particles, points, xyz_m, rewards, selected, ..plan }
    }
}

prop_compose! {
    pub(crate) fn keypoints()(names in vec(text(), 0..8))(
        axes in prop_oneof![Just(Vec::new()), vec(number(), names.len() * 9)],
        age_ns in prop_oneof![Just(Vec::new()), vec(any::<u64>(), names.len())],
        confidence in prop_oneof![Just(Vec::new()), vec(number(), names.len())],
        xyz_m in vec(number(), names.len() * 3), visible in vec(any::<bool>(), names.len()),
        names in Just(names), numbers in uniform3(any::<u64>()), episode in episode_id(),
        generation in any::<u32>(),
    ) -> Keypoints {
        let [session, seq, stamp_ns] = numbers;
        Keypoints {
            session, seq, stamp_ns, episode, generation, names, xyz_m, visible, axes, age_ns, confidence,
        }
    }
}

prop_compose! {
    pub(crate) fn reward_program()(stages in 1_usize..5)(
        descriptions in vec(text(), stages), has_done in vec(any::<bool>(), stages),
        unguided in vec(any::<bool>(), stages), session in any::<u64>(), seq in any::<u64>(),
        id in program_id(), episode in episode_id(), generation in any::<u32>(),
        points in any::<u32>(), texts in uniform3(text()),
    ) -> RewardProgram {
        let [instruction, text, source] = texts;
        let num_stages = descriptions.len() as u32;
        RewardProgram {
            session, seq, id, episode, generation, points, instruction, num_stages, text, source,
            descriptions, has_done, unguided,
        }
    }
}

prop_compose! {
    pub(crate) fn proposal()(
        session: u64, seq: u64, id in program_id(), episode in episode_id(), generation: u32,
        texts in uniform3(text()), state in prop::sample::select(ProposalState::ALL),
        descriptions in vec(text(), 0..4), diagnostics in vec(text(), 0..4), answers: u32,
    ) -> Proposal {
        let [instruction, text, source] = texts;
        Proposal {
            session, seq, id, episode, generation, instruction, text, source, state, descriptions,
            diagnostics, answers,
        }
    }
}

prop_compose! {
    pub(crate) fn approval()(
        session: u64, seq: u64, program in program_id(),
        decision in prop::sample::select(ApprovalDecision::ALL), text in text(), reason in text(),
    ) -> Approval {
        Approval { session, seq, program, decision, text, reason }
    }
}

prop_compose! {
    pub(crate) fn status()(
        session: u64, seq: u64, node in text(), level in prop::sample::select(Level::ALL),
        code in text(), text in text(),
    ) -> Status {
        Status { session, seq, node, level, code, text }
    }
}

prop_compose! {
    pub(crate) fn stage_command()(
        session: u64, seq: u64, stamp_ns: u64, episode in episode_id(), program in program_id(),
        stage: u32, visit: u32, flags in uniform3(any::<bool>()), kind in text(), reason in text(),
    ) -> StageCommand {
        let [guidance, finished, gave_up] = flags;
        StageCommand {
            session, seq, stamp_ns, episode, program, stage, visit, guidance, finished, gave_up,
            kind, reason,
        }
    }
}

prop_compose! {
    pub(crate) fn stage_query()(
        session: u64, seq: u64, program in program_id(), stage: u32, visit: u32, reason in text(),
    ) -> StageQuery {
        StageQuery { session, seq, program, stage, visit, reason }
    }
}

prop_compose! {
    pub(crate) fn stage_advice()(
        session: u64, seq: u64, program in program_id(), visit: u32, stage: u32, reason in text(),
    ) -> StageAdvice {
        StageAdvice { session, seq, program, visit, stage, reason }
    }
}

prop_compose! {
    pub(crate) fn progress()(
        session: u64, seq: u64, stamp_ns: u64, program in program_id(), stage: u32, visit: u32,
        readings in prop::array::uniform5(number()), done in option::of(number()),
    ) -> Progress {
        let [planned, achieved, guidance_strength, reward, ess] = readings;
        Progress {
            session, seq, stamp_ns, program, stage, visit, planned, achieved, done,
            guidance_strength, reward, ess,
        }
    }
}

prop_compose! {
    pub(crate) fn safety_event()(
        session: u64, seq: u64, stamp_ns: u64, kind in text(), chunk_seq: Option<u64>,
        number in option::of((text(), number(), number())), step: Option<u32>, text in text(),
    ) -> SafetyEvent {
        let (quantity, limit, value) = match number {
            Some((quantity, limit, value)) => (Some(quantity), Some(limit), Some(value)),
            None => (None, None, None),
        };
        SafetyEvent { session, seq, stamp_ns, kind, chunk_seq, quantity, limit, value, step, text }
    }
}

prop_compose! {
    pub(crate) fn task_status()(
        session: u64, seq: u64, stamp_ns: u64, episode in episode_id(),
        tasks in vec(text(), 0..3), success: bool, completed in vec(text(), 0..4),
        collateral in vec(text(), 0..2), episode_over: bool, reason in text(),
    ) -> TaskStatus {
        TaskStatus {
            session, seq, stamp_ns, episode, tasks, success, completed, collateral, episode_over,
            reason,
        }
    }
}

prop_compose! {
    pub(crate) fn journal()(
        session: u64, seq: u64, offset: u64, header in vec(any::<u8>(), 0..9),
        entries in vec(any::<u8>(), 0..90),
    ) -> Journal {
        Journal { session, seq, offset, header, entries }
    }
}

prop_compose! {
    pub(crate) fn bench_report()(session: u64, seq: u64, report in text()) -> BenchReport {
        BenchReport { session, seq, report }
    }
}

prop_compose! {
    pub(crate) fn bench_work()(session: u64, seq: u64, work in text()) -> BenchWork {
        BenchWork { session, seq, work }
    }
}
