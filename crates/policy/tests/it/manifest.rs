//! Samplers and layouts that a manifest can ask for, and what is said of those that it cannot.

use crate::common::Copy;
use tiller_core::{
    ActionLayout, ActionMode, ArmColumns, Frame, GripperColumn, RotationColumns, RotationKind,
};
use tiller_policy::BundleError;
use tiller_steering::scheduler::{
    BetaSchedule, Clip, DiffusionConfig, DiffusionSolver, FlowConfig, FlowSolver, FlowTime,
    Prediction, SchedulerConfig, Spacing, Variance,
};
use tiller_steering::{ActionSpace, Guide};

const FLOW: &str = "kind = \"flow_euler\"\nsteps = 10\ntime = \"noise_to_data_1_to_0\"";
const MIN_MAX: &str = "min = [-0.03, -0.02, -0.01, -1.0]\nmax = [0.03, 0.02, 0.03, 1.0]";

/// The tiny bundle's manifest with another scheduler table.
fn with_scheduler(table: &str) -> Copy {
    let copy = Copy::new();
    copy.edit(FLOW, table);
    copy
}

/// The same for a diffusion policy.
fn diffusion(prediction: &str, table: &str) -> Copy {
    let copy = with_scheduler(table);
    copy.edit("kind = \"flow_matching\"", "kind = \"diffusion\"");
    let prediction = format!("prediction = \"{prediction}\"");
    copy.edit("prediction = \"velocity\"", &prediction);
    copy
}

fn sampler(copy: &Copy) -> SchedulerConfig {
    copy.load().unwrap().sampler().clone()
}

/// Every problem of a bundle, one a line.
fn problems(copy: &Copy) -> Vec<String> {
    match copy.load().unwrap_err() {
        BundleError::Invalid { problems, .. } => {
            problems.found.iter().map(ToString::to_string).collect()
        }
        other => panic!("{other}"),
    }
}

#[test]
fn flows_in_both_directions_of_time() {
    let euler = FlowConfig {
        solver: FlowSolver::Euler,
        steps: 10,
        time: FlowTime::OneToZero,
        clip: Clip::Range(1.0),
    };
    assert_eq!(sampler(&Copy::new()), SchedulerConfig::Flow(euler.clone()));
    let copy = with_scheduler("kind = \"flow_heun\"\nsteps = 5\ntime = \"noise_to_data_0_to_1\"");
    let heun = FlowConfig {
        solver: FlowSolver::Heun,
        steps: 5,
        time: FlowTime::ZeroToOne,
        ..euler
    };
    assert_eq!(sampler(&copy), SchedulerConfig::Flow(heun.clone()));
    // Actions normalised to mean 0 and deviation 1 have no range to be kept in.
    copy.edit(
        MIN_MAX,
        "mean = [0.0, 0.0, 0.01, 0.0]\nstd = [0.1, 0.1, 0.1, 1.0]",
    );
    let unbounded = FlowConfig {
        clip: Clip::Off,
        ..heun
    };
    assert_eq!(sampler(&copy), SchedulerConfig::Flow(unbounded));
}

#[test]
fn every_diffusion_sampler() {
    let ddpm = "kind = \"ddpm\"\nsteps = 20\ntrain_steps = 100\nbeta_schedule = \
                \"squaredcos_cap_v2\"\nspacing = \"leading\"\nclip_sample = 1.0\nvariance = \
                \"fixed_large\"";
    let expected = DiffusionConfig {
        solver: DiffusionSolver::Ddpm {
            variance: Variance::FixedLarge,
        },
        prediction: Prediction::Epsilon,
        steps: 20,
        train_steps: 100,
        betas: BetaSchedule::SquaredCosCapV2,
        spacing: Spacing::Leading,
        steps_offset: 0,
        clip: Clip::Range(1.0),
    };
    let found = sampler(&diffusion("epsilon", ddpm));
    assert_eq!(found, SchedulerConfig::Diffusion(expected.clone()));

    let ddim = "kind = \"ddim\"\nsteps = 10\ntrain_steps = 1000\nbeta_schedule = \
                \"scaled_linear\"\nbeta_start = 0.00085\nspacing = \"leading\"\nsteps_offset = 1\n\
                thresholding = { ratio = 0.995, max = 2.0 }\nset_alpha_to_one = false\neta = 0.25";
    let found = sampler(&diffusion("v_prediction", ddim));
    let expected = DiffusionConfig {
        solver: DiffusionSolver::Ddim {
            eta: 0.25,
            set_alpha_to_one: false,
        },
        prediction: Prediction::VPrediction,
        steps: 10,
        train_steps: 1000,
        betas: BetaSchedule::ScaledLinear {
            start: 0.00085,
            end: 0.02,
        },
        steps_offset: 1,
        clip: Clip::Dynamic {
            ratio: 0.995,
            max: 2.0,
        },
        ..expected
    };
    assert_eq!(found, SchedulerConfig::Diffusion(expected.clone()));

    let dpm = "kind = \"dpm_solver_pp_2m\"\nsteps = 10\ntrain_steps = 1000\nbeta_schedule = \
               \"linear\"\nspacing = \"trailing\"";
    let found = sampler(&diffusion("sample", dpm));
    let expected = DiffusionConfig {
        solver: DiffusionSolver::DpmSolverPp2m,
        prediction: Prediction::Sample,
        betas: BetaSchedule::Linear {
            start: 0.0001,
            end: 0.02,
        },
        spacing: Spacing::Trailing,
        steps_offset: 0,
        clip: Clip::Off,
        ..expected
    };
    assert_eq!(found, SchedulerConfig::Diffusion(expected));
}

#[test]
fn a_flow_with_the_keys_of_diffusion_is_told_all_of_them() {
    let copy = with_scheduler(
        "kind = \"ddim\"\nsteps = 0\ntrain_steps = 100\nbeta_schedule = \"linear\"\nbeta_start = \
         0.1\nbeta_end = 0.2\nspacing = \"leading\"\nsteps_offset = 0\nclip_sample = \
         1.0\nthresholding = { ratio = 0.9, max = 1.0 }\nvariance = \
         \"fixed_small\"\nset_alpha_to_one = true\neta = 0.0",
    );
    copy.edit("prediction = \"velocity\"", "prediction = \"epsilon\"");
    let found = problems(&copy);
    let none = |key: &str, found: &str| {
        format!("scheduler.{key}: expected no such key in flow matching, found {found}")
    };
    assert_eq!(
        found,
        [
            "prediction: expected `velocity`, found `epsilon`".to_owned(),
            "scheduler.kind: expected `flow_euler` or `flow_heun`, found `ddim`".to_owned(),
            "scheduler.time: expected a value in flow matching, found nothing".to_owned(),
            none("train_steps", "100"),
            none("beta_schedule", "\"linear\""),
            none("beta_start", "0.1"),
            none("beta_end", "0.2"),
            none("spacing", "\"leading\""),
            none("steps_offset", "0"),
            none("clip_sample", "1.0"),
            none("thresholding", "Thresholding { ratio: 0.9, max: 1.0 }"),
            none("variance", "\"fixed_small\""),
            none("set_alpha_to_one", "true"),
            none("eta", "0.0"),
            "scheduler.steps: expected 1 to 1000, found 0".to_owned(),
        ]
    );
}

#[test]
fn a_diffusion_that_does_not_fit_together_is_told_everything_at_once() {
    let copy = diffusion(
        "velocity",
        "kind = \"ddpm\"\nsteps = 200\ntime = \"noise_to_data_1_to_0\"\ntrain_steps = \
         100\nbeta_schedule = \"squaredcos_cap_v2\"\nbeta_start = 0.1\nspacing = \
         \"sideways\"\nclip_sample = 1.0\nthresholding = { ratio = 1.5, max = 0.5 }\nvariance = \
         \"learned\"\neta = 0.5",
    );
    copy.edit(
        "horizon = 3\nexecute_steps = 2",
        "observation_steps = 0\nhorizon = 3\nexecute_start = 2\nexecute_steps = 2",
    );
    copy.edit(
        "gripper = 3",
        "gripper = 3\nrotation = { columns = [2, 3, 4], kind = \"euler_xyz\" }",
    );
    copy.edit(
        MIN_MAX,
        "min = [-0.03, -0.02, -0.01, -1.0]\nstd = [1.0, 0.0, 1.0]",
    );
    assert_eq!(
        problems(&copy),
        [
            "prediction: expected `epsilon` or `sample` or `v_prediction`, found `velocity`",
            "scheduler.time: expected no such key in diffusion, found \"noise_to_data_1_to_0\"",
            "scheduler.variance: expected `fixed_small` or `fixed_large`, found `learned`",
            "scheduler.eta: expected no such key with `ddpm`, found 0.5",
            "scheduler.beta_start: expected no such key with `squaredcos_cap_v2`, found 0.1",
            "scheduler.spacing: expected `leading` or `trailing` or `linspace`, found `sideways`",
            "scheduler.clip_sample: expected no such key beside scheduler.thresholding, found 1.0",
            "scheduler.steps: expected 1 to 100, found 200",
            "scheduler.thresholding.ratio: expected a number from 0 to 1, found 1.5",
            "scheduler.thresholding.max: expected a number of at least 1, found 0.5",
            "observation_steps: expected 1 to 16, found 0",
            "execute_steps: expected 1 to 1, found 2",
            "action: expected either min and max or mean and std, found action.min, action.std",
            "action.std: expected 4 numbers, found 3",
            "action.std[1]: expected a positive number, found 0",
            "action.rotation.columns: expected columns that nothing else has, found column 2, which \
             `position` has",
            "action.rotation.columns: expected columns below 4, found 4",
            "action.gripper: expected columns that nothing else has, found column 3, which \
             `rotation.columns` has",
        ]
    );
}

#[test]
fn what_diffusion_cannot_do_without_is_missed() {
    let copy = diffusion("sample", "kind = \"ddim\"\nsteps = 10");
    let found = problems(&copy);
    let missing =
        |key: &str| format!("scheduler.{key}: expected a value in diffusion, found nothing");
    assert_eq!(
        found,
        ["train_steps", "beta_schedule", "spacing"].map(missing)
    );
}

#[test]
fn an_unknown_scheduler_is_told_what_there_is() {
    let copy = with_scheduler("kind = \"euler_ancestral\"\nsteps = 10");
    copy.edit("kind = \"flow_matching\"", "kind = \"consistency\"");
    assert_eq!(
        problems(&copy),
        [
            "kind: expected `flow_matching` or `diffusion`, found `consistency`",
            "scheduler.kind: expected `flow_euler`, `flow_heun`, `ddpm`, `ddim` or \
             `dpm_solver_pp_2m`, found `euler_ancestral`",
        ]
    );
}

#[test]
fn execution_must_start_within_the_horizon() {
    let copy = Copy::new();
    copy.edit("execute_steps = 2", "execute_start = 3\nexecute_steps = 1");
    assert_eq!(
        problems(&copy),
        [
            "execute_start: expected 0 to 2, found 3",
            "execute_steps: expected 1 to 1, found 1"
        ][..1]
    );
}

/// The tiny bundle's manifest with another `[action]`, in which everything is one wide.
fn with_action(table: &str, dim: usize) -> Copy {
    let copy = Copy::new();
    let min_max = format!("min = {:?}\nmax = {:?}", vec![-1.0; dim], vec![1.0; dim]);
    copy.edit(MIN_MAX, &min_max);
    copy.edit(
        "dim = 4\nposition = [0, 1, 2]\ngripper = 3\nmode = \"delta\"",
        &format!("dim = {dim}\n{table}"),
    );
    copy
}

fn without_frame(table: &str, dim: usize) -> Copy {
    let copy = with_action(table, dim);
    copy.edit("frame = \"base\"\n", "");
    copy
}

fn space(copy: &Copy) -> ActionSpace {
    copy.load().unwrap().action_space().clone()
}

#[test]
fn actions_normalised_by_mean_and_deviation() {
    let copy = Copy::new();
    copy.edit("gripper = 3", "ignored = [3]");
    copy.edit(
        MIN_MAX,
        "mean = [0.0, 0.1, 0.0, 0.0]\nstd = [0.1, 0.2, 0.3, 1.0]",
    );
    let space = space(&copy);
    assert_eq!(space.layout.gripper, None);
    assert_eq!(space.scale, [0.1, 0.2, 0.3, 1.0]);
    assert_eq!(space.offset, [0.0, 0.1, 0.0, 0.0]);
}

#[test]
fn every_layout_can_be_asked_for() {
    let rotation = |kind: &str, columns: &str| {
        format!("rotation = {{ columns = {columns}, kind = \"{kind}\" }}")
    };
    for (kind, columns) in [
        (RotationKind::RotationVector, "[3, 4, 5]"),
        (RotationKind::EulerXyz, "[5, 4, 3]"),
        (RotationKind::QuaternionWxyz, "[3, 4, 5, 6]"),
        (RotationKind::QuaternionXyzw, "[3, 4, 5, 6]"),
        (RotationKind::Matrix6d, "[3, 4, 5, 6, 7, 8]"),
    ] {
        let dim = 3 + kind.width();
        let table = format!(
            "position = [0, 1, 2]\n{}\nmode = \"absolute\"",
            rotation(kind.as_str(), columns)
        );
        let layout = space(&with_action(&table, dim)).layout;
        let ArmColumns::Pose {
            rotation: Some(rotation),
            ..
        } = layout.arm
        else {
            panic!("{layout:?}");
        };
        assert_eq!(
            (rotation.kind, layout.mode),
            (kind, ActionMode::AbsolutePose)
        );
        assert_eq!(format!("{:?}", rotation.columns), columns);
    }

    // Robosuite's OSC: seven columns in [-1, 1], the gripper closes at +1.
    let table = format!(
        "position = [0, 1, 2]\n{}\ngripper = {{ column = 6, open = -1, closed = 1 }}\nignored = \
         [7]\nmode = \"delta\"\nposition_m_per_unit = 0.05\nrotation_rad_per_unit = 0.5\nclip = \
         1\nguide = [\"position\", \"rotation\", \"gripper\"]",
        rotation("rotation_vector", "[3, 4, 5]")
    );
    let bundle = with_action(&table, 8).load().unwrap();
    let expected = ActionLayout {
        arm: ArmColumns::Pose {
            position: [0, 1, 2],
            rotation: Some(RotationColumns {
                columns: vec![3, 4, 5],
                kind: RotationKind::RotationVector,
            }),
        },
        gripper: Some(GripperColumn {
            column: 6,
            open: -1.0,
            closed: 1.0,
        }),
        position_m_per_unit: 0.05,
        rotation_rad_per_unit: 0.5,
        clip: Some(1.0),
        ignored: vec![7],
        ..ActionLayout::position_deltas(8, [0, 1, 2], None, 10.0)
    };
    assert_eq!(bundle.action_space().layout, expected);
    let all = Guide {
        rotation: true,
        gripper: true,
    };
    assert_eq!(bundle.guide(), all);

    for mode in [ActionMode::JointPosition, ActionMode::JointVelocity] {
        let table = format!(
            "joints = [1, 2, 3, 4, 5, 6, 7]\ngripper = 0\nmode = \"{}\"\nguide = [\"position\", \
             \"rotation\"]",
            mode.as_str()
        );
        let bundle = without_frame(&table, 8).load().unwrap();
        let layout = &bundle.action_space().layout;
        assert_eq!(layout.arm, ArmColumns::Joints([1, 2, 3, 4, 5, 6, 7]));
        assert_eq!(layout.mode, mode);
        assert!(bundle.guide().rotation && !bundle.guide().gripper);
    }
}

#[test]
fn modes_and_frames_say_the_same_thing_in_old_words_and_new() {
    let tool = ActionMode::DeltaPose(Frame::Tool);
    let base = ActionMode::DeltaPose(Frame::Base);
    for (mode, frame, expected) in [
        ("delta", "base", base),
        ("delta", "tool", tool),
        ("delta", "", base),
        ("delta_pose_base", "", base),
        ("delta_pose_base", "base", base),
        ("delta_pose_tool", "", tool),
        ("delta_pose_tool", "tool", tool),
        ("absolute", "base", ActionMode::AbsolutePose),
        ("absolute_pose", "", ActionMode::AbsolutePose),
    ] {
        let copy = Copy::new();
        copy.edit("mode = \"delta\"", &format!("mode = \"{mode}\""));
        let own = match frame {
            "" => String::new(),
            frame => format!("frame = \"{frame}\"\n"),
        };
        copy.edit("frame = \"base\"\n", &own);
        assert_eq!(space(&copy).layout.mode, expected, "{mode} {frame}");
    }
    let clash = |mode: &str, frame: &str| {
        let copy = Copy::new();
        copy.edit("mode = \"delta\"", &format!("mode = \"{mode}\""));
        copy.edit("frame = \"base\"", &format!("frame = \"{frame}\""));
        problems(&copy)
    };
    assert_eq!(
        clash("delta_pose_tool", "base"),
        ["action.frame: expected `tool` with the mode `delta_pose_tool`, found `base`"]
    );
    assert_eq!(
        clash("absolute", "tool"),
        ["action.frame: expected `base` with the mode `absolute`, found `tool`"]
    );
    assert_eq!(
        clash("delta", "camera"),
        ["action.frame: expected `base` or `tool`, found `camera`"]
    );
    assert_eq!(
        clash("steps", "base"),
        [
            "action.mode: expected `delta_pose_base` or `delta_pose_tool` or `absolute_pose` or \
             `joint_position` or `joint_velocity` or `delta` or `absolute`, found `steps`"
        ]
    );
}

#[test]
fn what_no_column_or_no_block_means_is_told_by_name() {
    let cases: [(&str, usize, &[&str]); 6] = [
        (
            "position = [0, 1, 2]\nmode = \"delta\"",
            4,
            &[
                "action.ignored: expected every column that is no position, rotation, joint or gripper, \
               found column 3 nowhere",
            ],
        ),
        // Columns of a rotation that nobody says the kind of are not guessed at.
        (
            "position = [0, 1, 2]\nrotation = [3, 4, 5]\nmode = \"delta\"",
            6,
            &[
                "action.rotation: expected columns and their kind, or the columns in action.ignored, \
               found [3, 4, 5]",
            ],
        ),
        (
            "position = [0, 1, 2]\nrotation = { columns = [3, 4, 5], kind = \"euler\" }\nmode = \
             \"delta\"",
            6,
            &[
                "action.rotation.kind: expected `rotation_vector` or `euler_xyz` or `quaternion_wxyz` \
               or `quaternion_xyzw` or `matrix_6d`, found `euler`",
            ],
        ),
        (
            "position = [0, 1, 2]\njoints = [3, 4, 5]\nmode = \"joint_position\"",
            6,
            &[
                "action.position: expected no such key beside action.joints, found [0, 1, 2]",
                "action.joints: expected 7 columns, found 3",
                "action.frame: expected no such key with action.joints, found \"base\"",
            ],
        ),
        (
            "position = [0, 1, 2]\nmode = \"joint_velocity\"",
            3,
            &[
                "action.mode: expected `delta_pose_base`, `delta_pose_tool` or `absolute_pose` for pose \
               columns, found `joint_velocity`",
            ],
        ),
        (
            "position = [0, 1, 2]\nmode = \"delta\"\nclip = 0\nguide = [\"rotation\", \"gripper\", \
             \"wrist\"]",
            3,
            &[
                "action.guide: expected `position` or `rotation` or `gripper`, found `wrist`",
                "action.guide: expected `position` among others: guidance always moves it, found \
                 [\"rotation\", \"gripper\", \"wrist\"]",
                "action.guide: expected blocks that the action has, found `rotation`",
                "action.guide: expected blocks that the action has, found `gripper`",
                "action.clip: expected a number above 0, found 0",
            ],
        ),
    ];
    for (table, dim, expected) in cases {
        assert_eq!(problems(&with_action(table, dim)), expected, "{table}");
    }
    let neither = with_action("mode = \"delta\"", 4);
    assert_eq!(
        problems(&neither),
        ["action.position: expected the columns of x, y and z, or action.joints, found nothing"]
    );
    let word = with_action(
        "position = [0, 1, 2]\ngripper = \"last\"\nmode = \"delta\"",
        4,
    );
    let message = word.message();
    assert!(
        message.contains("expected a column, or `{ column = .., open = .., closed = .. }`"),
        "{message}"
    );
}
